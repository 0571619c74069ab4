"""A push holds the lock of its environment while it runs, as a deploy does: neither restarts what the other is still bringing."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from delivery.models import ConfigPush, DeployLock
from delivery.safety.locks import after_free, ensure_free


def hold(actor: Any, push: ConfigPush) -> None:
    """Take the environment for a push; the caller saves `push.lock`.

    Raises:
        Conflict (code "locked"): somebody took it a moment before.
    """
    words = _("Push of configuration %(number)s")
    try:
        with transaction.atomic():
            push.lock = DeployLock.objects.create(
                environment=push.environment,
                owner=push.requested_by,
                owner_name=push.requested_by_name,
                reason=words % {"number": push.pk},
            )
    except IntegrityError:
        ensure_free(push.environment)
        raise


def let_go(push: ConfigPush) -> None:
    """Give back what a push holds, and call whoever waits for it after the commit."""
    if push.lock_id is None:
        return
    DeployLock.objects.filter(pk=push.lock_id).delete()
    push.lock = None
    key = push.environment_id
    for each in after_free:
        transaction.on_commit(lambda each=each: each(key))  # type: ignore[misc]
