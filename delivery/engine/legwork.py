"""Steps that are a leg on hosts: asking for it, waiting for its end, reading what the hosts said."""

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.translation import gettext as _

from delivery.engine.context import context_of
from delivery.engine.judging import workable
from delivery.engine.moves import ENGINE, keep, mark
from delivery.models import DeployHost, DeployStep
from delivery.onhost.context import HostContext
from tasks.legs.asking import Leg, cancel_leg, request_leg, send_leg
from tasks.legs.reading import HostReport, reports
from tasks.models import Run

Make = Callable[[HostContext, tuple[int, ...]], Leg]


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
    actor = _asker(step)
    leg = make(context_of(deploy, step), ids)
    key = f"delivery.deploy.{deploy.pk}.{step.position}.{step.attempt}{phase}"
    run = request_leg(actor=actor, leg=leg, key=key)
    step.run, step.done, step.total = run, 0, run.host_count
    step.save(update_fields=["run", "done", "total"])
    send_leg(run)
    return True


def _asker(step: DeployStep) -> Any:
    """Give in whose name a leg runs; the last step only tidies, it needs nobody who may still sign in."""
    owner = step.deploy.requested_by
    is_last = step.kind == DeployStep.Kind.FINISH
    if owner is None or (is_last and not owner.may_sign_in):
        return ENGINE
    return owner


def _refuse(rows: list[DeployHost]) -> None:
    words = _(
        "Nothing may be delivered here any more: it left the environment, nobody with the right to run work added it, or who asked may not deploy there."
    )
    for row in rows:
        mark(row, status=DeployHost.Status.FAILED, explanation=words)
    keep(rows)


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
