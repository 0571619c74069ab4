"""Triggers in people's hands: whoever saves one, or turns it on, is the one as whom it delivers."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from adminset import audit
from adminset.crud import services as crud
from adminset.errors import DomainError
from delivery.trigger_models import DeploySchedule, FollowUp, Trigger
from delivery.triggers import circles
from delivery.triggers.vouching import (
    ensure_could_deliver,
    ensure_whole,
    vouch,
)

BY_ITSELF = audit.SystemActor("delivery triggers")


@transaction.atomic
def save_trigger(*, actor: Any, form: Any) -> Any:
    """Save a trigger's form; nobody can make others deliver things.

    Raises:
        Forbidden: a token with limits asks, or the actor could not begin this deploy now. Conflict: a follow-up closes a
            circle with one that somebody else saved meanwhile.
    """
    row = form.instance
    if isinstance(row, FollowUp):
        circles.alone()
        circles.ensure_no_circle(row)
    changed = row._state.adding or form.has_changed()
    if changed:
        ensure_whole(actor)
        row.run_as, row.notice = actor, ""
    saved: Any = crud.save(actor=actor, form=form)
    if changed:
        ensure_could_deliver(actor, saved)
        vouch(saved)
        _plan(saved)
    return saved


@transaction.atomic
def switch_trigger(
    *, actor: Any, row: Trigger, enabled: bool, reason: str = ""
) -> None:
    """Turn a trigger on or off; who turns it on is the one as whom it delivers, and has looked at what it needs.

    Raises:
        Forbidden: as save_trigger, to turn it on.
    """
    if row.enabled == enabled:
        return
    if enabled:
        ensure_whole(actor)
        ensure_could_deliver(actor, row)
    before = audit.snapshot(row)
    row.enabled, row.notice = enabled, "" if enabled else reason[:500]
    if enabled:
        row.run_as = actor
    row.save(update_fields=["enabled", "notice", "run_as", "updated_at"])
    changes = audit.changed(before, audit.snapshot(row))
    verb = f"{row._meta.model_name}.update"
    audit.record(actor, verb, row, changes=changes, reason=reason)
    if enabled:
        vouch(row)
    _plan(row)


def turned_off(*, actor: Any, row: Trigger, error: DomainError) -> str:
    """Turn off a trigger that would be refused each time, until somebody looks at it; give the words on its page."""
    words = (_("Turned off: %(why)s") % {"why": error.sentence})[:500]
    switch_trigger(actor=actor, row=row, enabled=False, reason=words)
    return words


def _plan(row: Trigger) -> None:
    """Keep the next planned time of a schedule; what was planned for before now is none of its times."""
    if not isinstance(row, DeploySchedule):
        return
    row.plan_next()
    kept = {"next_at": row.next_at, "looked_at": row.looked_at}
    DeploySchedule.objects.filter(pk=row.pk).update(**kept)
