"""Saves and deletes variables and configuration files, and rings for the programs that wait."""

from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _

from adminset.crud import services as crud
from adminset.errors import Conflict, Forbidden
from appconf.config.judging import APPROVE, may_approve
from appconf.config.places import needs_approval, rivals_of
from appconf.config.questions import newest_of
from appconf.config.versions import keep_text
from appconf.models import ConfigFile, Project, Variable
from appconf.pull.bell import ALL, ring

# What of a file whose versions need approval decides what happens on hosts besides its text.
AS_APPROVED = {
    "project",
    "environment",
    "path",
    "owner",
    "group",
    "mode",
    "validate_command",
    "reload_command",
    "approval",
}
WHERE = {"project", "environment", "path"}


@transaction.atomic
def save_variable(*, actor: Any, form: Any) -> Variable:
    """Save a variable; a secret one is sealed."""
    concerned = set() if form.instance._state.adding else concerned_by(form.instance.pk)
    saved: Variable = crud.save(actor=actor, form=form)  # type: ignore[assignment]
    ring(concerned | concerned_by(saved.pk))
    return saved


@transaction.atomic
def delete_variable(*, actor: Any, instance: models.Model) -> None:
    """Delete a variable."""
    concerned = concerned_by(instance.pk)
    crud.delete(actor=actor, instance=instance)
    ring(concerned)


def concerned_by(pk: int) -> set[str]:
    """Give the codes of the projects for which a variable counts, as it is stored."""
    row = Variable.objects.select_related("project", "environment__project").get(pk=pk)
    if row.environment is not None:
        return {row.environment.project.code}
    if row.project is not None:
        return {row.project.code}
    if row.product_line_id is not None:
        rows = Project.objects.filter(product_line=row.product_line_id)
        return set(rows.values_list("code", flat=True))
    return {ALL}


@transaction.atomic
def save_file(*, actor: Any, form: Any) -> ConfigFile:
    """Save a file; another text than its newest version has makes a new one.

    Raises:
        Forbidden: the actor would go round the need for approval, and may not approve.
        Conflict: somebody saved another version since the form was opened, or another file has this place.
    """
    file: ConfigFile = form.instance
    creating = file._state.adding
    if not creating:
        _keep_approval(actor, form)
        _ensure_newest(file, form.cleaned_data.get("based_on"))
    if creating or WHERE & set(form.changed_data):
        _ensure_place(file)
    saved: ConfigFile = crud.save(actor=actor, form=form)  # type: ignore[assignment]
    text = form.cleaned_data["text"]
    if text or not creating:
        keep_text(
            actor=actor,
            file=saved,
            text=text,
            reason=form.reason,
            draft=bool(form.cleaned_data.get("draft")),
        )
    ring([saved.project.code])
    return saved


@transaction.atomic
def delete_file(*, actor: Any, instance: models.Model) -> None:
    """Delete a file with all its versions; it stays on the hosts.

    Raises:
        Forbidden: its versions need approval, and the actor may not approve.
    """
    file = ConfigFile.objects.select_related("project").get(pk=instance.pk)
    if needs_approval(file):
        _ensure_may_approve(actor, file)
    ConfigFile.objects.filter(pk=file.pk).update(pinned=None)
    crud.delete(actor=actor, instance=instance)
    ring([file.project.code])


def _keep_approval(actor: Any, form: Any) -> None:
    """Refuse what would bring something else to hosts than what was approved: at the place of the file, or where it would come."""
    if not AS_APPROVED & set(form.changed_data):
        return
    stored = ConfigFile.objects.select_related("project").get(pk=form.instance.pk)
    if needs_approval(stored) or needs_approval(form.instance):
        _ensure_may_approve(actor, stored)


def _ensure_place(file: ConfigFile) -> None:
    """Refuse a second file of one place: nobody could say which of the two comes to the hosts."""
    for other in rivals_of(file):
        if other.environment_id == file.environment_id:
            raise Conflict(
                _("%(name)s has this place already: %(path)s.")
                % {"name": other, "path": other.full_path},
                _("Change that file, or choose another path."),
                code="place_taken",
            )


def _ensure_may_approve(actor: Any, file: ConfigFile) -> None:
    if not may_approve(actor, file):
        raise Forbidden(
            _(
                "Versions of %(name)s need approval: only who may approve them may change this."
            )
            % {"name": file},
            _("Ask for the permission %(permission)s.") % {"permission": APPROVE},
            code="approve_refused",
        )


def _ensure_newest(file: ConfigFile, based_on: int | None) -> None:
    """Refuse to write over what somebody else saved; a program that does not say what it saw is let through."""
    newest = newest_of(file)
    if based_on is not None and newest is not None and newest.number != based_on:
        raise Conflict(
            _("%(who)s saved version %(number)s meanwhile.")
            % {"who": newest.author_name, "number": newest.number},
            _("Open it again and put your change into that."),
            code="stale",
        )
