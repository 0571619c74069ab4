"""What agents say once they are let in: what is new, what is repeated, what speaks with a copied credential."""

import secrets
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.crypto import digest
from adminset.errors import Conflict, DomainError
from cmdb import boots
from cmdb import facts as reading
from cmdb.evidence import Evidence
from cmdb.models import Agent
from cmdb.services import conflicts
from cmdb.services import identity as identities
from cmdb.services.agent_proofs import AgentIdentity
from cmdb.services.provenance import ASSET_FIELDS
from cmdb.services.recent import forget_recent, touched
from cmdb.services.reports import write_facts

JUDGED_BY = ("facts_hash", "boots", "boot_id", "clock_offset_seconds")


@transaction.atomic
def rotate(*, agent: AgentIdentity, boot_id: str) -> str:
    """Give an agent a new secret; the old one works until the first use of the new.

    Raises:
        Conflict: it speaks with a copied credential.
        DomainError: 401, the agent was revoked meanwhile.
    """
    ensure_no_copy(agent, boot_id)
    row = _held(agent)
    secret = secrets.token_urlsafe(32)
    row.next_secret_hash = digest(secret)
    row.save(update_fields=["next_secret_hash", "updated_at"])
    audit.record(row, "agent.rotate", row)
    return secret


def ensure_no_copy(agent: AgentIdentity, boot_id: str) -> None:
    """Refuse a machine that reports with a copy of another one's credential.

    Raises:
        Conflict: it does.
    """
    if agent.refused and (not boot_id or boot_id[:64] in agent.refused):
        raise _copied()


def _copied() -> Conflict:
    return Conflict(
        _(
            "Two machines report with the credential of this agent; this one is the newer."
        ),
        _("It is a copy: remove its credential file and re-enrol it with a new token."),
        code="cloned_credential",
    )


def touch(
    *,
    agent_id: int,
    boot_id: str,
    address: str,
    clock_offset: float | None,
    age: float = 0.0,
) -> None:
    """Note that an agent (by its pk) has spoken: one UPDATE in 30 seconds at most, however often it speaks.

    Args:
        clock_offset: seconds by which the host's clock is ahead of ours.
        age: seconds since the newest of what it told was found.
    """
    key = (agent_id, boot_id)
    if touched.get(key) is not None:
        return
    touched.put(key, True)
    boot = reading.plain_text(boot_id, 64)
    seen = _seen(address, clock_offset)
    rows = Agent.objects.filter(pk=agent_id)
    # A clock that went back makes old samples look new: they prove nothing.
    if rows.filter(boot_id=boot).update(**seen) or age < 0:
        return
    with transaction.atomic():
        row = rows.select_for_update().first()
        if row is None:
            return
        heard = boots.Heard(boot, timezone.now().timestamp() - age)
        verdict, state = boots.hear(row.boots, row.boot_id, heard)
        if verdict == boots.Verdict.CLONED:
            _quarantine(row, state, boot, address)
        elif verdict == boots.Verdict.FRESH:
            seen |= {"boot_id": boot, "boots": state, "updated_at": timezone.now()}
        rows.update(**seen)


def _seen(address: str, clock_offset: float | None) -> dict[str, Any]:
    return {
        "last_seen_at": timezone.now(),
        "address": reading.plain_address(address) or None,
        "clock_offset_seconds": clock_offset,
    }


def _quarantine(row: Agent, state: dict[str, Any], boot: str, address: str) -> None:
    """Refuse the newer of two machines from now on; the older one goes on. A person is told."""
    newer = state["refused"][-1]
    older = boot if boot != newer else row.boot_id
    Agent.objects.filter(pk=row.pk).update(
        boots=state, boot_id=older, updated_at=timezone.now()
    )
    conflicts.open_credential(agent=row, boot_id=newer, address=address)
    transaction.on_commit(forget_recent)


def absorb_facts(  # noqa: PLR0913 - what a report says, each part by its name
    *,
    agent: AgentIdentity,
    facts: Mapping[str, Any],
    identity: Mapping[str, Any],
    boot_id: str,
    sent_at: float,
    address: str,
    seq: int | None = None,
) -> str:
    """Take a facts report: "unchanged" moves "last seen" only; "changed" writes the host and one audit line; "stale" was dropped.

    Args:
        sent_at: Unix seconds by the host's clock.
        seq: counts up within a boot; agents of old do not say it.

    Raises:
        DomainError: 401, the agent was revoked meanwhile.
        Conflict: it speaks with a copied credential.
    """
    ensure_no_copy(agent, boot_id)
    known = reading.clean(facts)
    evidence = Evidence.read(identity, known.get("virtualisation", ""))
    new_hash = reading.fingerprint(known, evidence.as_dict())
    boot, now = reading.plain_text(boot_id, 64), timezone.now()
    old = Agent.objects.filter(pk=agent.pk).only(*JUDGED_BY).first() or Agent()
    # By our clock; the host's own may be off, but not more than when it spoke last.
    made = min(now.timestamp(), sent_at - (old.clock_offset_seconds or 0.0))
    heard = boots.Heard(boot, made, seq, sent_at)
    verdict, state = boots.hear(old.boots, old.boot_id, heard)
    same = old.facts_hash == new_hash
    if verdict == boots.Verdict.STALE:
        return "unchanged" if same else "stale"
    if verdict == boots.Verdict.CLONED:
        _take_no_turns(agent, state, boot, address)
    seen = _seen(address, round(sent_at - now.timestamp(), 1))
    seen |= {"boot_id": boot, "boots": state, "facts_at": now}
    if boot != old.boot_id:
        # What processes remember of the agent is to be read anew.
        seen["updated_at"] = now
    if same:
        Agent.objects.filter(pk=agent.pk).update(**seen)
        return "unchanged"
    with transaction.atomic():
        _absorb(_held(agent), known, evidence, seen | {"facts_hash": new_hash})
    return "changed"


def _take_no_turns(
    agent: AgentIdentity, state: dict[str, Any], boot: str, address: str
) -> None:
    with transaction.atomic():
        _quarantine(_held(agent), state, boot, address)
    if boot in state["refused"]:
        raise _copied()


def _absorb(
    row: Agent, known: dict[str, Any], evidence: Evidence, seen: dict[str, Any]
) -> None:
    host: Any = row.host
    kind, asked = identities.hardware_change(host, evidence), None
    if kind is None:
        if identities.is_reimaged(host, evidence):
            audit.record(row, "host.reimage", host)
        identities.remember(host, evidence)
    else:
        asked = conflicts.open_(
            kind=kind,
            hosts=[host],
            evidence=evidence,
            known=known,
            agent=row,
            address=seen["address"] or "",
        )
    # Until somebody has decided, the host's own interfaces and disks stay; dismissed, only what it is stays.
    waits = asked is not None and not asked.verdict
    kept = ASSET_FIELDS if kind else ()
    changes = write_facts(host, known, kept, parts=not waits)
    more = {"identity": evidence.as_dict(), "version": known.get("agent_version", "")}
    Agent.objects.filter(pk=row.pk).update(**seen, **more)
    if changes:
        audit.record(row, "host.report", host, changes=changes)


def _held(agent: AgentIdentity) -> Any:
    # The row alone: PostgreSQL locks no outer join, and MariaDB knows no OF.
    rows = Agent.objects.select_for_update()
    row = rows.filter(pk=agent.pk, host_id=agent.host_id, revoked_at=None).first()
    if row is None:
        raise DomainError(
            _("This agent was revoked meanwhile."), code="unknown_agent", status=401
        )
    return row
