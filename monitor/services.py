"""What happens to measurements: taken in, rolled up, forgotten."""

from typing import Any

from adminset.errors import Unavailable
from cmdb.services import agents
from monitor import reception
from monitor.intake import FactsReport, as_dict
from monitor.metric_store import store
from monitor.noted import Notes

# Host-hours of one roll-up; what is left waits for the next minute.
ROLL_UP_AT_ONCE = 2000
# Hosts whose tiers are looked through for what is too old; each is so four times a day.
SWEEP_AT_ONCE = 200


def store_state() -> str:
    """Say how the metric store is, for /readyz.

    Raises:
        Unavailable: it does not answer.
    """
    state = store().ping()
    if not state.ok:
        raise Unavailable(state.message)
    return state.message


def receive_metrics(
    *, agent: agents.AgentIdentity, body: bytes, address: str, arrived: float
) -> dict[str, Any]:
    """Store a batch of samples durably under the agent's own host; gives the answer of docs/agent-protocol.md.

    Args:
        body: inflated JSON.
        arrived: Unix seconds when it began to arrive.

    Raises:
        DomainError: it cannot be read, or a copy of another machine's credential speaks; nothing is stored.
        StoreUnavailable: nothing is acknowledged; the agent keeps its spool.
    """
    arrival = reception.read(agent, body, address=address, arrived=arrived)
    steps = reception.clock_steps(arrival)
    if steps != agent.clock_steps:
        arrival = reception.keep_clock(arrival, steps)
    statuses = reception.submit(arrival)
    notes = Notes()
    if not reception.note(arrival, notes):
        reception.touch(arrival)
    notes.write()
    reception.learn_pace(agent.host_id)
    return reception.answer(arrival, statuses)


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
    """Roll up what is due, drop what is too old; gives the number of host-hours and host-days looked at."""
    measurements = store()
    measurements.ensure_indexes()
    done = measurements.roll_up(limit=ROLL_UP_AT_ONCE)
    measurements.drop_old(limit=SWEEP_AT_ONCE)
    return done
