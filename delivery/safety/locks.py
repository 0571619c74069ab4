"""The lock of an environment: one deploy, or one person, has it in hand; everybody sees who, why and since when."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import Conflict, DomainError, Forbidden
from adminset.querysets import may
from appconf.models import Environment
from appconf.vouching import ensure_may_deploy
from delivery.models import Deploy, DeployLock
from delivery.safety.rights import holds_on


def holder(environment: Environment) -> DeployLock | None:
    """Give who holds an environment; None where it is free."""
    held = DeployLock.objects.filter(environment=environment)
    return held.select_related("deploy").first()


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


def seize(deploy: Deploy) -> bool:
    """Take the environment for a deploy; False where somebody else has it. Twice by the same deploy is once."""
    held = holder(deploy.environment)
    if held is not None:
        return held.deploy_id == deploy.pk
    try:
        with transaction.atomic():
            DeployLock.objects.create(
                environment=deploy.environment,
                deploy=deploy,
                owner=deploy.requested_by,
                owner_name=deploy.requested_by_name,
                reason=deploy.reason or str(deploy.get_kind_display()),
            )
    except IntegrityError:
        return False
    return True


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
    try:
        with transaction.atomic():
            lock = DeployLock.objects.create(
                environment=environment,
                owner=actor,
                owner_name=actor.username,
                reason=reason.strip()[:500],
            )
    except IntegrityError:
        ensure_free(environment)
        raise
    audit.record(actor, "deploylock.take", environment, reason=reason)
    return lock


@transaction.atomic
def release_lock(*, actor: Any, lock: DeployLock) -> None:
    """Give back a lock that the actor took by hand.

    Raises:
        Forbidden: it is somebody else's, or a deploy's: that is broken, and on record.
    """
    if lock.deploy_id or lock.owner_id != actor.pk:
        raise Forbidden(
            _("This lock is not yours: %(holder)s.") % {"holder": words_of(lock)},
            _("Whoever may break locks can take it away."),
        )
    _drop(actor, lock, "deploylock.release", "")


@transaction.atomic
def break_lock(*, actor: Any, lock: DeployLock, reason: str) -> None:
    """Take away a lock of somebody else; never that of a deploy that goes on: such one is cancelled.

    Raises:
        Forbidden: the actor may not break locks there. Conflict: a deploy that goes on holds it. DomainError: no reason.
    """
    if not may(actor, "break", lock):
        raise Forbidden(_("You may not break locks of this environment."))
    if not reason.strip():
        words = _("Say why: others will read it.")
        raise DomainError(words, fields={"reason": words})
    if lock.deploy is not None and lock.deploy.is_open:
        raise Conflict(
            _("%(deploy)s goes on and holds it.") % {"deploy": lock.deploy},
            _("Cancel the deploy: it takes back what it did and lets go of the lock."),
            code="deploy_open",
        )
    _drop(actor, lock, "deploylock.break", reason)


def _drop(actor: Any, lock: DeployLock, verb: str, reason: str) -> None:
    environment, told = lock.environment, words_of(lock)
    lock.delete()
    changes: list[audit.Change] = [{"field": "lock", "old": told, "new": None}]
    audit.record(actor, verb, environment, changes=changes, reason=reason)
    # After the commit the engine calls whoever waits.
    for each in after_free:
        transaction.on_commit(lambda each=each: each(environment.pk))  # type: ignore[misc]


# What is told when an environment was set free by hand, by its id.
after_free: list[Any] = []
