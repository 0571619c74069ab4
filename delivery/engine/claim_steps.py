"""The lock on the hosts: taken before anything is done, given back at the end. What mends leaves out whom it cannot lock, and goes on."""

from typing import Any

from django.utils.translation import gettext as _

from adminset.names import listed
from delivery.engine import live
from delivery.engine.host_steps import Reports, answers, nobody, rows_of, spoil
from delivery.engine.legwork import heard, request
from delivery.engine.moves import OK, Outcome, bad_words, failed, keep, mark
from delivery.engine.standing_aside import is_left_out
from delivery.models import DeployHost, DeployStep
from delivery.onhost import legs, told
from delivery.onhost.ended import is_away, is_ok, was_begun, why
from delivery.planning import way_back
from delivery.planning.targets import known_live
from delivery.safety.host_locks import left_behind
from tasks.legs.reading import report_of
from tasks.models import RunHost

Host = DeployHost.Status


def _taken_along(step: DeployStep) -> list[DeployHost]:
    return [row for row in rows_of(step) if not is_left_out(row)]


def begin_claim(step: DeployStep) -> Outcome | None:
    """Take the lock of the hosts."""
    if step.deploy.is_rollback:
        _leave_out(step)
    rows = _taken_along(step)
    return None if request(step, rows, legs.claim_leg) else nobody(step)


def _leave_out(step: DeployStep) -> None:
    """Leave the hosts out that cannot go back to the release: those beside them need not wait for that."""
    deploy, rows = step.deploy, rows_of(step)
    reasons = way_back.reasons_against(
        deploy.environment,
        deploy.artefact,
        [row.host_id for row in rows if row.host_id],
        known_live(deploy.environment),
    )
    out = [row for row in rows if row.host_id in reasons]
    for row in out:
        why = way_back.words_here(reasons[row.host_id or 0], deploy.release)
        mark(row, status=Host.FAILED, explanation=why)
    keep(out)


def judge_claim(step: DeployStep) -> Outcome | None:
    """Go on where the hosts are ours; a lock that an ended deploy left behind is taken away, once."""
    said = heard(step)
    if said is None:
        return None
    rows = _taken_along(step)
    phase = step.found.get("phase", "")
    if phase == "break":
        return _phase(step, "again", rows, legs.claim_leg)
    stale = {} if phase else left_behind(step.deploy.environment, said)
    if stale:
        mine = [row for row in rows if row.host_id in stale]

        def break_locks(context: Any, ids: tuple[int, ...]) -> Any:
            # Hosts may have left the environment meanwhile.
            return legs.unlock_leg(context, ids, of={pk: stale[pk] for pk in ids})

        return _phase(step, "break", mine, break_locks)
    if step.deploy.is_rollback:
        return _claimed(step, rows, said)
    return spoil(rows, said)


def _claimed(step: DeployStep, rows: list[DeployHost], said: Reports) -> Outcome:
    """Go back with the hosts that are ours; one that is away does not keep the others on a bad release."""
    # Taking the lock says what is live, too.
    found = {row: told.live_of(one.said) for row, one in answers(rows, said).items()}
    for row, release in found.items():
        mark(row, from_release=release, now_release=release, has_said=True)
    keep(list(found))
    live.note_now(step.deploy, found)
    spoil(rows, said)
    out = [row for row in rows_of(step) if is_left_out(row)]
    if not found:
        return failed(bad_words(out))
    if not out:
        return OK
    words = _("It goes on without %(hosts)s") % {"hosts": bad_words(out)}
    return Outcome(DeployStep.Status.OK, words)


def _phase(step: DeployStep, name: str, rows: Any, make: Any) -> Outcome | None:
    step.found = {**step.found, "phase": name}
    step.save(update_fields=["found"])
    if request(step, rows, make, phase=f".{name}"):
        return None
    if name == "break":
        # None of those is left: they do not keep the others.
        return _phase(step, "again", _taken_along(step), legs.claim_leg)
    return nobody(step)


def begin_unlock(step: DeployStep) -> Outcome | None:
    """Give the lock of the hosts back."""
    return None if request(step, _may_be_locked(step), legs.unlock_leg) else OK


def _may_be_locked(step: DeployStep, *, spoke: bool = False) -> list[DeployHost]:
    """Give the hosts on which this deploy may hold the lock: taking it was begun there, whatever became of them since.

    Args:
        spoke: not those that could not be reached and said nothing: where the lock is taken the host says so first.
    """
    rows = RunHost.objects.filter(
        run__purpose="delivery.claim", run__subject=f"delivery.deploy:{step.deploy_id}"
    )
    claims = [report_of(row) for row in rows.exclude(host=None)]
    if not claims:
        asked = step.deploy.steps.filter(kind=DeployStep.Kind.CLAIM, total__gt=0)
        # Where hosts were asked, what they said was cleared away meanwhile: nobody knows.
        return rows_of(step) if asked.exists() else []
    begun = [one for one in claims if was_begun(one)]
    if spoke:
        begun = [one for one in begun if one.said or not is_away(one)]
    ids = {one.host_id for one in begun}
    return [row for row in rows_of(step) if row.host_id in ids]


def judge_unlock(step: DeployStep) -> Outcome | None:
    """Say where a lock stays: the next deploy takes it away."""
    said = heard(step)
    if said is None:
        return None
    rows = _may_be_locked(step, spoke=True)
    bad = [row for row in rows if _stays_locked(step, row, said)]
    if not bad:
        return OK
    words = _(
        "Its lock stays on %(hosts)s; the next deploy takes it away. %(host)s: %(why)s"
    )
    names, first = listed([row.host_name for row in bad]), bad[0]
    reason = why(said.get(first.host_id or 0))
    return failed(words % {"hosts": names, "host": first.host_name, "why": reason})


def _stays_locked(step: DeployStep, row: DeployHost, said: Reports) -> bool:
    """Whether the lock of this deploy may still be on a host; that of somebody else is none of its business."""
    report = said.get(row.host_id or 0)
    lock = told.lock(report)
    of_others = lock is not None and lock.deploy != str(step.deploy_id)
    return not is_ok(report) and not of_others
