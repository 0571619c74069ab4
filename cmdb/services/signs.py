"""What many agents said, written together: signs of life, and facts that did not change."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from adminset.many_rows import update_rows
from cmdb import boots
from cmdb import facts as reading
from cmdb.clock_steps import ClockSteps, read_steps
from cmdb.models import Agent
from cmdb.services.agent_proofs import AgentIdentity
from cmdb.services.agent_reports import JUDGED_BY
from cmdb.services.recent import proved, touched

SEEN = ("last_seen_at", "address", "clock_offset_seconds")


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of life: when, from where, and by how many seconds the host's clock is ahead of ours."""

    at: datetime
    address: str
    clock_offset: float | None


def is_due(agent: AgentIdentity, boot_id: str) -> bool:
    """Say whether a sign of life of an agent is to be written, as none was for half a minute."""
    return touched.get((agent.pk, boot_id)) is None


def note_spoken(agent: AgentIdentity, boot_id: str) -> None:
    """Remember that a sign of life is on its way."""
    touched.put((agent.pk, boot_id), True)


def note_signs(signs: Mapping[int, Sign]) -> None:
    """Note signs of life of agents (by their pk) that speak with the boot id that is known of them."""
    rows = [
        Agent(
            pk=pk,
            last_seen_at=sign.at,
            address=reading.plain_address(sign.address) or None,
            clock_offset_seconds=sign.clock_offset,
        )
        for pk, sign in signs.items()
    ]
    update_rows(Agent, SEEN, rows)


@dataclass(frozen=True, slots=True)
class Repeated:
    """A facts report, of which only the fingerprint of the facts is known."""

    agent: AgentIdentity
    fingerprint: str
    boot_id: str
    sent_at: float
    address: str
    seq: int | None = None


def absorb_repeated(reports: Sequence[Repeated]) -> list[bool]:
    """Take facts reports that say nothing new: one SELECT and one UPDATE for all of them.

    Returns:
        True for each that is taken; False for each that has to be looked at by itself (`absorb_facts`).
    """
    rows = Agent.objects.only(*JUDGED_BY).in_bulk({each.agent.pk for each in reports})
    now = timezone.now()
    taken = [_take(rows.get(each.agent.pk), each, now) for each in reports]
    heard = {each.agent.pk for each, yes in zip(reports, taken, strict=True) if yes}
    changed = [row for pk, row in rows.items() if pk in heard and row.facts_at == now]
    update_rows(Agent, (*SEEN, "boots", "facts_at"), changed)
    return taken


def _take(row: Agent | None, report: Repeated, now: datetime) -> bool:
    if row is None or row.facts_hash != report.fingerprint:
        return False
    boot = reading.plain_text(report.boot_id, 64)
    if boot != row.boot_id:
        return False
    # By our clock; the host's own may be off, but not more than when it spoke last.
    made = min(now.timestamp(), report.sent_at - (row.clock_offset_seconds or 0.0))
    heard = boots.Heard(boot, made, report.seq, report.sent_at)
    verdict, state = boots.hear(row.boots, row.boot_id, heard)
    if verdict == boots.Verdict.STALE:
        return True
    if verdict == boots.Verdict.CLONED:
        return False
    row.boots, row.facts_at = state, now
    row.last_seen_at = now
    row.address = reading.plain_address(report.address) or None
    row.clock_offset_seconds = round(report.sent_at - now.timestamp(), 1)
    return True


def note_clock(
    *, agent: AgentIdentity, revise: Callable[[ClockSteps], ClockSteps]
) -> ClockSteps:
    """Keep by how much an agent's samples are put right from now on, before any is stored; gives what holds.

    Args:
        revise: gives the new steps, of those that the row has now: another report may have come first.
    """
    with transaction.atomic():
        rows = Agent.objects.filter(pk=agent.pk)
        row = rows.select_for_update().only("clock_steps").first()
        if row is None:
            return agent.clock_steps
        known = read_steps(row.clock_steps)
        steps = revise(known)
        if steps != known:
            kept = [list(step) for step in steps]
            rows.update(clock_steps=kept, updated_at=timezone.now())
    # This process has it at once, others within 2 seconds.
    proved.forget(agent.key)
    return steps
