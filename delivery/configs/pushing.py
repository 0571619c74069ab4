"""Asks for a push of configuration: filled in, written down, handed to the run engine, on the trail; and stops one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import Conflict, DomainError
from appconf.models import Environment
from appconf.vouching import ensure_may_deploy
from delivery.configs import preparing
from delivery.configs.frames import Frame, frame_of
from delivery.configs.holding import let_go
from delivery.configs.programs import reload_commands
from delivery.configs.starting import alone_in, begin, is_large, write
from delivery.configs.windows import pass_windows
from delivery.models import ConfigPush
from tasks.legs.asking import cancel_leg

REASON_LENGTH = 250


@dataclass(frozen=True)
class Wanted:
    """What somebody wants to be pushed, and why.

    Attributes:
        plan_hash: of the plan that a person said yes to; None: nobody saw one, the plan of this moment counts.
        file_ids, host_ids: only these; None: all. emergency_reason: why it begins outside the change windows.
    """

    plan_hash: str | None
    reason: str
    file_ids: Sequence[int] | None = None
    host_ids: Sequence[int] | None = None
    emergency_reason: str = ""

    def frame(self, actor: Any, environment: Environment) -> Frame:
        """Say which files and hosts it is for; raises what planning.make_plan does."""
        return frame_of(actor, environment, self.file_ids, self.host_ids)


def request_push(*, actor: Any, environment: Environment, wanted: Wanted) -> ConfigPush:
    """Bring the files of an environment that are in force to its hosts, as a person saw it in a plan and said yes to.

    The texts are filled in before anything is locked; those of very many hosts later, by a worker.

    Raises:
        Forbidden: the actor may not deploy there, or not outside the windows. DomainError: no reason is given.
        Conflict: something changed since the plan, a file cannot be filled in, another push goes on, the environment is
            locked, or its windows are closed and nobody says why it cannot wait (code "closed").
    """
    told = _told(wanted)
    frame = wanted.frame(actor, environment)
    told["emergency_reason"] = pass_windows(actor, environment, wanted.emergency_reason)
    what = None
    if not is_large(frame.size):
        what = preparing.ready_push(actor, frame, wanted.plan_hash)
    with transaction.atomic():
        fresh = alone_in(environment)
        if wanted.frame(actor, fresh).told() != frame.told():
            raise preparing.stale()
        files = frame.files_told()
        push = write(actor, fresh, ConfigPush.Kind.PUSH, files, **told)
        if what is None:
            preparing.call(push)
        else:
            begin(actor, push, what)
        _record(actor, push, frame)
    return push


def _told(wanted: Wanted) -> dict[str, Any]:
    """Give what the row keeps of it."""
    reason = wanted.reason.strip()
    if not reason:
        words = _("Say why: others will read it.")
        raise DomainError(words, code="reason_needed", fields={"reason": words})
    if wanted.plan_hash == "":
        # On the row it would mean that nobody was to see a plan.
        raise preparing.stale()
    return {
        "reason": reason[:REASON_LENGTH],
        "plan_hash": (wanted.plan_hash or "")[:64],
        "host_ids": sorted(wanted.host_ids or ()),
    }


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
    told: dict[str, Any] = {
        "files": [f"{one['path']} v{one['number']}" for one in push.files],
        # How many: not each reader of the trail may know their names, which stand in the push.
        "hosts": len(frame.hosts),
        "reload_commands": reload_commands(one.placed for one in frame.files),
    }
    if push.emergency_reason:
        told["emergency"] = push.emergency_reason
    changes = [{"field": name, "old": None, "new": told[name]} for name in told]
    audit.record(actor, "configpush.start", push, changes=changes, reason=push.reason)
