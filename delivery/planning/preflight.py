"""The checks before a deploy, on request while one reads the plan: nothing is locked, nothing is changed on a host."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from adminset.errors import NotFound
from appconf.models import Environment
from appconf.vouching import ensure_may_deploy
from delivery.models import Artefact
from delivery.onhost import legs, told
from delivery.onhost.told import CheckResult
from delivery.planning.checking import base_context, check_context
from delivery.safety.subjects import CHECK, vouched
from tasks.legs.asking import request_leg, send_leg
from tasks.legs.reading import HostReport, reports
from tasks.models import Run


@transaction.atomic
def ask_checks(
    *, actor: Any, environment: Environment, plan: Mapping[str, Any], key: str
) -> Run:
    """Have the hosts of a plan checked as its deploy would do; the same key twice is the same look.

    Args:
        plan: as plain values, see planning/plan.py.

    Raises:
        Forbidden: the actor may not deploy there. NotFound: none of its hosts is delivered to any more.
    """
    ensure_may_deploy(actor, environment)
    wanted = [row["host_id"] for row in plan["rows"]]
    ids = tuple(sorted(set(wanted) & vouched(environment)))
    if not ids:
        raise NotFound(_("None of its hosts is delivered to any more."))
    artefacts = Artefact.objects.filter(project=environment.project)
    artefact = artefacts.filter(pk=plan.get("artefact_id") or 0).first()
    base = base_context(plan, environment, who=actor.username)
    leg = legs.check_leg(check_context(base, environment.project, artefact), ids)
    run = request_leg(
        actor=actor,
        leg=replace(leg, subject=f"{CHECK}{environment.pk}"),
        key=f"delivery.preflight.{key}",
    )
    send_leg(run)
    return run


def results(run: Run) -> dict[int, Sequence[CheckResult]]:
    """Give what was found on each host that answered, by the host's id; one that could not be asked is a check that failed."""
    found: dict[int, Sequence[CheckResult]] = {}
    for pk, report in reports(run).items():
        checks = told.checks(report)
        found[pk] = checks or [_unasked(report)]
    return found


def _unasked(report: HostReport) -> CheckResult:
    return CheckResult(
        "reach",
        report.is_open,
        _("The host answers"),
        report.explanation,
        _("Look at its address, its login and its host key."),
    )
