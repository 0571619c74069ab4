"""The switch of a batch, looking what came of it, and taking it back: by what the hosts themselves say."""

from typing import Any

from django.utils.translation import gettext as _

from delivery.engine import live
from delivery.engine.host_steps import bad_words, mark, rows_of, spoil
from delivery.engine.legwork import heard, is_away, is_ok, request, was_begun, why
from delivery.engine.moves import OK, Outcome, failed
from delivery.models import DeployHost, DeployStep
from delivery.onhost import legs
from delivery.onhost.told import live_of, switched
from tasks.legs.reading import HostReport

Host = DeployHost.Status


def _batch(step: DeployStep) -> list[DeployHost]:
    """Give the hosts of a step's batch that are not well yet."""
    rows = rows_of(step)
    if step.batch is not None:
        rows = [row for row in rows if row.batch == step.batch]
    return [row for row in rows if row.status != Host.OK]


def begin_activate(step: DeployStep) -> Outcome | None:
    """Switch the hosts of a batch; from here on each of them may have the new release, whatever becomes of the worker."""
    rows = _batch(step)
    DeployHost.objects.filter(pk__in=[row.pk for row in rows]).update(touched=True)
    make: Any = legs.activate_leg
    if step.deploy.is_rollback:

        def make(context: Any, ids: tuple[int, ...]) -> Any:
            return legs.switch_back_leg(context, ids, step.deploy.release)

    return (
        None
        if request(step, rows, make)
        else failed(_("There is no host on which it may work."))
    )


def judge_activate(step: DeployStep) -> Outcome | None:
    """Say how each host of the batch is; the first bad one stops the deploy."""
    said = heard(step)
    if said is None:
        return None
    rows, bad = _batch(step), []
    for row in rows:
        report = said.get(row.host_id or 0)
        if is_ok(report):
            _became_live(step, row)
        else:
            _went_wrong(step, row, report)
            bad.append(row)
    return failed(bad_words(bad)) if bad else OK


def _became_live(step: DeployStep, row: DeployHost) -> None:
    release = step.deploy.release
    mark(row, status=Host.OK, now_release=release, explanation="", touched=True)
    live.note_live(step.deploy, row, release)


def _went_wrong(step: DeployStep, row: DeployHost, report: HostReport | None) -> None:
    """Keep what the host said of itself; where it said nothing it counts as switched until somebody has looked."""
    if report is None and step.run_id:
        # It was left out of the leg, and told why.
        mark(row, touched=False)
        return
    told = switched(report)
    status = Host.UNREACHABLE if is_away(report) else Host.FAILED
    mark(
        row,
        status=status,
        touched=was_begun(report) and told.switched is not False,
        now_release=told.live or row.now_release,
        explanation=why(report),
    )


def _touched(step: DeployStep) -> list[DeployHost]:
    return [row for row in rows_of(step) if row.touched]


def begin_look(step: DeployStep) -> Outcome | None:
    """Ask the hosts that may have been switched what is live on them now."""
    return None if request(step, _touched(step), legs.read_leg) else OK


def judge_look(step: DeployStep) -> Outcome | None:
    """Keep what is live: who has what he had needs nothing more."""
    said = heard(step)
    if said is None:
        return None
    rows = _touched(step)
    for row in rows:
        report = said.get(row.host_id or 0)
        if not is_ok(report) or report is None:
            continue
        now = live_of(report.said)
        same = row.has_said and now == row.from_release
        mark(row, now_release=now, touched=not same)
        if same and row.status in (Host.OK, Host.SWITCHED):
            mark(row, status=Host.LEFT)
        live.note_now(step.deploy, row, now)
    away = [row for row in rows if not is_ok(said.get(row.host_id or 0))]
    return spoil(away, said)


def begin_switch_back(step: DeployStep) -> Outcome | None:
    """Take back exactly what was switched, to what each host had."""
    rows = [row for row in _touched(step) if row.from_release]
    for row in _touched(step):
        if row.has_said and not row.from_release:
            words = _("Nothing was live here before: there is nothing to go back to.")
            mark(row, explanation=f"{row.explanation} {words}".strip())
    before = {row.host_id: row.from_release for row in rows}

    def make(context: Any, ids: tuple[int, ...]) -> Any:
        return legs.switch_back_leg(context, ids, {pk: before[pk] for pk in ids})

    return None if request(step, rows, make) else OK


def judge_switch_back(step: DeployStep) -> Outcome | None:
    """Say which hosts have what they had, and which need somebody who looks."""
    said = heard(step)
    if said is None:
        return None
    bad = []
    for row in [row for row in _touched(step) if row.from_release]:
        report = said.get(row.host_id or 0)
        heard_now = switched(report).live
        now = heard_now or row.now_release
        if is_ok(report) and now == row.from_release:
            mark(row, status=Host.ROLLED_BACK, touched=False, now_release=now)
            live.note_live(step.deploy, row, now)
            continue
        words = _("It could not be taken back: %(why)s") % {"why": why(report)}
        status = Host.UNREACHABLE if is_away(report) else Host.FAILED
        mark(row, status=status, now_release=now, explanation=words)
        if heard_now:
            # A host that said nothing is not said to run what it had.
            live.note_now(step.deploy, row, heard_now)
        bad.append(row)
    return failed(bad_words(bad)) if bad else OK
