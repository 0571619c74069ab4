"""Approves, retires and reinstates versions. Nobody approves the own version; a retired one runs nowhere."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import Conflict, Forbidden
from adminset.querysets import may, permission_for
from tasks.library.writing import kind_of, locked
from tasks.library_models import LibraryItem, Version
from tasks.services.vouching import carries_own

State = Version.State


def approve_version(*, actor: Any, version: Version, reason: str = "") -> Version:
    """Let a version that waits run.

    Raises:
        Forbidden: the actor may not approve such items, wrote the version, or is spoken for by a token.
        Conflict: it does not wait any more.
    """
    return _judge(
        version, "approve", (State.WAITING,), State.APPROVED, actor=actor, reason=reason
    )


def retire_version(*, actor: Any, version: Version, reason: str = "") -> Version:
    """Let a version run nowhere from now on: no launch, no schedule, no run that waits. One that waits is thereby refused.

    Raises:
        Forbidden: the actor may not approve such items.
        Conflict: it is retired already.
    """
    before = (State.WAITING, State.APPROVED)
    return _judge(version, "retire", before, State.RETIRED, actor=actor, reason=reason)


def reinstate_version(*, actor: Any, version: Version, reason: str = "") -> Version:
    """Let a retired version run again; where versions need approval that is one, so not by its author.

    Raises:
        Forbidden: the actor may not approve such items, wrote the version, or is spoken for by a token.
        Conflict: it is not retired.
    """
    return _judge(
        version,
        "reinstate",
        (State.RETIRED,),
        State.APPROVED,
        actor=actor,
        reason=reason,
    )


@transaction.atomic
@carries_own
def _judge(
    version: Version,
    verb: str,
    before: tuple[State, ...],
    after: State,
    *,
    actor: Any,
    reason: str,
) -> Version:
    item = locked(ensure_may_judge(actor, version))
    found = Version.objects.select_for_update().get(pk=version.pk)
    if found.state not in before:
        raise Conflict(
            _("%(version)s is %(state)s already.")
            % {"version": found, "state": found.get_state_display()},
            _("Look at it again: somebody else decided meanwhile."),
            code="conflict",
        )
    if after == State.APPROVED and item.needs_approval:
        _ensure_by_hand(actor)
        _ensure_not_own(actor, found)
    old = found.state
    found.state, found.judged_by_name = after, actor.audit_name[:150]
    found.save(update_fields=["state", "judged_by_name"])
    changes = [{"field": "state", "old": old, "new": str(after)}]
    audit.record(
        actor, f"{kind_of(found)}.{verb}", found, changes=changes, reason=reason
    )
    return found


def ensure_may_judge(actor: Any, version: Version) -> LibraryItem:
    """Give the version's item to who may approve items of its kind; else Forbidden."""
    item = version.item
    if item is None or not may(actor, "approve", item):
        needed = permission_for(type(item), "approve") if item else "tasks.view_version"
        raise Forbidden(
            _("You may not decide about versions of %(name)s.") % {"name": item},
            _("Ask for the permission %(permission)s.") % {"permission": needed},
            code="approve_refused",
        )
    return item


def _ensure_by_hand(actor: Any) -> None:
    """A token lies in the hands of programs, maybe of the author's: its word would be no second person's."""
    if getattr(actor, "token", None) is not None:
        raise Forbidden(
            _("A token approves nothing: that is a person's word."),
            _("Approve it in the portal."),
            code="token_approves_nothing",
        )


def _ensure_not_own(actor: Any, version: Version) -> None:
    if version.is_by(actor):
        raise Forbidden(
            _("Nobody approves an own version."),
            _("Ask somebody else who may approve it."),
            code="own_version",
        )


def may_judge(actor: Any, version: Version) -> list[str]:
    """List what the actor may do about a version: approve, retire, reinstate."""
    item = version.item
    if item is None or not may(actor, "approve", item):
        return []
    own = item.needs_approval and version.is_by(actor)
    offered = {
        State.WAITING: ["retire"] if own else ["approve", "retire"],
        State.APPROVED: ["retire"],
        State.RETIRED: [] if own else ["reinstate"],
    }
    return offered[State(version.state)]
