"""Web-hooks in people's hands: saved by whoever could start the same, and then run as that user."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import limits
from adminset import audit
from adminset.crud import services as crud
from adminset.errors import Forbidden
from adminset.querysets import may
from tasks.launching.template_services import ensure_may_launch
from tasks.models import InHook, Work
from tasks.services.judging import judge_resolved
from tasks.services.specs import RunSpec
from tasks.services.vouching import vouch

Does = InHook.Does


@transaction.atomic
def save_hook(*, actor: Any, form: Any) -> InHook:
    """Save a web-hook's form. Whoever changes it is the one as whom it runs: nobody can make others run things.

    Raises:
        Forbidden: a token with limits asks, or the actor could not start this.
    """
    hook: InHook = form.instance
    changed = hook._state.adding or form.has_changed()
    if changed:
        ensure_whole_user(actor)
        hook.run_as, hook.notice = actor, ""
    saved: InHook = crud.save(actor=actor, form=form)  # type: ignore[assignment]
    if changed:
        ensure_may_start(actor, saved)
        vouch(saved)
    return saved


@transaction.atomic
def turn_off(*, actor: Any, hook: InHook, reason: str) -> None:
    """Turn a web-hook off, and say on its page why; who saves it as active again turns it on."""
    before = audit.snapshot(hook)
    hook.active, hook.notice = False, reason[:500]
    hook.save(update_fields=["active", "notice", "updated_at"])
    changes = audit.changed(before, audit.snapshot(hook))
    audit.record(actor, "inhook.update", hook, changes=changes, reason=reason)


def ensure_whole_user(actor: Any) -> None:
    """Let pass who speaks with all rights of the user.

    Raises:
        Forbidden: a token speaks that may do less than its user.
    """
    limits.ensure_whole_user(
        actor,
        _("A token with limits may not make or change web-hooks."),
        _(
            "What they start runs with all rights of their user. Do it in the portal, or with a token without limits."
        ),
    )


def ensure_may_start(actor: Any, hook: InHook) -> None:
    """Let pass who could start the same by hand; what a message brings along is judged when it comes.

    Raises:
        Forbidden: says what is missing.
    """
    if hook.does == Does.WORKFLOW:
        _ensure_workflow(actor, hook)
        return
    if hook.does == Does.TEMPLATE and hook.template is not None:
        ensure_may_launch(actor, hook.template)
    elif hook.task_module is None or not may(actor, "use", hook.task_module):
        raise Forbidden(
            _("You may not run task modules."),
            _("Ask for the permission tasks.use_taskmodule."),
            code="module_refused",
        )
    # Hosts, their credentials and the permission to start runs: a harmless command stands for the work.
    spec = RunSpec(
        kind=Work.Kind.COMMAND,
        command="true",
        host_ids=tuple(hook.hosts.values_list("pk", flat=True)),
        group_ids=tuple(hook.groups.values_list("pk", flat=True)),
        host_filter=hook.host_filter,
    )
    judge_resolved(actor, spec, by_module=True)


def _ensure_workflow(actor: Any, hook: InHook) -> None:
    allowed = actor.has_perm("tasks.add_workflowrun")
    if not (allowed and hook.workflow and may(actor, "view", hook.workflow)):
        raise Forbidden(
            _("You may not start this workflow."),
            _("Ask an administrator for the permission tasks.add_workflowrun."),
        )
