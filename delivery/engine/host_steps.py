"""Steps before and after the switch: checks, the lock on the hosts, what is live there, the release's way to them, finishing."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from delivery.engine import live
from delivery.engine.legwork import heard, is_away, is_ok, request, why
from delivery.engine.moves import OK, Outcome, failed, listed
from delivery.models import Deploy, DeployHost, DeployStep
from delivery.onhost import legs, told
from tasks.legs.reading import HostReport

Host = DeployHost.Status
Reports = Mapping[int, HostReport]
BAD_CHECKS = 10


def rows_of(step: DeployStep) -> list[DeployHost]:
    """Give all hosts of a step's deploy."""
    return list(step.deploy.hosts.select_related("host"))


def mark(row: DeployHost, **values: Any) -> None:
    """Write fields of a host's row."""
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))


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
    return failed(bad_words(bad)) if bad else OK


def bad_words(rows: list[DeployHost]) -> str:
    """Name hosts on which something went wrong, and what it was on the first of them."""
    names = listed([row.host_name for row in rows])
    return f"{names}: {rows[0].explanation}"


def begin_check(step: DeployStep) -> Outcome | None:
    """Look whether everything on the hosts is as it must be, before anything is done."""
    return None if request(step, rows_of(step), legs.check_leg) else _nobody(step)


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
    stale = _stale(step.deploy, said)
    bad = [row for row in rows if _wrong(row, stale)]
    for row in bad:
        wrong = _wrong(row, stale)[:BAD_CHECKS]
        mark(row, status=Host.FAILED, explanation=_check_words(wrong))
    return failed(bad_words(bad)) if bad else outcome


def _wrong(row: DeployHost, stale: Mapping[int, str]) -> list[dict[str, Any]]:
    """Give the checks that are not well; a lock that nobody holds any more is taken away later."""
    bad = [one for one in row.checks if not one["ok"]]
    return [one for one in bad if one["id"] != "lock" or row.host_id not in stale]


def _check_words(wrong: list[dict[str, Any]]) -> str:
    return " ".join(f"{one['title']}: {one['why']} {one['mend']}" for one in wrong)


def begin_claim(step: DeployStep) -> Outcome | None:
    """Take the lock of the hosts."""
    return None if request(step, rows_of(step), legs.claim_leg) else _nobody(step)


def judge_claim(step: DeployStep) -> Outcome | None:
    """Go on where all hosts are ours; a lock that an ended deploy left behind is taken away, once."""
    said = heard(step)
    if said is None:
        return None
    rows = rows_of(step)
    phase = step.found.get("phase", "")
    if phase == "break":
        return _phase(step, "again", rows, legs.claim_leg)
    stale = {} if phase else _stale(step.deploy, said)
    if stale:
        mine = [row for row in rows if row.host_id in stale]

        def break_locks(context: Any, ids: tuple[int, ...]) -> Any:
            return legs.unlock_leg(context, ids, of=stale)

        return _phase(step, "break", mine, break_locks)
    if step.deploy.is_rollback:
        _keep_live(step, rows, said)
    return spoil(rows, said)


def _keep_live(step: DeployStep, rows: list[DeployHost], said: Reports) -> None:
    """Keep what was live before a rollback: taking the lock says it."""
    for row in rows:
        report = said.get(row.host_id or 0)
        if is_ok(report) and report is not None:
            release = told.live_of(report.said)
            mark(row, from_release=release, now_release=release, has_said=True)
            live.note_now(step.deploy, row, release)


def _phase(step: DeployStep, name: str, rows: Any, make: Any) -> Outcome | None:
    step.found = {**step.found, "phase": name}
    step.save(update_fields=["found"])
    return None if request(step, rows, make, phase=f".{name}") else _nobody(step)


def _stale(deploy: Deploy, said: Reports) -> dict[int, str]:
    """Give host -> deploy where the lock is that of a deploy to this environment that has ended: nobody else will take it away."""
    locks = {pk: told.lock(report) for pk, report in said.items()}
    held = {pk: lock.deploy for pk, lock in locks.items() if lock is not None}
    numbers = {int(one) for one in held.values() if one.isdecimal()}
    ended = deploy.environment.deploys.filter(pk__in=numbers).exclude(
        status__in=Deploy.OPEN
    )
    known = {str(pk) for pk in ended.values_list("pk", flat=True)}
    return {pk: one for pk, one in held.items() if one in known}


def begin_read(step: DeployStep) -> Outcome | None:
    """Ask the hosts what is live on them."""
    return None if request(step, rows_of(step), legs.read_leg) else _nobody(step)


def judge_read(step: DeployStep) -> Outcome | None:
    """Keep what the hosts said: it is what they go back to."""
    said = heard(step)
    if said is None:
        return None
    rows = rows_of(step)
    for row in rows:
        report = said.get(row.host_id or 0)
        if is_ok(report) and report is not None:
            state = told.state(report)
            mark(
                row,
                from_release=state.live,
                now_release=state.live,
                to_release=step.deploy.release,
                has_said=True,
            )
            live.note_said(step.deploy, row, state)
    return spoil(rows, said)


def begin_command(step: DeployStep) -> Outcome | None:
    """Run the command of a stage on the hosts."""

    def make(context: Any, ids: tuple[int, ...]) -> Any:
        command = step.options.get("command", "")
        return legs.command_leg(context, ids, command, step.title or "command")

    return None if request(step, rows_of(step), make) else _nobody(step)


def judge_command(step: DeployStep) -> Outcome | None:
    """Go on where it ended well on all hosts."""
    said = heard(step)
    return None if said is None else spoil(rows_of(step), said)


def begin_finish(step: DeployStep) -> Outcome | None:
    """Mark the release as good, clear old ones away and unlock, on hosts that are well."""
    rows = [row for row in rows_of(step) if row.status == Host.OK]
    return None if request(step, rows, legs.finish_leg) else OK


def judge_finish(step: DeployStep) -> Outcome | None:
    """What is finished stays, whatever comes; the release is live and well also where finishing went wrong."""
    said = heard(step)
    if said is None:
        return None
    bad = []
    for row in step.deploy.hosts.filter(status=Host.OK):
        report = said.get(row.host_id or 0)
        if is_ok(report) and report is not None:
            live.note_finished(step.deploy, row, report)
            mark(row, touched=False)
        else:
            mark(row, explanation=why(report))
            bad.append(row)
    words = _("The release is live and well, but could not be finished on %(hosts)s")
    return failed(words % {"hosts": bad_words(bad)}) if bad else OK


def begin_unlock(step: DeployStep) -> Outcome | None:
    """Give the lock of the hosts back."""
    return None if request(step, rows_of(step), legs.unlock_leg) else OK


def judge_unlock(step: DeployStep) -> Outcome | None:
    """Say where a lock stays: the next deploy takes it away."""
    said = heard(step)
    if said is None:
        return None
    bad = [row for row in rows_of(step) if _stays_locked(step, row, said)]
    if not bad:
        return OK
    words = _("Its lock stays on %(hosts)s; the next deploy takes it away.")
    names = listed([row.host_name for row in bad])
    return failed(words % {"hosts": names})


def _stays_locked(step: DeployStep, row: DeployHost, said: Reports) -> bool:
    """Whether the lock of this deploy may still be on a host; that of somebody else is none of its business."""
    report = said.get(row.host_id or 0)
    lock = told.lock(report)
    of_others = lock is not None and lock.deploy != str(step.deploy_id)
    return not is_ok(report) and not of_others


def _nobody(step: DeployStep) -> Outcome:
    return failed(_("There is no host on which it may work."))
