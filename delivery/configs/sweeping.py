"""What happens by itself: files are read back when it is time, pushes that nobody settled are, and old ones go."""

import logging
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from delivery.configs.drift import READER, due_environments
from delivery.configs.ending import give_up, settle
from delivery.configs.preparing import is_being_prepared, prepare
from delivery.configs.reading import request_read
from delivery.models import ConfigPush

logger = logging.getLogger(__name__)
# Pushes that are cleared in one go.
MOST = 1000
# Seconds for which a push that is to be prepared is left to the worker who was called.
PREPARED_WITHIN = 60


def sweep() -> list[int]:
    """Prepare and settle what nobody was called for, clear what is old, and read back what is due; give the ids of the readings that begin."""
    for push in _open():
        if is_being_prepared(push):
            _carefully(push.pk, prepare, is_being_prepared)
        elif push.run is None or not push.run.is_open:
            # The word of its end was lost.
            _carefully(push.pk, settle)
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
        except Exception:
            # One that is broken does not hold up the others.
            logger.exception("configuration of %s cannot be read", environment)
            continue
        begun.append(push.pk)
    return begun


def _open() -> list[ConfigPush]:
    """List pushes that stand open; what was asked for in this moment has a worker who was called."""
    rows = ConfigPush.objects.filter(status=ConfigPush.Status.RUNNING)
    late = timezone.now() - timedelta(seconds=PREPARED_WITHIN)
    listed = rows.exclude(run=None, created_at__gt=late)
    return list(listed.select_related("run").order_by("pk"))


def _carefully(
    pk: int,
    act: Callable[[int], None],
    only: Callable[[ConfigPush], bool] | None = None,
) -> None:
    """Do something with a push; where it can never be done the push has failed, and its environment is free again (`only`: see give_up)."""
    try:
        act(pk)
    except (OperationalError, InterfaceError):
        logger.exception("push %s: the database is away; the next round tries", pk)
    except Exception:
        logger.exception("push %s: how it ended cannot be kept", pk)
        words = _("How it ended could not be kept; the log of the portal says why.")
        give_up(pk, words, only=only)


def _clear() -> None:
    old = timezone.now() - timedelta(days=settings.CONFIG_PUSH_DAYS)
    rows = ConfigPush.objects.exclude(status=ConfigPush.Status.RUNNING)
    keys = rows.filter(created_at__lt=old).order_by("pk").values_list("pk", flat=True)
    ConfigPush.objects.filter(pk__in=list(keys[:MOST])).delete()
