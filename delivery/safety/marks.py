"""Bad releases: an artefact that nobody delivers any more, and to which nobody goes back by chance."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import Conflict, DomainError, Forbidden
from adminset.querysets import may
from delivery.models import Artefact


@transaction.atomic
def mark_bad(*, actor: Any, artefact: Artefact, reason: str) -> None:
    """Mark an artefact as bad: plans with it cannot be asked for, and a rollback passes it over.

    Raises:
        Forbidden: the actor may not. Conflict: it is marked. DomainError: no reason.
    """
    _ensure(actor, artefact)
    if not reason.strip():
        words = _("Say why: others will read it.")
        raise DomainError(words, fields={"reason": words})
    rows = Artefact.objects.filter(pk=artefact.pk, bad=False)
    changed = rows.update(
        bad=True,
        bad_by=actor,
        bad_reason=reason.strip()[:500],
        bad_at=timezone.now(),
    )
    _tell(actor, artefact, changed, reason, new=True)


@transaction.atomic
def unmark_bad(*, actor: Any, artefact: Artefact, reason: str = "") -> None:
    """Take the mark away.

    Raises:
        Forbidden: the actor may not. Conflict: it is not marked.
    """
    _ensure(actor, artefact)
    rows = Artefact.objects.filter(pk=artefact.pk, bad=True)
    changed = rows.update(bad=False, bad_by=None, bad_reason="", bad_at=None)
    _tell(actor, artefact, changed, reason, new=False)


def _ensure(actor: Any, artefact: Artefact) -> None:
    if not may(actor, "change", artefact):
        raise Forbidden(_("You may not mark artefacts of this project."))


def _tell(
    actor: Any, artefact: Artefact, changed: int, reason: str, *, new: bool
) -> None:
    if not changed:
        words = _("It is marked as bad.") if new else _("It is not marked as bad.")
        raise Conflict(words, code="marked")
    artefact.refresh_from_db()
    changes: list[audit.Change] = [{"field": "bad", "old": not new, "new": new}]
    verb = "artefact.mark_bad" if new else "artefact.unmark_bad"
    audit.record(actor, verb, artefact, changes=changes, reason=reason)
