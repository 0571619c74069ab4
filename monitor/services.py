"""What happens to measurements: taken in, rolled up, forgotten."""

import time
from typing import Any

from django.conf import settings

from adminset.errors import Unavailable
from cmdb.services import agents
from monitor.intake import FactsReport, MetricsReport, as_dict
from monitor.metric_store import store

# Host-hours of one roll-up; what is left waits for the next minute.
ROLL_UP_AT_ONCE = 2000


def store_state() -> str:
    """Say how the metric store is, for /readyz.

    Raises:
        Unavailable: it does not answer.
    """
    state = store().ping()
    if not state.ok:
        raise Unavailable(state.message)
    return state.message


def wishes() -> dict[str, int]:
    """Say how often an agent shall sample and send, in seconds."""
    return {
        "sample_seconds": settings.AGENT_SAMPLE_SECONDS,
        "flush_seconds": settings.AGENT_FLUSH_SECONDS,
        "facts_seconds": settings.AGENT_FACTS_SECONDS,
    }


def receive_metrics(
    *, agent: agents.AgentIdentity, report: MetricsReport, address: str
) -> list[dict[str, Any]]:
    """Store a batch of samples durably under the agent's own host.

    Returns:
        {"seq", "status": stored | duplicate | refused, "message"} for each sample, in the order sent.

    Raises:
        StoreUnavailable: nothing is acknowledged; the agent keeps its spool.
        Conflict: a copy of another machine's credential speaks; nothing is stored.
    """
    agents.ensure_no_copy(agent, report.boot_id or "")
    good = [item.sample for item in report.samples if not item.refused]
    statuses = iter(store().write(agent.host_id, good))
    agents.touch(
        agent_id=agent.pk,
        boot_id=report.boot_id or "",
        address=address,
        clock_offset=round(report.sent_at - time.time(), 1),
        age=report.sent_at - max((s.time for s in good), default=report.sent_at),
    )
    return [
        {"seq": item.seq, "status": "refused", "message": item.refused}
        if item.refused
        else {"seq": item.seq, "status": next(statuses)}
        for item in report.samples
    ]


def receive_facts(
    *, agent: agents.AgentIdentity, report: FactsReport, address: str
) -> str:
    """Let the CMDB take what the host says it is; "changed" or "unchanged"."""
    return agents.absorb_facts(
        agent=agent,
        facts=as_dict(report.facts),
        identity=as_dict(report.identity),
        boot_id=report.boot_id or "",
        sent_at=report.sent_at,
        address=address,
        seq=report.seq,
    )


def enrol(*, plain_token: str, report: FactsReport, address: str) -> tuple[str, str]:
    """Let a new agent in: its public id and its secret, which is shown this once."""
    agent, secret = agents.enrol(
        plain_token=plain_token,
        identity=as_dict(report.identity),
        facts=as_dict(report.facts),
        boot_id=report.boot_id or "",
        address=address,
    )
    return agent.public_id, secret


def roll_up() -> int:
    """Roll up what is due; gives the number of host-hours looked at."""
    measurements = store()
    measurements.ensure_indexes()
    return measurements.roll_up(limit=ROLL_UP_AT_ONCE)
