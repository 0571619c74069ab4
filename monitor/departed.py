"""What becomes of the measurements of hosts that are gone: they move along with a merge, or go too.

The CMDB never waits for the metric store. A deletion and a merge leave a word in their own transaction; a worker does the
rest, again and again until the store has taken it, and a look each day finds what nobody told of.
"""

import logging
from collections.abc import Callable
from functools import partial

import redis
from celery import current_app
from django.db import models, transaction
from kombu.exceptions import OperationalError

from adminset.audit import Actor
from cmdb.models import Host, IdentityConflict
from monitor.checks.samples import FIRST_NUMBER
from monitor.metric_store import store
from monitor.models import MovingMeasurements, ServiceCheck
from monitor.packages import keeping
from monitor.prometheus.lanes import lanes_of, owner_of

logger = logging.getLogger(__name__)
TASK = "monitor.settle_host"
# Where more hosts than these, and more than half of all, are unknown to the CMDB, it is rather the CMDB that was lost.
MOST_UNKNOWN = 20


def host_leaves(actor: Actor, instance: models.Model) -> None:
    """Have a worker look after the measurements of a host that is being deleted; others are none of our business."""
    if isinstance(instance, Host):
        transaction.on_commit(partial(call_worker, instance.pk))


def host_is_another(gone: int, kept: int) -> None:
    """Have the measurements of a host that is merged away move to the one that stays; called in the merge's transaction."""
    MovingMeasurements.objects.get_or_create(gone=gone, kept_id=kept)
    transaction.on_commit(partial(call_worker, gone))


def call_worker(host_id: int) -> None:
    """Have a worker settle a host; without a broker the look of the day does."""
    try:
        current_app.send_task(TASK, [host_id])
    except (OperationalError, redis.RedisError, OSError) as error:
        logger.warning("measurements of host %s wait for the night: %s", host_id, error)


def settle(host_id: int) -> None:
    """Move the measurements of a host that is gone to those that it turned out to be; then delete them.

    Those of a host that is there, or may come back because its merge can be taken back, stay.

    Raises:
        StoreUnavailable: the metric store is away; to be done again.
    """
    is_back = Host.objects.filter(pk=host_id).exists()
    for move in MovingMeasurements.objects.filter(gone=host_id):
        keys = zip(_keys(host_id), _keys(move.kept_id), strict=True)
        for source, target in () if is_back else keys:
            store().copy_host(source, target)
        move.delete()
    if is_back or may_come_back(host_id):
        return
    for key in _keys(host_id):
        store().delete_host(key)
    logger.info("the measurements of host %s are deleted", host_id)


def may_come_back(host_id: int) -> bool:
    """Say whether a host may come back under its number with all that was its own, because its merge can be taken back."""
    return IdentityConflict.objects.filter(undo__gone=host_id).exists()


def sweep(settle_one: Callable[[int], None] = settle) -> int:
    """Settle all hosts that are no more, drop series of checks that are no more, and purge lists of packages; gives how many hosts.

    A store that has more unknown hosts than known ones belongs to another database, or to one that is being restored.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    keeping.purge()
    keys = store().hosts()
    for key in _checks_gone({key for key in keys if key >= FIRST_NUMBER}):
        store().delete_host(key)
    known = {owner_of(key) for key in keys if key < FIRST_NUMBER}
    # Read after the store: a host is there before its first sample is.
    gone = known - set(Host.objects.values_list("pk", flat=True))
    if len(gone) > MOST_UNKNOWN and len(gone) * 2 > len(known):
        logger.error(
            "the metric store has %s hosts that the CMDB does not know, more than it knows: is this its database? Nothing is deleted.",
            len(gone),
        )
        return 0
    gone |= set(MovingMeasurements.objects.values_list("gone", flat=True))
    for host_id in sorted(gone):
        settle_one(host_id)
    return len(gone)


def _checks_gone(keys: set[int]) -> set[int]:
    there = ServiceCheck.objects.values_list("pk", flat=True)
    return keys - {FIRST_NUMBER + pk for pk in there}


def _keys(host_id: int) -> list[int]:
    return [host_id, *lanes_of(host_id)]
