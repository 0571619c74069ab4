"""What happens by itself: files are read back when it is time, pushes that nobody settled are, and old ones go."""

import logging
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from adminset.errors import DomainError
from delivery.configs.drift import READER, due_environments
from delivery.configs.ending import settle
from delivery.configs.pushing import request_read
from delivery.models import ConfigPush

logger = logging.getLogger(__name__)
# Pushes that are cleared in one go.
MOST = 1000


def sweep() -> list[int]:
    """Settle what has ended, clear what is old, and read back what is due; give the ids of the readings that begin."""
    for pk in _unsettled():
        settle(pk)
    _clear()
    begun = []
    for environment, file_ids in due_environments():
        try:
            push = request_read(
                actor=READER, environment=environment, file_ids=file_ids
            )
        except DomainError as error:
            # Busy, or no host that is delivered to: the next round looks again.
            logger.info("configuration of %s is not read: %s", environment, error.code)
            continue
        begun.append(push.pk)
    return begun


def _unsettled() -> list[int]:
    """List pushes that stand open though their run has ended: the word of it was lost."""
    rows = ConfigPush.objects.filter(status=ConfigPush.Status.RUNNING)
    listed = rows.select_related("run").order_by("pk")
    return [row.pk for row in listed if row.run is None or not row.run.is_open]


def _clear() -> None:
    old = timezone.now() - timedelta(days=settings.CONFIG_PUSH_DAYS)
    rows = ConfigPush.objects.exclude(status=ConfigPush.Status.RUNNING)
    keys = rows.filter(created_at__lt=old).order_by("pk").values_list("pk", flat=True)
    ConfigPush.objects.filter(pk__in=list(keys[:MOST])).delete()
