"""From a wish to a deploy that runs: approvals, windows, and one deploy at a time in an environment."""

from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit, maintenance
from adminset.errors import DomainError
from delivery.engine.ending import begin_ending
from delivery.engine.judging import ensure_owner
from delivery.engine.moves import ENGINE, write
from delivery.models import Deploy
from delivery.planning.bound import ensure_unchanged
from delivery.safety import locks
from delivery.safety.approvals import standing
from delivery.safety.windows import waits_for_window

Status = Deploy.Status


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
    words = _stands_in_the_way(deploy)
    if words:
        return _waits(deploy, words)
    try:
        ensure_owner(deploy)
        ensure_unchanged(deploy)
    except DomainError as error:
        why = f"{error.message} {error.hint}".strip()
        begin_ending(deploy, Status.CANCELLED, None, why)
        return True
    if (
        deploy.artefact is not None
        and deploy.artefact.bad
        and not deploy.emergency_reason
    ):
        why = _("The release was marked bad: %(why)s")
        begin_ending(
            deploy, Status.FAILED, None, why % {"why": deploy.artefact.bad_reason}
        )
        return True
    write(deploy, status=Status.RUNNING, waiting_for="", started_at=timezone.now())
    audit.record(ENGINE, "deploy.start", deploy, reason=deploy.reason)
    return True


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
    )
    for other in others.select_related("pipeline__project", "environment").order_by(
        "pk"
    ):
        if not waits_for_window(other):
            return other
    return None


def _waits(deploy: Deploy, words: str) -> bool:
    if deploy.waiting_for != words:
        write(deploy, waiting_for=words)
    return False
