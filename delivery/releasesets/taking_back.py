"""A release run that has ended is taken back by people: by the same way, in the same order, as when a part of it fails."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.limits import ensure_whole_user
from adminset import audit
from adminset.errors import Conflict, DomainError, Forbidden
from appconf.vouching import ensure_may_deploy
from delivery.models import ReleaseSet, SetPart, SetRun
from delivery.releasesets.calls import call
from delivery.releasesets.going_back import turn
from delivery.releasesets.since import Stay, stay_of
from delivery.releasesets.starting import ensure_alone
from delivery.safety.rights import holds_on

RELATED = (
    "pipeline__project",
    "environment__project",
    "request__deploy__artefact",
    "before",
)
# Of what was said before; the rest is for who took it back and why.
KEPT_WORDS = 1200


@dataclass(frozen=True)
class BackStep:
    """What a way back would do with one part; `stay` says why it is not switched."""

    part: SetPart
    stay: Stay | None

    @property
    def now(self) -> str:
        """The release that the set brought."""
        request = self.part.request
        return request.deploy.release if request and request.deploy else ""

    @property
    def to(self) -> str:
        """The release that its hosts get."""
        return "" if self.stay or not self.part.before else self.part.before.release


def steps_back(run: SetRun) -> list[BackStep]:
    """Give the parts of which something is out, in the order in which they go back: the last one first."""
    rows = run.parts.select_related(*RELATED).defer("request__deploy__plan")
    out = [part for part in rows.order_by("-position") if part.is_out]
    return [BackStep(part, stay_of(part)) for part in out]


@transaction.atomic
def take_back(*, actor: Any, run: SetRun, reason: str) -> SetRun:
    """Take back what an ended release run delivered, the last part first, in the name of the actor; twice is once.

    Raises:
        Forbidden: the actor may not deploy to one of the environments, or a token with limits asks. Conflict: it has not
            ended, nothing of it is out, somebody delivered there since (code "newer"), or another release run goes
            through one of the environments, or of the same set (code "goes_on"). DomainError: no reason is given.
    """
    held = _held(run)
    ensure_may_take_back(actor, held)
    if not reason.strip():
        words = _("Say why: it stands in the history.")
        raise DomainError(words, fields={"reason": words})
    if held.state == SetRun.State.GOING_BACK:
        return held
    _ensure_ended(held)
    ensure_alone([part.environment_id for part in held.parts.all()])
    _ensure_newest(held)
    steps = steps_back(held)
    ensure_can(held, steps)
    _turn(actor, held, steps, reason.strip()[:500])
    call(held.pk)
    return held


def _held(run: SetRun) -> SetRun:
    """Hold the set before its run, as a start holds it before the environments: else both would wait for each other."""
    ReleaseSet.objects.select_for_update().filter(pk=run.release_set_id or 0).first()
    return SetRun.objects.select_for_update().get(pk=run.pk)


def ensure_may_take_back(actor: Any, run: SetRun) -> None:
    """Let pass who may deploy wherever the set went: the deploys are made later, with all rights of the actor.

    Raises:
        Forbidden: says what the actor may not.
    """
    words = _("A token with limits may not take back a set of releases.")
    ensure_whole_user(actor, words)
    for part in run.parts.select_related("environment__project"):
        ensure_may_deploy(actor, part.environment)
        if not holds_on(actor, "delivery.add_deploy", part.environment):
            raise Forbidden(_("You may not start deploys of this project."))


def ensure_can(run: SetRun, steps: list[BackStep]) -> None:
    """Let pass a release run that can be taken back as it stands now.

    Args:
        steps: those of steps_back.

    Raises:
        Conflict: says what stands in the way.
    """
    _ensure_ended(run)
    for step in steps:
        if step.stay is not None and step.stay.newer:
            words = _("%(part)s is not the newest any more: %(why)s")
            hint = _("Whoever delivers there decides what becomes of it.")
            told = {"part": step.part, "why": step.stay.words}
            raise Conflict(words % told, hint, code="newer")
    if not any(step.to for step in steps):
        why = " ".join(f"{each.part}: {each.stay.words}" for each in steps if each.stay)
        raise Conflict(_("Nothing of it can be taken back."), why, code="nothing_out")


def _ensure_ended(run: SetRun) -> None:
    if run.is_open:
        words = _("It is still running.")
        raise Conflict(words, _("Stop it: that takes it back, too."), code="goes_on")


def _ensure_newest(run: SetRun) -> None:
    """Want no other run of the set that goes on, wherever that leads by now."""
    rows = SetRun.objects.filter(release_set=run.release_set_id, state__in=SetRun.OPEN)
    other = rows.first() if run.release_set_id else None
    if other is not None:
        words = _("%(run)s of %(who)s is still running.")
        told = {"run": other, "who": other.requested_by_name}
        raise Conflict(words % told, _("Wait until it has ended."), code="goes_on")


def _turn(actor: Any, held: SetRun, steps: list[BackStep], reason: str) -> None:
    changes: list[audit.Change] = [
        {"field": str(step.part), "old": step.now, "new": step.to} for step in steps
    ]
    audit.record(actor, "releaseset.take_back", held, changes=changes, reason=reason)
    for step in steps:
        step.part.to_take_back, step.part.words = True, ""
        step.part.save(update_fields=["to_take_back", "words"])
    held.taken_back_by, held.take_backs = actor, held.take_backs + 1
    held.ended_at = None
    held.save(update_fields=["taken_back_by", "take_backs", "ended_at"])
    words = _("%(who)s had it taken back: %(reason)s.")
    told = words % {"who": actor.username, "reason": reason}
    turn(held, [], f"{held.explanation[:KEPT_WORDS]} {told}".strip())
