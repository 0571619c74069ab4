"""A push holds the lock of its environment while it runs, as a deploy does: neither restarts what the other is still bringing."""

from django.utils.translation import gettext as _

from adminset.errors import Conflict
from delivery.models import ConfigPush, DeployLock
from delivery.safety import locks


def hold(push: ConfigPush) -> None:
    """Take the environment for a push; the caller saves `push.lock`.

    Raises:
        Conflict (code "locked"): somebody took it a moment before.
    """
    words = _("Push of configuration %(number)s")
    push.lock = locks.create(
        push.environment,
        owner=push.requested_by,
        owner_name=push.requested_by_name,
        reason=words % {"number": push.pk},
    )
    if push.lock is None:
        locks.ensure_free(push.environment)
        raise Conflict(_("The environment is locked."), code="locked")


def let_go(push: ConfigPush) -> None:
    """Give back what a push holds, and call whoever waits for it after the commit."""
    if push.lock_id is None:
        return
    DeployLock.objects.filter(pk=push.lock_id).delete()
    push.lock = None
    locks.set_free(push.environment_id)
