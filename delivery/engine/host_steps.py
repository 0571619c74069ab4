"""Steps before and after the switch: checks, what is live on the hosts, commands, finishing."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from adminset.names import listed
from delivery.engine import live
from delivery.engine.legwork import heard, request
from delivery.engine.moves import OK, Outcome, bad_words, failed, keep, mark
from delivery.engine.pausing import ONLY
from delivery.engine.steps import ONE
from delivery.models import DeployHost, DeployStep
from delivery.onhost import legs, told
from delivery.onhost.ended import is_away, is_ok, why
from delivery.safety.host_locks import left_behind
from tasks.legs.reading import HostReport

Host = DeployHost.Status
Reports = Mapping[int, HostReport]
BAD_CHECKS = 10


def rows_of(step: DeployStep) -> list[DeployHost]:
    """Give all hosts of a step's deploy."""
    return list(step.deploy.hosts.select_related("host"))


def answers(rows: list[DeployHost], said: Reports) -> dict[DeployHost, HostReport]:
    """Give what hosts said on which a leg ended well."""
    found = {row: said.get(row.host_id or 0) for row in rows}
    return {row: one for row, one in found.items() if one is not None and is_ok(one)}


def spoil(rows: list[DeployHost], said: Reports) -> Outcome:
    """Mark the hosts on which a leg did not end well, and say so; OK where there is none."""
    bad = [row for row in rows if not is_ok(said.get(row.host_id or 0))]
    for row in bad:
        report = said.get(row.host_id or 0)
        if report is None and row.status == Host.FAILED:
            # It was left out of the leg, and told why.
            continue
        status = Host.UNREACHABLE if is_away(report) else Host.FAILED
        mark(row, status=status, explanation=why(report))
    keep(bad)
    return failed(bad_words(bad)) if bad else OK


def begin_check(step: DeployStep) -> Outcome | None:
    """Look whether everything on the hosts is as it must be, before anything is done."""
    return None if request(step, rows_of(step), legs.check_leg) else nobody(step)


def judge_check(step: DeployStep) -> Outcome | None:
    """Keep what was found on each host; one check that is not well stops the deploy."""
    said = heard(step)
    if said is None:
        return None
    rows = rows_of(step)
    for row in rows:
        found = told.checks(said.get(row.host_id or 0))
        mark(row, checks=[one.as_json() for one in found])
    outcome = spoil(rows, said)
    stale = left_behind(step.deploy.environment, said)
    bad = [row for row in rows if _wrong(row, stale)]
    for row in bad:
        wrong = _wrong(row, stale)[:BAD_CHECKS]
        mark(row, status=Host.FAILED, explanation=_check_words(wrong))
    keep(rows)
    return failed(bad_words(bad)) if bad else outcome


def _wrong(row: DeployHost, stale: Mapping[int, str]) -> list[dict[str, Any]]:
    """Give the checks that are not well; a lock that nobody holds any more is taken away later."""
    bad = [one for one in row.checks if not one["ok"]]
    return [one for one in bad if one["id"] != "lock" or row.host_id not in stale]


def _check_words(wrong: list[dict[str, Any]]) -> str:
    return " ".join(f"{one['title']}: {one['why']} {one['mend']}" for one in wrong)


def begin_read(step: DeployStep) -> Outcome | None:
    """Ask the hosts what is live on them."""
    return None if request(step, rows_of(step), legs.read_leg) else nobody(step)


def judge_read(step: DeployStep) -> Outcome | None:
    """Keep what the hosts said: it is what they go back to."""
    said = heard(step)
    if said is None:
        return None
    rows = rows_of(step)
    states = {row: told.state(report) for row, report in answers(rows, said).items()}
    for row, state in states.items():
        mark(
            row,
            from_release=state.live,
            now_release=state.live,
            to_release=step.deploy.release,
            has_said=True,
            drained=state.drained,
        )
    keep(list(states))
    live.note_said(step.deploy, states)
    return spoil(rows, said)


def begin_command(step: DeployStep) -> Outcome | None:
    """Run the command of a stage on the hosts."""

    def make(context: Any, ids: tuple[int, ...]) -> Any:
        command = step.options.get("command", "")
        return legs.command_leg(context, ids, command, step.title or "command")

    rows = _hosts_of_command(step)
    if request(step, rows, make):
        return None
    return _gone(rows) if ONE in step.options else nobody(step)


def _hosts_of_command(step: DeployStep) -> list[DeployHost]:
    """Give all hosts, or the one that the plan named; of a retry of the failed ones only those."""
    rows, one, only = rows_of(step), step.options.get(ONE), step.options.get(ONLY)
    if one is not None:
        # Also a retry is for this one: another host would do once more what this one may have done.
        return [row for row in rows if row.pk == one]
    return [row for row in rows if only is None or row.pk in only]


def _gone(rows: list[DeployHost]) -> Outcome:
    """Say that the only host on which a command runs is none of the environment any more."""
    words = _(
        "It runs on %(host)s only, and nothing may be delivered there any more. Make a new plan: it names another host."
    )
    told = words % {"host": listed([row.host_name for row in rows]) or "-"}
    why = [row.explanation for row in rows if row.status == Host.FAILED]
    return failed(" ".join((told, *why)))


def judge_command(step: DeployStep) -> Outcome | None:
    """Go on where it ended well on all hosts on which it ran."""
    said = heard(step)
    return None if said is None else spoil(_hosts_of_command(step), said)


def begin_finish(step: DeployStep) -> Outcome | None:
    """Mark the release as good, clear old ones away and unlock, on hosts that are well."""
    rows = [row for row in rows_of(step) if row.status == Host.OK]
    return None if request(step, rows, legs.finish_leg) else OK


def judge_finish(step: DeployStep) -> Outcome | None:
    """What is finished stays, whatever comes; the release is live and well also where finishing went wrong."""
    said = heard(step)
    if said is None:
        return None
    rows = [row for row in rows_of(step) if row.status == Host.OK]
    done = answers(rows, said)
    for row in done:
        mark(row, touched=False)
    bad = [row for row in rows if row not in done]
    for row in bad:
        mark(row, explanation=why(said.get(row.host_id or 0)))
    keep(rows)
    live.note_finished(step.deploy, done)
    words = _("The release is live and well, but could not be finished on %(hosts)s")
    return failed(words % {"hosts": bad_words(bad)}) if bad else OK


def nobody(step: DeployStep) -> Outcome:
    """Say that a step has no host; why, where the hosts were told."""
    bad = [row for row in rows_of(step) if row.status == Host.FAILED]
    words = _("There is no host on which it may work.")
    return failed(f"{words} {bad_words(bad)}" if bad else words)
