"""Celery's door of the room: the roll-up, each minute."""

from celery import shared_task
from django.conf import settings

from adminset import redis_door
from monitor import departed, services
from monitor.checks import calling, flips, rounds
from monitor.store import StoreUnavailable

LEASE_SECONDS = 600
SWEEP_SECONDS = 3600
# The last questions of a round may outlast it by a time-out.
DRAIN_SECONDS = 90


@shared_task(name="monitor.roll_up")
def roll_up() -> None:
    """Roll up what is due, unless another worker is at it."""
    with redis_door.lease("monitor.roll_up", LEASE_SECONDS) as held:
        if held:
            services.roll_up()


@shared_task(
    name=departed.TASK,
    autoretry_for=(StoreUnavailable,),
    retry_backoff=30,
    retry_backoff_max=3600,
    max_retries=10,
)
def settle_host(host_id: int) -> None:
    """Move or delete the measurements of a host that is gone; again and again while the store is away."""
    departed.settle(host_id)


@shared_task(name="monitor.sweep_departed")
def sweep_departed() -> None:
    """Find measurements of hosts that are gone, unless another worker is at it."""
    with redis_door.lease("monitor.sweep_departed", SWEEP_SECONDS) as held:
        if held:
            departed.sweep()


@shared_task(name="monitor.start_checks")
def start_checks() -> None:
    """Find what is late, and call the workers of each site where something is due."""
    with redis_door.lease("monitor.start_checks", 60) as held:
        if held:
            calling.start()


@shared_task(name="monitor.run_checks")
def run_checks(site: str) -> None:
    """Ask what is due at a site, unless another worker of the site is at it."""
    seconds = settings.CHECK_ROUND_SECONDS
    with redis_door.lease(f"monitor.checks.{site}", seconds + DRAIN_SECONDS) as held:
        if held:
            rounds.run(site, seconds)


@shared_task(name="monitor.purge_flips")
def purge_flips() -> None:
    """Forget old changes of state."""
    while flips.purge():
        pass
