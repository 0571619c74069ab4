"""What happens to measurements: taken in, rolled up, forgotten."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from adminset.errors import Unavailable
from cmdb.services import agents
from monitor.intake import FactsReport, as_dict
from monitor.metric_store import store
from monitor.migrating import Moved
from monitor.store import StoreUnavailable

# Host-hours of one roll-up; what is left waits for the next minute.
ROLL_UP_AT_ONCE = 2000
# Hosts whose tiers are looked through for what is too old; each is so four times a day.
SWEEP_AT_ONCE = 200
# Of each minute, for measurements that a version before the tiers has stored.
MIGRATE_SECONDS = 20.0

logger = logging.getLogger(__name__)
Result = TypeVar("Result")


def store_state() -> str:
    """Say how the metric store is, for /readyz.

    Raises:
        Unavailable: it does not answer.
    """
    state = store().ping()
    if not state.ok:
        raise Unavailable(state.message)
    return state.message


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
    """Roll up what is due, drop what is too old; gives the number of host-hours and host-days looked at.

    Raises:
        StoreUnavailable: it is away.
    """
    measurements = store()
    measurements.ensure_indexes()
    _in_its_own_try(lambda: migrate(MIGRATE_SECONDS))
    done = _in_its_own_try(lambda: measurements.roll_up(limit=ROLL_UP_AT_ONCE))
    _in_its_own_try(lambda: measurements.drop_old(limit=SWEEP_AT_ONCE))
    return done or 0


def _in_its_own_try(work: Callable[[], Result]) -> Result | None:
    """Do one part of the upkeep; where it fails, the log says why and the others go on.

    Raises:
        StoreUnavailable: none of them can.
    """
    try:
        return work()
    except StoreUnavailable:
        raise
    except Exception:
        logger.exception("a part of the upkeep of the measurements failed")
        return None


def migrate(seconds: float) -> Moved:
    """Bring measurements from before the tiers into them, for so long at most; the log says what was done.

    Raises:
        StoreUnavailable: it is away; what was brought over is.
    """
    measurements, whole = store(), Moved()
    until = time.monotonic() + seconds
    while time.monotonic() < until and (moved := measurements.migrate()):
        whole.add(moved)
    if whole:
        said = (whole.samples, whole.hours, whole.lost)
        logger.info(
            "measurements of an older version: %d samples and %d hours brought over, %d documents cannot be read",
            *said,
        )
    return whole
