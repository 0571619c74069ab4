"""Steps that are a leg on hosts: asking for it, waiting for its end, reading what the hosts said."""

from collections.abc import Callable, Iterable

from django.utils.translation import gettext as _

from adminset.redaction import clean
from delivery.engine.context import context_of
from delivery.engine.judging import workable
from delivery.engine.moves import ENGINE
from delivery.models import DeployHost, DeployStep
from delivery.onhost.context import HostContext
from tasks.legs.asking import Leg, cancel_leg, request_leg, send_leg
from tasks.legs.reading import HostReport, reports
from tasks.models import Run, RunHost

Make = Callable[[HostContext, tuple[int, ...]], Leg]
LONGEST = 500


def request(
    step: DeployStep, rows: Iterable[DeployHost], make: Make, *, phase: str = ""
) -> bool:
    """Ask for a leg on the hosts of some rows; hosts that may not be worked on any more are told so.

    Returns:
        whether there is anything to wait for: False where no host is left.
    """
    deploy = step.deploy
    listed = [row for row in rows if row.host_id is not None]
    allowed = workable(deploy, [row.host_id for row in listed if row.host_id])
    _refuse([row for row in listed if row.host_id not in allowed])
    ids = tuple(row.host_id for row in listed if row.host_id in allowed)
    if not ids:
        return False
    actor = deploy.requested_by or ENGINE
    leg = make(context_of(deploy, step), ids)
    key = f"delivery.deploy.{deploy.pk}.{step.position}.{step.attempt}{phase}"
    run = request_leg(actor=actor, leg=leg, key=key)
    step.run, step.done, step.total = run, 0, run.host_count
    step.save(update_fields=["run", "done", "total"])
    send_leg(run)
    return True


def _refuse(rows: list[DeployHost]) -> None:
    words = _(
        "Nothing may be delivered here any more: it left the environment, nobody vouches for it, or who asked may not deploy there."
    )
    for row in rows:
        row.status, row.explanation = DeployHost.Status.FAILED, words
        row.save(update_fields=["status", "explanation"])


def heard(step: DeployStep) -> dict[int, HostReport] | None:
    """Give what the hosts of a step's run said, by host; None while it goes on."""
    run = step.run
    if run is None:
        # Somebody cleared it away: nobody knows, and so every host of it is unknown.
        return {}
    run.refresh_from_db()
    if run.is_open:
        _count(step, run)
        return None
    return reports(run)


def _count(step: DeployStep, run: Run) -> None:
    if run.done_count != step.done and step.kind != DeployStep.Kind.DISTRIBUTE:
        step.done = run.done_count
        step.save(update_fields=["done"])


def stop(step: DeployStep) -> bool:
    """Stop the run of a step; True once it has ended."""
    run = step.run
    if run is None:
        return True
    run.refresh_from_db()
    if run.is_open:
        actor = step.deploy.requested_by or ENGINE
        cancel_leg(actor=actor, run=run)
        run.refresh_from_db()
    return not run.is_open


def was_begun(report: HostReport | None) -> bool:
    """Whether anything of a leg may have been done on a host; also where nobody knows."""
    return report is None or report.started_at is not None


def is_ok(report: HostReport | None) -> bool:
    """Whether a leg ended well on a host."""
    return report is not None and report.status == RunHost.Status.OK


def is_away(report: HostReport | None) -> bool:
    """Whether a host could not be reached."""
    return report is None or report.status == RunHost.Status.UNREACHABLE


def why(report: HostReport | None) -> str:
    """Say why a leg did not end well on a host: in the host's words where it said any."""
    if report is None:
        return _("Nothing is known of it.")
    said = report.said.get("why", "")
    words = said or report.explanation or report.status
    return clean(" ".join(words.split()))[:LONGEST]
