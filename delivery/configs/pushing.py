"""Asks for a push of configuration: filled in, written down, handed to the run engine, on the trail; and stops one."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import Conflict
from appconf.models import Environment
from appconf.vouching import ensure_may_deploy
from delivery.configs import preparing
from delivery.configs.frames import Frame, frame_of
from delivery.configs.holding import let_go
from delivery.configs.programs import reload_commands
from delivery.configs.starting import alone_in, begin, is_large, write
from delivery.models import ConfigPush
from tasks.legs.asking import cancel_leg


def request_push(
    *,
    actor: Any,
    environment: Environment,
    plan_hash: str,
    reason: str = "",
    file_ids: Sequence[int] | None = None,
) -> ConfigPush:
    """Bring the files of an environment that are in force to its hosts, as a person saw it in a plan and said yes to.

    The texts are filled in before anything is locked; those of very many hosts later, by a worker.

    Args:
        plan_hash: of that plan. file_ids: only these files; None: all.

    Raises:
        Forbidden: the actor may not deploy there. Conflict: something changed since the plan, a file cannot be filled in,
            another push goes on, or the environment is locked.
    """
    frame = frame_of(actor, environment, file_ids)
    what = None
    if not is_large(frame.size):
        what = preparing.ready_push(actor, frame, plan_hash)
    with transaction.atomic():
        fresh = alone_in(environment)
        if frame_of(actor, fresh, file_ids).told() != frame.told():
            raise preparing.stale()
        told = {"reason": reason[:250], "plan_hash": plan_hash[:64]}
        files = frame.files_told()
        push = write(actor, fresh, ConfigPush.Kind.PUSH, files, **told)
        if what is None:
            preparing.call(push)
        else:
            begin(actor, push, what)
        _record(actor, push, frame)
    return push


@transaction.atomic
def cancel_push(*, actor: Any, push: ConfigPush) -> None:
    """Stop a push or a reading that goes on; what is in place stays there.

    Raises:
        Forbidden: the actor may not deploy there. Conflict: it has ended.
    """
    ensure_may_deploy(actor, push.environment)
    fresh = ConfigPush.objects.select_for_update().get(pk=push.pk)
    if preparing.is_being_prepared(fresh):
        let_go(fresh)
        fresh.status, fresh.ended_at = ConfigPush.Status.CANCELLED, timezone.now()
        fresh.save(update_fields=["status", "lock", "ended_at", "updated_at"])
    elif fresh.status == ConfigPush.Status.RUNNING and fresh.run is not None:
        cancel_leg(actor=actor, run=fresh.run)
    else:
        raise Conflict(_("It has ended already."), code="ended")
    audit.record(actor, "configpush.cancel", fresh)


def _record(actor: Any, push: ConfigPush, frame: Frame) -> None:
    told = {
        "files": [f"{one['path']} v{one['number']}" for one in push.files],
        "hosts": len(frame.hosts),
        "reload_commands": reload_commands(one.placed for one in frame.files),
    }
    changes = [{"field": name, "old": None, "new": told[name]} for name in told]
    audit.record(actor, "configpush.start", push, changes=changes, reason=push.reason)
