"""Writes versions: each save of another content makes a new one that never changes; the same content makes none."""

from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import Conflict
from tasks.library.contents import Commit, Content
from tasks.library_models import LibraryItem, Playbook, Version
from tasks.models import Run
from tasks.services.vouching import carries_own

Item = TypeVar("Item", bound=LibraryItem)
NOTE_LENGTH = 250
NO_COMMIT = Commit()


@transaction.atomic
@carries_own
def add_version(
    *,
    actor: Any,
    item: LibraryItem,
    content: Content,
    note: str = "",
    commit: Commit = NO_COMMIT,
) -> Version | None:
    """Keep a content as an item's newest version, if it is another than the newest has.

    Args:
        actor: its author. note: what was changed, in the author's words. commit: of the git repository that it came from.

    Returns:
        The version, None where nothing changed.
    """
    held = locked(item)
    versions = held.versions  # type: ignore[attr-defined]
    newest = versions.order_by("-number").first()
    if newest is not None and newest.sha256 == content.sha256:
        return None
    state = Version.State.WAITING if held.needs_approval else Version.State.APPROVED
    version: Version = versions.create(
        number=(versions.aggregate(most=Max("number"))["most"] or 0) + 1,
        text=content.text,
        files=content.files,
        sha256=content.sha256,
        size=content.size,
        commit=commit.key,
        commit_people=list(commit.people),
        note=note[:NOTE_LENGTH],
        state=state,
        author=actor,
        author_name=actor.audit_name[:150],
    )
    _show_newest(item, content)
    _record(actor, version)
    return version


def locked(item: Item) -> Item:
    """Hold an item until the transaction ends, so that two versions never get one number; gives it as it is stored.

    Raises:
        Conflict: somebody deleted it.
    """
    rows = type(item)._default_manager.select_for_update()
    found = rows.filter(pk=item.pk).first()
    if found is None:
        raise Conflict(
            _("%(name)s was deleted meanwhile.") % {"name": item}, code="gone"
        )
    return found  # type: ignore[return-value]


def _show_newest(item: LibraryItem, content: Content) -> None:
    """Keep the newest text in the playbook itself, and say when the item changed last."""
    if isinstance(item, Playbook):
        item.content = content.text
        item.save(update_fields=["content", "updated_at"])
    else:
        item.save(update_fields=["updated_at"])


def _record(actor: Any, version: Version) -> None:
    told = {
        "number": version.number,
        "sha256": version.sha256,
        "size": version.size,
        "state": version.state,
        "commit": version.commit,
    }
    changes = [
        {"field": name, "old": None, "new": value}
        for name, value in told.items()
        if value not in ("", None)
    ]
    verb = f"{kind_of(version)}.version"
    audit.record(actor, verb, version, changes=changes, reason=version.note)


def kind_of(version: Version) -> str:
    """Name the model of a version's item: script, playbook, role, storedfile."""
    return str(version.item._meta.model_name) if version.item else "version"


def ensure_idle(item: LibraryItem) -> None:
    """Let pass an item that no open run was asked for.

    Raises:
        Conflict: one waits or goes on.
    """
    keys = item.versions.values("pk")  # type: ignore[attr-defined]
    run = Run.objects.open().filter(version__in=keys).first()
    if run is not None:
        raise Conflict(
            _("%(name)s is needed by the run %(run)s.") % {"name": item, "run": run},
            _("Wait until the run has ended, or stop it."),
            code="still_needed",
        )
