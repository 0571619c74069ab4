"""Saves and deletes items of the library: the form's fields, and its content as a version."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from adminset.crud import services as crud
from adminset.errors import Conflict, Forbidden
from adminset.querysets import may, permission_for
from tasks.library.storing import forget_bytes
from tasks.library.trees import ensure_newest
from tasks.library.used_by import bringing, works
from tasks.library.writing import add_version, ensure_idle
from tasks.library_models import LibraryItem, StoredFile
from tasks.services.vouching import carries_own

# What besides its versions decides what runs: playbooks and modules find items by name.
AS_APPROVED = {"name", "language"}


@transaction.atomic
@carries_own
def save_item(*, actor: Any, form: Any) -> LibraryItem:
    """Save an item; another content than its newest version has makes a new one.

    Raises:
        Forbidden: the actor would go round the need for approval, and may not approve.
        Conflict: somebody saved another version since the form was opened.
    """
    creating = form.instance._state.adding
    if not creating:
        _keep_approval(actor, form)
        ensure_newest(form.instance, form.cleaned_data.get("based_on"))
    saved: LibraryItem = crud.save(actor=actor, form=form)  # type: ignore[assignment]
    content = form.new_content()
    if content is not None:
        note = form.cleaned_data.get("note", "")
        add_version(actor=actor, item=saved, content=content, note=note)
    return saved


def _keep_approval(actor: Any, form: Any) -> None:
    """Refuse what would let another text run than the approved one: another item under its name, another language, no need."""
    item = form.instance
    if not form.before.get("needs_approval"):
        return
    if not item.needs_approval:
        words = _("You may not take the need for approval off %(name)s.")
        _ensure_may_approve(actor, item, words)
    if AS_APPROVED & set(form.changed_data):
        words = _("You may not change the name or language of %(name)s.")
        _ensure_may_approve(actor, item, words)


def _ensure_may_approve(actor: Any, item: LibraryItem, words: str) -> None:
    if not may(actor, "approve", item):
        raise Forbidden(
            words % {"name": item},
            _("Its versions need approval: ask for the permission %(permission)s.")
            % {"permission": permission_for(type(item), "approve")},
            code="approve_refused",
        )


@transaction.atomic
@carries_own
def delete_item(*, actor: Any, instance: LibraryItem) -> None:
    """Delete an item with all its versions; bytes that nothing names any more go too.

    Raises:
        Forbidden: its versions need approval, and the actor may not approve.
        Conflict: a schedule, a template or an open run still needs it.
    """
    if instance.needs_approval:
        # Its name would be free for another that needs none.
        _ensure_may_approve(actor, instance, _("You may not delete %(name)s."))
    ensure_idle(instance)
    hashes: list[str] = []
    if isinstance(instance, StoredFile):
        _ensure_not_brought(instance)
        hashes = list(instance.versions.values_list("sha256", flat=True))
    crud.delete(actor=actor, instance=instance)
    forget_bytes(hashes)


def _ensure_not_brought(file: StoredFile) -> None:
    for model in works():
        if bringing(model._default_manager.all(), file):
            raise Conflict(
                _("%(name)s cannot be deleted: %(kind)s still bring it to hosts.")
                % {"name": file, "kind": model._meta.verbose_name_plural},
                _("Change or delete those first."),
                code="still_needed",
            )
