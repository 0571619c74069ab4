"""From a request to a deploy that runs: approvals, windows, and one deploy at a time in an environment."""

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit, maintenance
from adminset.errors import DomainError
from delivery.engine.ending import begin_ending
from delivery.engine.handlers import words_of
from delivery.engine.judging import ensure_owner
from delivery.engine.making_way import make_way
from delivery.engine.moves import ENGINE, write
from delivery.models import Deploy, DeployRequest, LiveRelease, Pipeline
from delivery.planning.bound import ensure_unchanged
from delivery.safety import locks
from delivery.safety.approvals import standing
from delivery.safety.notices import tell_approvers
from delivery.safety.reach import ensure_goes_to
from delivery.safety.windows import bad_mark_words, closed_words, waits_for_window

Status = Deploy.Status
logger = logging.getLogger(__name__)


def look_at_votes(deploy: Deploy) -> bool:
    """Let a deploy go on once enough people said yes; end it where one said no, or where the time is over."""
    found = standing(deploy)
    if found.refused:
        begin_ending(deploy, Status.CANCELLED, None, found.words)
        return True
    if found.is_enough:
        write(deploy, status=Status.WAITING, waiting_for="")
        return True
    if deploy.approve_until and deploy.approve_until <= timezone.now():
        words = _("Nobody approved it in time.")
        begin_ending(deploy, Status.CANCELLED, None, words)
        return True
    return _waits(deploy, found.words)


def begin_deploy(deploy: Deploy) -> bool:
    """Begin a deploy, or say what it waits for."""
    if deploy.approvals_needed:
        found = standing(deploy)
        if not found.is_enough:
            return _ask_again(deploy, found.words)
    words = _stands_in_the_way(deploy)
    if words:
        return _waits(deploy, words)
    turned = _turned(deploy)
    if turned is not None:
        begin_ending(deploy, turned[0], None, turned[1])
        return True
    write(deploy, status=Status.RUNNING, waiting_for="", started_at=timezone.now())
    audit.record(ENGINE, "deploy.start", deploy, reason=deploy.reason)
    return True


def _ask_again(deploy: Deploy, words: str) -> bool:
    """Let people decide once more: who said yes might not say so any more."""
    minutes = deploy.pipeline.approval_minutes
    until = timezone.now() + timedelta(minutes=minutes) if minutes else None
    write(
        deploy, status=Status.WAITING_APPROVAL, approve_until=until, waiting_for=words
    )
    audit.record(ENGINE, "deploy.approval_lost", deploy, reason=words[:500])
    tell_approvers(ENGINE, deploy)
    return True


def _turned(deploy: Deploy) -> tuple[str, str] | None:
    """Say how a deploy ends whose turn has come and that does not begin, and why; None where it begins."""
    try:
        with transaction.atomic():
            ensure_owner(deploy)
            ensure_goes_to(deploy.pipeline, deploy.environment)
            ensure_unchanged(deploy)
    except DomainError as error:
        return Status.CANCELLED, words_of(error)
    except DatabaseError:
        raise
    except Exception as error:
        # One that can never begin must not hold up those behind it.
        logger.exception("deploy %s cannot begin", deploy.pk)
        return Status.FAILED, words_of(error)
    if bad := bad_mark_words(deploy):
        return Status.FAILED, bad
    if _is_nothing_new(deploy):
        why = _("Nothing new: %(commit)s is live already.")
        return Status.CANCELLED, why % {"commit": deploy.commit[:12]}
    return None


def _is_nothing_new(deploy: Deploy) -> bool:
    """Whether it was asked for only where there is something new, and others brought it meanwhile."""
    if not DeployRequest.objects.filter(deploy=deploy, only_new=True).exists():
        return False
    ids = deploy.hosts.values_list("host_id", flat=True)
    return is_everywhere(deploy.environment_id, deploy.commit, ids)


def is_everywhere(
    environment_id: int, commit: str, host_ids: Iterable[int | None]
) -> bool:
    """Say whether a commit is live on all of some hosts of an environment, as they said themselves."""
    wanted = set(host_ids)
    live = LiveRelease.objects.filter(
        environment=environment_id, artefact__commit=commit
    )
    there = {row.host_id for row in live if not row.has_drifted}
    return bool(commit and wanted) and wanted <= there


def _stands_in_the_way(deploy: Deploy) -> str:
    if maintenance.is_on():
        return _("The portal is in maintenance.")
    closed = waits_for_window(deploy)
    if closed:
        return closed
    first = _before_it(deploy)
    if first is not None:
        words = _("%(deploy)s of %(who)s was asked for before it.")
        return words % {"deploy": first, "who": first.requested_by_name}
    if not locks.seize(deploy):
        # What could not begin itself takes nothing away from others.
        may_begin = deploy.is_rollback and _turned(deploy) is None
        if may_begin and (words := make_way(deploy)):
            return words
        lock = locks.holder(deploy.environment)
        held = locks.words_of(lock) if lock else "?"
        return _("The environment is held by %(holder)s.") % {"holder": held}
    return ""


def _before_it(deploy: Deploy) -> Deploy | None:
    """Give the deploy whose turn comes first: one that waits for nothing but its turn; a rollback passes all of them."""
    if deploy.is_rollback:
        return None
    others = Deploy.objects.filter(
        environment=deploy.environment_id, status=Status.WAITING, pk__lt=deploy.pk
    ).order_by("pk")
    passes = ~Q(emergency_reason="") | Q(kind=Deploy.Kind.ROLLBACK)
    waiting = others.filter(passes | Q(pipeline__in=_open_pipelines(deploy, others)))
    related = ("pipeline__project", "environment")
    return waiting.defer("plan").select_related(*related).first()


def _open_pipelines(deploy: Deploy, others: QuerySet[Deploy]) -> list[Pipeline]:
    """Give the pipelines of some deploys whose windows are open: each is asked once, however many deploys wait."""
    named = others.order_by().values("pipeline")
    rows = Pipeline.objects.filter(pk__in=named).select_related("calendar", "freezes")
    return [row for row in rows if not closed_words(row, deploy.environment)]


def _waits(deploy: Deploy, words: str) -> bool:
    if deploy.waiting_for != words:
        write(deploy, waiting_for=words)
    return False
