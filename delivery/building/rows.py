"""The row of a build while it is made: who has it, how far it is, what it prints, how it ends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import DomainError
from delivery.building.commands import BuildError
from delivery.building.log import BuildLog
from delivery.models import Artefact, Build, Deploy, DeployStep

Status = Build.Status
PORTAL = audit.SystemActor("delivery")
LONGEST = 1000


class Hands:
    """A build in the hands of one worker. What a worker writes whose build somebody else has by now does not count."""

    def __init__(self, build: Build, log: BuildLog) -> None:
        self.build, self.log = build, log

    def now(self, **values: Any) -> None:
        """Say how the build stands."""
        mine = Build.objects.filter(pk=self.build.pk, attempt=self.build.attempt)
        mine.filter(status=Status.RUNNING).update(**values)

    def say(self, words: str) -> None:
        """Write a line of the portal's into the output."""
        self.log.say(words)

    def ended_well(self, artefact: Artefact) -> None:
        """Close the row with what came of it."""
        self._end(Status.OK, artefact=artefact)

    def failed(self, error: Exception) -> None:
        """Close the row with why nothing came of it."""
        words = _("Something went wrong inside the portal; its log says what.")
        if isinstance(error, OSError):
            why = error.strerror or type(error).__name__
            words = _("The portal's disk: %(why)s.") % {"why": why}
        if isinstance(error, DomainError):
            words = error.sentence
        self.say(words)
        code = error.exit_code if isinstance(error, BuildError) else None
        self._end(Status.FAILED, explanation=words[:LONGEST], exit_code=code)

    def _end(self, status: str, **values: Any) -> None:
        size = self.log.close()
        self.now(status=status, ended_at=timezone.now(), log_size=size, **values)


@contextmanager
def building(step: DeployStep, look: Callable[[], None]) -> Iterator[Hands]:
    """Take the build of a step's deploy in hand, or make it.

    Args:
        look: raises when the step is not ours any more: then the build is somebody else's, or cancelled.
    """
    look()
    build = _taken(step)
    hands = Hands(build, BuildLog(build.pk))
    try:
        yield hands
    except Exception as error:
        if _is_ours(look):
            hands.failed(error)
        else:
            hands.log.close()
            close_cancelled(build)
        raise
    else:
        hands.log.close()


def _is_ours(look: Callable[[], None]) -> bool:
    try:
        look()
    except Exception:  # noqa: BLE001 - whatever it raises, it means no
        return False
    return True


@transaction.atomic
def _taken(step: DeployStep) -> Build:
    deploy = step.deploy
    found = Build.objects.filter(deploy=deploy, status__in=Build.OPEN).first()
    build = found or Build.objects.create(
        project=deploy.pipeline.project,
        pipeline=deploy.pipeline,
        deploy=deploy,
        ref_kind=deploy.ref_kind,
        ref=deploy.ref,
        commit=deploy.commit,
        requested_by=deploy.requested_by,
        started_at=timezone.now(),
    )
    rows = Build.objects.filter(pk=build.pk)
    rows.update(attempt=F("attempt") + 1, status=Status.RUNNING)
    DeployStep.objects.filter(pk=step.pk).update(build=build)
    return rows.get()


def close_cancelled(build: Build) -> None:
    """Close the row of a build whose deploy was cancelled."""
    asked = Deploy.objects.exclude(cancel_requested_at=None)
    if build.deploy_id and asked.filter(pk=build.deploy_id).exists():
        rows = Build.objects.filter(pk=build.pk, status__in=Build.OPEN)
        rows.update(status=Status.CANCELLED, ended_at=timezone.now())


def close_lost() -> int:
    """Close the rows of builds whose deploys have ended without them, because their workers died; give how many."""
    rows = Build.objects.filter(status__in=Build.OPEN)
    left = rows.exclude(deploy__status__in=Deploy.OPEN)
    words = _("Its worker was lost.")
    return left.update(status=Status.FAILED, ended_at=timezone.now(), explanation=words)
