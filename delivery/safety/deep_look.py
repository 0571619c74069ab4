"""Comparing all files of what is live with what was delivered: on request, for it reads each file of each host."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from adminset import audit
from appconf.models import Environment
from appconf.vouching import ensure_may_deploy
from delivery.models import LiveRelease
from delivery.onhost import legs, told
from delivery.onhost.context import of_environment
from delivery.onhost.ended import is_ok, why
from delivery.safety.subjects import DEEP, last_ended, number_in, vouched
from delivery.safety.telling import LONGEST_PROBLEM
from tasks.legs.asking import request_leg, send_leg
from tasks.legs.reading import HostReport, reports
from tasks.models import Run

READER = audit.SystemActor("drift")
# The fields of a row that a comparison fills.
COMPARED = ("compared", "compared_at", "changed", "changed_files", "compare_problem")
logger = logging.getLogger(__name__)


@transaction.atomic
def ask(*, actor: Any, environment: Environment) -> Run:
    """Have the hosts of an environment compare the files of their live release; nothing is changed there.

    Raises:
        Forbidden: the actor may not deploy there. DomainError: its deploy path is none, or none of its hosts is delivered to.
    """
    ensure_may_deploy(actor, environment)
    rows = LiveRelease.objects.filter(environment=environment)
    known = set(rows.values_list("host_id", flat=True))
    context = of_environment(environment, who=actor.username)
    leg = legs.look_leg(context, tuple(sorted(known & vouched(environment))))
    subject = f"{DEEP}{environment.pk}"
    # Whoever presses twice asks once; when it has ended, they are asked anew.
    run = request_leg(
        actor=actor,
        leg=replace(leg, subject=subject),
        key=f"delivery.compare.{environment.pk}.{last_ended(subject)}",
    )
    audit.record(actor, "liverelease.compare", environment)
    send_leg(run)
    return run


def note(run: Run) -> None:
    """Keep what the hosts found; tell the trail of changes that were not known before."""
    found = reports(run)
    number = number_in(run.subject, DEEP)
    rows = LiveRelease.objects.filter(environment=number, host__in=list(found))
    for pk in rows.order_by("pk").values_list("pk", flat=True):
        try:
            _note(pk, found)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            # What one host says does not hold up what the others say.
            logger.exception("run %s: live release %s cannot be noted", run.pk, pk)


@transaction.atomic
def _note(pk: int, found: Mapping[int, HostReport]) -> None:
    locked = LiveRelease.objects.select_for_update(of=("self",))
    rows = locked.select_related("environment__project", "host")
    row = rows.filter(pk=pk).first()
    if row is None:
        return
    report = found[row.host_id]
    if not is_ok(report):
        row.compare_problem = why(report)[:LONGEST_PROBLEM]
        row.save(update_fields=["compare_problem"])
        return
    before, drift = row.changed_words, told.drift(report)
    row.compared, row.compared_at = drift.live[:200], timezone.now()
    row.changed = drift.changed if drift.whole else None
    row.changed_files, row.compare_problem = drift.files, ""
    row.save(update_fields=[*COMPARED])
    if row.changed_words and row.changed_words != before:
        _tell(row)


def _tell(row: LiveRelease) -> None:
    changes: list[audit.Change] = [{"field": "files", "old": None, "new": row.changed}]
    audit.record(
        READER,
        "liverelease.drift",
        row.environment,
        changes=changes,
        reason=row.changed_words,
    )
