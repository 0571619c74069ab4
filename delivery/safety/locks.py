"""The lock of an environment: one deploy, or one person, has it in hand; everybody sees who, why and since when."""

from collections.abc import Callable, Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import Conflict, DomainError, Forbidden
from adminset.listeners import tell_later
from adminset.querysets import may
from appconf.models import Environment
from appconf.vouching import ensure_may_deploy
from delivery.models import ConfigPush, Deploy, DeployLock
from delivery.safety.rights import holds_on

# What is told when an environment was set free, by its id, after the commit.
after_free: list[Callable[[int], None]] = []


def holder(environment: Environment) -> DeployLock | None:
    """Give who holds an environment; None where it is free."""
    held = DeployLock.objects.filter(environment=environment)
    return held.select_related("deploy").defer("deploy__plan").first()


def words_of(lock: DeployLock) -> str:
    """Say who holds an environment, since when, and why."""
    what = _("deploy #%(number)s of %(who)s") if lock.deploy_id else "%(who)s"
    words = _("%(holder)s since %(since)s: %(reason)s")
    return words % {
        "holder": what % {"number": lock.deploy_id, "who": lock.owner_name},
        "since": date_format(localtime(lock.taken_at), "Y-m-d H:i"),
        "reason": lock.reason or _("no reason given"),
    }


def ensure_free(environment: Environment) -> None:
    """Raise Conflict, with who holds it, where an environment is locked."""
    lock = holder(environment)
    if lock is not None:
        message = _("%(environment)s is locked by %(holder)s.")
        raise Conflict(
            message % {"environment": environment, "holder": words_of(lock)},
            _("Wait until it is free, or break the lock if its holder is gone."),
            code="locked",
        )


def create(
    environment: Environment,
    *,
    owner: Any,
    owner_name: str,
    reason: str,
    deploy: Deploy | None = None,
) -> DeployLock | None:
    """Take an environment for a deploy, a push or a person; None where somebody else was quicker.

    Args:
        owner: the user; None where that is nobody any more.
    """
    try:
        with transaction.atomic():
            return DeployLock.objects.create(
                environment=environment,
                deploy=deploy,
                owner=owner,
                owner_name=owner_name,
                reason=reason,
            )
    except IntegrityError:
        return None


def set_free(environment_id: int) -> None:
    """Tell whoever waits for an environment, once this transaction is written, that nobody holds it any more."""
    tell_later(after_free, environment_id)


def seize(deploy: Deploy) -> bool:
    """Take the environment for a deploy; False where somebody else has it. Twice by the same deploy is once."""
    held = holder(deploy.environment)
    if held is not None:
        return held.deploy_id == deploy.pk
    made = create(
        deploy.environment,
        deploy=deploy,
        owner=deploy.requested_by,
        owner_name=deploy.requested_by_name,
        reason=deploy.reason or str(deploy.get_kind_display()),
    )
    return made is not None


def free(deploy: Deploy) -> None:
    """Let go of what a deploy holds."""
    DeployLock.objects.filter(deploy=deploy).delete()


@transaction.atomic
def take_lock(*, actor: Any, environment: Environment, reason: str) -> DeployLock:
    """Lock an environment by hand, so that nothing is deployed there.

    Raises:
        Forbidden: the actor may not deploy there. Conflict (code "locked"): somebody holds it. DomainError: no reason.
    """
    ensure_may_deploy(actor, environment)
    if not holds_on(actor, "delivery.add_deploylock", environment):
        raise Forbidden(_("You may not lock environments of this project."))
    if not reason.strip():
        words = _("Say why: others will read it.")
        raise DomainError(words, fields={"reason": words})
    ensure_free(environment)
    lock = create(
        environment,
        owner=actor,
        owner_name=actor.username,
        reason=reason.strip()[:500],
    )
    if lock is None:
        ensure_free(environment)
        raise Conflict(_("The environment is locked."), code="locked")
    audit.record(actor, "deploylock.take", environment, reason=reason)
    return lock


def pushes_of(locks: Iterable[DeployLock]) -> dict[int, ConfigPush]:
    """Give the pushes of configuration that go on and hold some of the locks, by the lock's id."""
    rows = ConfigPush.objects.filter(status=ConfigPush.Status.RUNNING)
    held = rows.filter(lock__in=[lock.pk for lock in locks])
    # Its name says where it goes.
    listed = held.select_related("environment__project")
    return {push.lock_id: push for push in listed if push.lock_id}


def _ensure_no_push(lock: DeployLock) -> None:
    push = pushes_of([lock]).get(lock.pk)
    if push is not None:
        raise Conflict(
            _("%(push)s is still running and holds it.") % {"push": push},
            _("Cancel the push: it lets go of the lock."),
            code="push_open",
        )


@transaction.atomic
def release_lock(*, actor: Any, lock: DeployLock) -> None:
    """Give back a lock that the actor took by hand.

    Raises:
        Forbidden: it is somebody else's, or a deploy's: that is broken, and on record.
        Conflict (code "push_open"): a push of configuration that goes on holds it.
    """
    if lock.deploy_id or lock.owner_id != actor.pk:
        raise Forbidden(
            _("This lock is not yours: %(holder)s.") % {"holder": words_of(lock)},
            _("Whoever may break locks can take it away."),
        )
    _ensure_no_push(lock)
    _drop(actor, lock, "deploylock.release", "")


@transaction.atomic
def break_lock(*, actor: Any, lock: DeployLock, reason: str) -> None:
    """Take away a lock of somebody else; never that of a deploy or push that goes on: such one is cancelled.

    Raises:
        Forbidden: the actor may not break locks there. Conflict: a deploy or push that goes on holds it. DomainError: no reason.
    """
    if not may(actor, "break", lock):
        raise Forbidden(_("You may not break locks of this environment."))
    if not reason.strip():
        words = _("Say why: others will read it.")
        raise DomainError(words, fields={"reason": words})
    if lock.deploy is not None and lock.deploy.is_open:
        raise Conflict(
            _("%(deploy)s is still running and holds it.") % {"deploy": lock.deploy},
            _("Cancel the deploy: it takes back what it did and lets go of the lock."),
            code="deploy_open",
        )
    _ensure_no_push(lock)
    _drop(actor, lock, "deploylock.break", reason)


def _drop(actor: Any, lock: DeployLock, verb: str, reason: str) -> None:
    environment, told = lock.environment, words_of(lock)
    lock.delete()
    changes: list[audit.Change] = [{"field": "lock", "old": told, "new": None}]
    audit.record(actor, verb, environment, changes=changes, reason=reason)
    set_free(environment.pk)
