"""Who may do what with configuration files and their versions; nobody approves an own version, and no token approves anything."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from adminset.errors import Forbidden
from adminset.querysets import may, scope_of
from appconf.models import ConfigFile, ConfigVersion

Status = ConfigVersion.Status
APPROVE = "appconf.approve_configversion"


def ensure_may(actor: Any, action: str, file: ConfigFile) -> None:
    """Let pass who may do something with a file; else Forbidden."""
    if not may(actor, action, file):
        raise Forbidden(
            _("You may not change %(name)s.") % {"name": file},
            _("Ask for the permission %(permission)s.")
            % {"permission": f"appconf.{action}_configfile"},
            code="change_refused",
        )


def ensure_may_approve(actor: Any, file: ConfigFile) -> None:
    """Let pass who may decide about versions of a file; else Forbidden."""
    if not may_approve(actor, file):
        raise Forbidden(
            _("You may not decide about versions of %(name)s.") % {"name": file},
            _("Ask for the permission %(permission)s.") % {"permission": APPROVE},
            code="approve_refused",
        )


def ensure_may_move(
    actor: Any, project_id: int, environment_id: int | None = None
) -> None:
    """Let pass who may change the configuration path of a project or environment: files that need approval move with it.

    Raises:
        Forbidden: the actor may not approve versions of one of them.
    """
    rows = ConfigFile.objects.filter(project=project_id, approval=True)
    if environment_id is not None:
        rows = rows.filter(Q(environment=None) | Q(environment=environment_id))
    for file in rows.exclude(path__startswith="/").select_related("project"):
        ensure_may_approve(actor, file)


def may_approve(actor: Any, file: ConfigFile) -> bool:
    """Say whether somebody may decide about versions of a file, also of one that has none yet."""
    scope = scope_of(actor, APPROVE)
    if scope.everything or not scope:
        return scope.everything
    rows = ConfigFile.objects.filter(pk=file.pk)
    return bool(rows.within(scope, "approve").exists())


def ensure_second_person(actor: Any, version: ConfigVersion) -> None:
    """Let pass a person who did not write the version; else Forbidden."""
    if getattr(actor, "token", None) is not None:
        raise Forbidden(
            _("A token approves nothing: that is a person's word."),
            _("Approve it in the portal."),
            code="token_approves_nothing",
        )
    if version.author_id is not None and version.author_id == actor.pk:
        raise Forbidden(
            _("Nobody approves an own version."),
            _("Ask somebody else who may approve it."),
            code="own_version",
        )


def acts_on(actor: Any, version: ConfigVersion) -> list[str]:
    """List what a reader may do about a version: submit, approve, refuse, roll_back, pin."""
    file = version.file
    change, approve = may(actor, "change", file), may_approve(actor, file)
    found = []
    if version.status == Status.DRAFT and change:
        found.append("submit")
    if version.status == Status.WAITING and approve:
        own = version.author_id == actor.pk
        found += ["refuse"] if own else ["approve", "refuse"]
    if change:
        found.append("roll_back")
    if version.status == Status.APPROVED and approve:
        found.append("unpin" if file.pinned_id == version.pk else "pin")
    return found
