"""What people do with checks: save, pause, ask now. Results are written by rounds, never here."""

from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.audit import Actor
from adminset.crud import services as crud
from adminset.crud.forms import ResourceForm
from monitor.checks import flips
from monitor.checks.calling import call_worker
from monitor.models import ServiceCheck, State
from monitor.watched_models import Watched


def save_check(*, actor: Actor, form: ResourceForm) -> models.Model:
    """Save a check; it is asked at once, and what is on its way for the old one is dropped."""
    check: ServiceCheck = form.instance
    if check._state.adding:
        if not check.enabled:
            check.state = State.PAUSED
        return crud.save(actor=actor, form=form)
    with transaction.atomic():
        saved = crud.save(actor=actor, form=form)
        if "enabled" in form.changed_data:
            _switch(check, timezone.now())
        elif check.enabled and form.changed_data:
            ServiceCheck.objects.filter(pk=check.pk).update(**_due(timezone.now()))
    return saved


def set_enabled(*, actor: Actor, watched: Watched, enabled: bool) -> None:
    """Pause a check or heartbeat, or go on with it; one that is so already stays as it is."""
    with transaction.atomic():
        rows = type(watched)._default_manager.filter(pk=watched.pk)
        if not rows.exclude(enabled=enabled).update(enabled=enabled):
            return
        watched.enabled = enabled
        _switch(watched, timezone.now())
        word = "resume" if enabled else "pause"
        change = {"field": "enabled", "old": not enabled, "new": enabled}
        verb = f"{watched._meta.model_name}.{word}"
        audit.record(actor, verb, watched, changes=[change])


def _switch(watched: Watched, now: datetime) -> None:
    """Move to paused, or from paused to unknown: what it was before says nothing any more."""
    is_check = isinstance(watched, ServiceCheck)
    if watched.enabled:
        further = _due(now) if is_check else {}
        new, words = State.UNKNOWN, _("It goes on.")
    else:
        further = (
            {"next_at": None, "claim": None} if is_check else {"alert_after": None}
        )
        new, words = State.PAUSED, _("It is paused.")
    flips.force(type(watched), watched.pk, new, sentence=words, at=now, **further)


def _due(now: datetime) -> dict[str, Any]:
    return {"next_at": now, "claim": None, "streak": 0}


def ask_now(*, actor: Actor, check: ServiceCheck) -> bool:
    """Have a check asked as soon as a worker comes to it; False where it is paused."""
    with transaction.atomic():
        rows = ServiceCheck.objects.filter(pk=check.pk, enabled=True)
        asked = rows.update(next_at=timezone.now(), claim=None)
        if asked:
            audit.record(actor, "servicecheck.ask", check)
            transaction.on_commit(lambda: call_worker(check.site))
    return bool(asked)
