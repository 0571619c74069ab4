"""Looking what came of a switch, and taking it back: hosts have what they had, and are in the balancer again."""

from typing import Any

from django.utils.translation import gettext as _

from delivery.engine import live
from delivery.engine.host_steps import answers, rows_of, spoil
from delivery.engine.legwork import heard, request
from delivery.engine.moves import OK, Outcome, bad_words, failed, keep, mark, write
from delivery.engine.switch_told import is_out, note, release_now, spoke, status_of
from delivery.models import DeployHost, DeployStep
from delivery.onhost import legs, told
from delivery.onhost.ended import is_ok, why
from tasks.legs.reading import HostReport

Host = DeployHost.Status


def _touched(step: DeployStep) -> list[DeployHost]:
    return [row for row in rows_of(step) if row.touched]


def begin_look(step: DeployStep) -> Outcome | None:
    """Ask the hosts that may have been switched what is live on them now."""
    return None if request(step, _touched(step), legs.read_leg) else OK


def judge_look(step: DeployStep) -> Outcome | None:
    """Keep what is live: who has what he had, and is in the balancer, needs nothing more."""
    said = heard(step)
    if said is None:
        return None
    rows = _touched(step)
    states = {row: told.state(one) for row, one in answers(rows, said).items()}
    for row, state in states.items():
        same = row.has_said and state.live == row.from_release
        mark(
            row,
            now_release=state.live,
            drained=state.drained,
            touched=not same or (state.drained and _brings_in(step)),
        )
        if same:
            mark(row, explanation=_past(row.explanation, step.deploy.release))
        if same and row.status in (Host.OK, Host.SWITCHED):
            mark(row, status=Host.LEFT)
    keep(list(states))
    live.note_now(step.deploy, {row: one.live for row, one in states.items()})
    away = [row for row in rows if row not in states]
    live.note_silent(
        step.deploy, {row: why(said.get(row.host_id or 0)) for row in away}
    )
    return spoil(away, said)


def _to_take_back(step: DeployStep) -> list[DeployHost]:
    """Give the hosts that go back: to what they had, or, where the link stays, only into the balancer again."""
    deploy = step.deploy
    rows = [row for row in _touched(step) if row.from_release]
    if not _brings_in(step):
        rows = [row for row in rows if not _is_only_out(row)]
    if deploy.is_rollback or not deploy.way["auto_rollback"]:
        return [row for row in rows if _is_only_out(row)]
    return rows


def _brings_in(step: DeployStep) -> bool:
    """Whether a way back takes hosts into a balancer: without one it would restart them for nothing, and leave them out."""
    return bool(step.deploy.way["drain"] or step.deploy.way["back"])


def _is_only_out(row: DeployHost) -> bool:
    """Whether a host has what it had, and is only out of the balancer."""
    return row.drained and row.now_release == row.from_release


def begin_switch_back(step: DeployStep) -> Outcome | None:
    """Take back exactly what was switched, to what each host had; that also takes a host into the balancer again."""
    if not step.deploy.is_rollback and step.deploy.way["auto_rollback"]:
        words = _("Nothing was live here before: there is nothing to go back to.")
        new = [row for row in _touched(step) if row.has_said and not row.from_release]
        for row in new:
            mark(row, explanation=f"{row.explanation} {words}".strip())
        keep(new)
    rows = _to_take_back(step)
    before = {row.host_id: row.from_release for row in rows}

    def make(context: Any, ids: tuple[int, ...]) -> Any:
        return legs.switch_back_leg(context, ids, {pk: before[pk] for pk in ids})

    if request(step, rows, make):
        return None
    return Outcome(DeployStep.Status.SKIPPED)


def judge_switch_back(step: DeployStep) -> Outcome | None:
    """Say which hosts have what they had, and which need somebody who looks."""
    said = heard(step)
    if said is None:
        return None
    rows = _to_take_back(step)
    back = [row for row in rows if _is_back(row, said.get(row.host_id or 0))]
    bad = {row: said.get(row.host_id or 0) for row in rows if row not in back}
    for row in back:
        _went_back(row, said[row.host_id or 0])
    for row, report in bad.items():
        words = _("It could not be taken back: %(why)s") % {"why": why(report)}
        mark(
            row,
            status=status_of(report),
            now_release=release_now(row, report),
            drained=is_out(row, report),
            explanation=words,
        )
    keep(rows)
    live.note_live(step.deploy, {row: row.from_release for row in back})
    note(step.deploy, bad)
    if bad:
        return failed(bad_words(list(bad)))
    write(step.deploy, explanation=_past(step.deploy.explanation, step.deploy.release))
    return OK


def _is_back(row: DeployHost, report: HostReport | None) -> bool:
    """Whether a host has what it had; one that was only out of the balancer need not have passed all gates to be in it again."""
    if report is None or not spoke(report):
        return False
    if told.live_of(report.said) != row.from_release:
        return False
    return not is_out(row, report) if _is_only_out(row) else is_ok(report)


def _went_back(row: DeployHost, report: HostReport) -> None:
    """Say what is true of a host now, and what it said before as something of the past."""
    was_switched = not _is_only_out(row)
    words = (
        _("It was taken back: release %(release)s is live.")
        if was_switched
        else _("It is in the balancer again: release %(release)s is live.")
    )
    now = words % {"release": row.from_release}
    before = _past(row.explanation, row.deploy.release)
    quoted = _("Before that: %(why)s") % {"why": before} if before else ""
    mark(
        row,
        status=Host.ROLLED_BACK if was_switched else Host.LEFT,
        touched=False,
        drained=is_out(row, report),
        now_release=row.from_release,
        explanation=f"{now} {quoted}".strip(),
    )


def _past(words: str, release: str) -> str:
    """Take out of what a host said that the release is live there: it is not any more."""
    sentence = f"Release {release} is live here."
    return " ".join(words.replace(sentence, "").split())
