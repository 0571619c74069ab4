"""How a deploy ends: what is still to be done when it went wrong, and the truth in its status and sentence."""

import logging
from collections import Counter
from collections.abc import Callable

from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from adminset import audit
from adminset.listeners import tell_later
from adminset.names import listed
from adminset.redaction import clean
from delivery.engine.moves import ENGINE, LONGEST, skip_waiting, write
from delivery.engine.standing_aside import aside_words
from delivery.engine.steps import add_steps
from delivery.models import Deploy, DeployHost, DeployStep
from delivery.safety.locks import free

Status = Deploy.Status
Host = DeployHost.Status
Kind = DeployStep.Kind
# What is told of each deploy that has ended, by its id, once that is written; rooms and triggers add theirs in ready().
after_end: list[Callable[[int], None]] = []
logger = logging.getLogger(__name__)


def cancel_words(deploy: Deploy) -> str:
    """Say who stopped a deploy."""
    return _("Cancelled by %(who)s.") % {"who": deploy.cancelled_by_name}


def begin_ending(
    deploy: Deploy, ending: str, step: DeployStep | None, words: str
) -> None:
    """Turn a deploy around: nothing new begins, what was switched is looked at and goes back, the hosts are unlocked.

    Args:
        ending: "failed" or "cancelled".
        step: where it went wrong; None where it never began.
    """
    name = f"{step.words}: " if step is not None and ending == Status.FAILED else ""
    skip_waiting(deploy)
    write(
        deploy,
        ending=ending,
        status=Status.RUNNING if deploy.started_at else deploy.status,
        explanation=clean(f"{name}{words}")[:LONGEST],
        waiting_for="",
    )
    add_steps(deploy, _mending(deploy, step))
    if deploy.started_at is None:
        end_deploy(deploy)


def _mending(deploy: Deploy, step: DeployStep | None) -> list[str]:
    if not _claimed(deploy):
        return []
    # Until it is begun the hosts may still go back; the database knows, for what failed to begin was taken back there only.
    begun = deploy.steps.filter(kind=Kind.FINISH, started_at__isnull=False)
    live = step is not None and step.kind == Kind.FINISH and begun.exists()
    if live or not deploy.hosts.filter(touched=True).exists():
        return [Kind.UNLOCK]
    return [Kind.LOOK, Kind.SWITCH_BACK, Kind.UNLOCK]


def _claimed(deploy: Deploy) -> bool:
    """Whether a host may hold the lock of this deploy."""
    claims = deploy.steps.filter(kind=Kind.CLAIM, started_at__isnull=False)
    return claims.exists()


def end_deploy(deploy: Deploy) -> None:
    """Give a deploy its end, unless hosts that it left half done are to be mended first."""
    if _left_half_done(deploy):
        words = _bad_words(deploy)
        return begin_ending(deploy, Status.FAILED, None, words)
    _settle_hosts(deploy)
    status = _verdict(deploy)
    before = deploy.status
    words = " ".join(filter(None, (deploy.explanation, _last_words(deploy))))
    write(
        deploy,
        status=status,
        explanation=clean(words)[:LONGEST],
        waiting_for="",
        ended_at=timezone.now(),
    )
    free(deploy)
    changes: list[audit.Change] = [
        {"field": "status", "old": before, "new": status},
        {"field": "release", "old": None, "new": deploy.release},
        {"field": "hosts", "old": None, "new": dict(_counts(deploy))},
    ]
    audit.record(ENGINE, "deploy.finish", deploy, changes=changes)
    tell_later(after_end, deploy.pk)
    return None


def _left_half_done(deploy: Deploy) -> bool:
    """Whether somebody let it go on past hosts that did not end well."""
    if deploy.ending or deploy.started_at is None:
        return False
    return deploy.hosts.exclude(status=Host.OK).exists()


def _bad_words(deploy: Deploy) -> str:
    if deploy.is_rollback:
        # Those that went are well; the end names the others.
        return _("Not all hosts went back.")
    bad = deploy.hosts.exclude(status=Host.OK)
    names = list(bad.values_list("host_name", flat=True))
    return _("Not well on %(hosts)s.") % {"hosts": listed(names)}


def _settle_hosts(deploy: Deploy) -> None:
    """Say of hosts that nothing was done to that they have what they had."""
    untouched = deploy.hosts.filter(
        touched=False, status__in=(Host.WAITING, Host.RECEIVED)
    )
    untouched.update(status=Host.LEFT)


def _verdict(deploy: Deploy) -> str:
    if deploy.ending == Status.CANCELLED:
        return Status.CANCELLED
    if not deploy.ending:
        return Status.OK
    hosts = deploy.hosts.all()
    back = hosts.filter(status=Host.ROLLED_BACK).exists()
    new = hosts.filter(touched=True).exists() or hosts.filter(status=Host.OK).exists()
    return Status.ROLLED_BACK if back and not new else Status.FAILED


def _counts(deploy: Deploy) -> Counter[str]:
    return Counter(deploy.hosts.values_list("status", flat=True))


def _last_words(deploy: Deploy) -> str:
    """Say how the hosts stand; an error of ours in these words must not keep a deploy open, and its locks."""
    try:
        with transaction.atomic():
            return _hosts_words(deploy)
    except DatabaseError:
        raise
    except Exception:
        logger.exception("deploy %s: no words for how its hosts stand", deploy.pk)
        return ""


def _hosts_words(deploy: Deploy) -> str:
    """Say how the hosts stand, and by name which of them have something that nobody wanted."""
    if deploy.started_at is None:
        return ""
    counts = _counts(deploy)
    told = [
        f"{counts[status.value]} {status.label}" for status in Host if counts[status]
    ]
    total = sum(counts.values())
    hosts = ngettext("%(count)s host", "%(count)s hosts", total) % {"count": total}
    more = (_stuck_words(deploy), *aside_words(deploy))
    return " ".join(filter(None, (f"{hosts}: {', '.join(told)}.", *more)))


def _stuck_words(deploy: Deploy) -> str:
    if not deploy.ending:
        return ""
    stuck = deploy.hosts.filter(touched=True).exclude(status=Host.OK)
    names = [
        f"{row.host_name} ({row.now_release or '?'})" for row in stuck.order_by("pk")
    ]
    if not names:
        return ""
    words = _("Not taken back, look there: %(hosts)s.")
    return words % {"hosts": listed(names)}
