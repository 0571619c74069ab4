"""The switch of a batch: by what the hosts themselves say."""

from typing import Any

from delivery.engine import live
from delivery.engine.host_steps import answers, nobody, rows_of
from delivery.engine.legwork import heard, request
from delivery.engine.moves import OK, Outcome, bad_words, failed, keep, mark
from delivery.engine.standing_aside import is_left_out
from delivery.engine.switch_told import is_out, note, release_now, status_of
from delivery.models import DeployHost, DeployStep
from delivery.onhost import legs, told
from delivery.onhost.ended import was_begun, why
from tasks.legs.reading import HostReport

Host = DeployHost.Status


def _batch(step: DeployStep) -> list[DeployHost]:
    """Give the hosts of a step's batch that are not well yet."""
    rows = [row for row in rows_of(step) if not is_left_out(row)]
    if step.batch is not None:
        rows = [row for row in rows if row.batch == step.batch]
    return [row for row in rows if row.status != Host.OK]


def begin_activate(step: DeployStep) -> Outcome | None:
    """Switch the hosts of a batch; from here on each of them may have the new release, whatever becomes of the worker."""
    rows = _batch(step)
    make: Any = legs.activate_leg
    if step.deploy.is_rollback:

        def make(context: Any, ids: tuple[int, ...]) -> Any:
            return legs.switch_back_leg(context, ids, step.deploy.release)

    if not request(step, rows, make):
        return nobody(step)
    # An attempt before this one may have switched them: whatever comes of this one, that stays so.
    before = [row.pk for row in rows if row.touched]
    step.found = {**step.found, "touched": before}
    step.save(update_fields=["found"])
    for row in rows:
        mark(row, touched=True)
    keep(rows)
    return None


def judge_activate(step: DeployStep) -> Outcome | None:
    """Say how each host of the batch is; the first bad one stops the deploy."""
    said = heard(step)
    if said is None:
        return None
    rows = _batch(step)
    good = answers(rows, said)
    for row, well in good.items():
        mark(
            row,
            status=Host.OK,
            now_release=step.deploy.release,
            explanation="",
            touched=True,
            drained=is_out(row, well),
        )
    bad = {row: said.get(row.host_id or 0) for row in rows if row not in good}
    for row, report in bad.items():
        _went_wrong(step, row, report)
    keep(rows)
    live.note_live(step.deploy, dict.fromkeys(good, step.deploy.release))
    asked = {row: one for row, one in bad.items() if one or not step.run_id}
    note(step.deploy, asked)
    return failed(bad_words(list(bad))) if bad else OK


def _went_wrong(step: DeployStep, row: DeployHost, report: HostReport | None) -> None:
    """Keep what the host said of itself; where it said nothing it counts as switched until somebody has looked."""
    before = row.pk in step.found.get("touched", ())
    if report is None and step.run_id:
        # It was left out of the leg, and told why.
        mark(row, touched=before)
        return
    now = told.switched(report)
    may_be = was_begun(report) and now.switched is not False
    # Whatever it says of the switch: where the new release is live it has been made so.
    is_new = now.live == step.deploy.release != row.from_release
    is_drained = is_out(row, report)
    mark(
        row,
        status=status_of(report),
        touched=before or may_be or is_new or is_drained,
        now_release=release_now(row, report),
        drained=is_drained,
        explanation=why(report),
    )
