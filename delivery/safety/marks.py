"""Bad releases: an artefact that nobody delivers any more, and to which nobody goes back by chance; hosts that keep it are told."""

import logging
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import Conflict, DomainError, Forbidden
from adminset.querysets import may
from appconf.models import Environment
from delivery.models import Artefact, LiveRelease
from delivery.onhost import legs
from delivery.onhost.context import of_environment
from delivery.safety.subjects import MARK, vouched
from tasks.legs.asking import request_leg, send_leg

logger = logging.getLogger(__name__)


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
    _tell_hosts(actor, artefact, reason, new=new)


def _tell_hosts(actor: Any, artefact: Artefact, reason: str, *, new: bool) -> None:
    """Have the mark written on the hosts that keep the release: they refuse it then, whoever wants it, and do not count it."""
    for environment, ids in _keepers(artefact).items():
        try:
            with transaction.atomic():
                _ask(actor, environment, ids, artefact, reason, new=new)
        except DomainError as error:
            # The mark counts at the portal all the same.
            logger.warning(
                "%s: no host could be told of a mark: %s", environment, error
            )


def _keepers(artefact: Artefact) -> dict[Environment, tuple[int, ...]]:
    """Give environment -> hosts of it that keep the release of an artefact, as far as anything may be done on them."""
    release = artefact.release
    rows = LiveRelease.objects.filter(environment__project=artefact.project_id)
    found: dict[Environment, set[int]] = {}
    for row in rows.select_related("environment__project"):
        if any(one.get("release") == release for one in row.kept):
            found.setdefault(row.environment, set()).add(row.host_id)
    judged = {
        place: tuple(sorted(ids & vouched(place))) for place, ids in found.items()
    }
    return {place: ids for place, ids in judged.items() if ids}


def _ask(
    actor: Any,
    environment: Environment,
    ids: tuple[int, ...],
    artefact: Artefact,
    reason: str,
    *,
    new: bool,
) -> None:
    who, release = actor.username, artefact.release
    context = of_environment(environment, who=who, reason=reason, release=release)
    leg = legs.mark_leg(context, ids, bad=new)
    moment = timezone.now().isoformat()
    run = request_leg(
        actor=actor,
        leg=replace(leg, subject=f"{MARK}{environment.pk}"),
        key=f"delivery.mark.{environment.pk}.{artefact.pk}.{moment}",
    )
    send_leg(run)
