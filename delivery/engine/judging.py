"""The judge of the room's legs: on which hosts a deploy may work, when it is asked for and again whenever a worker begins."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from adminset.errors import Forbidden
from adminset.querysets import may
from appconf.models import Environment
from appconf.vouching import ensure_may_deploy
from cmdb.models import Host
from delivery.models import Deploy, DeployStep
from delivery.safety.host_locks import busy_hosts
from delivery.safety.rights import holds_on
from delivery.safety.subjects import (
    HOST_LOCK,
    OF_ENVIRONMENTS,
    SUBJECT,
    number_in,
    vouched,
)
from tasks.models import Run


def subject_of(deploy: Deploy) -> str:
    """Name a deploy as the subject of its legs."""
    return f"{SUBJECT}{deploy.pk}"


def deploy_of(run: Run) -> int | None:
    """Give the deploy to which a leg belongs."""
    return number_in(run.subject, SUBJECT)


def workable(deploy: Deploy, ids: Iterable[int]) -> set[int]:
    """Give the hosts among some on which a deploy may work now: whoever asked for it may still deploy there.

    What mends (looks, takes back, unlocks) and what tidies behind the last switch goes on also where a host has left the
    environment meanwhile, or who asked may not deploy there any more.
    """
    own = deploy.hosts.filter(host__in=list(ids))
    found = set(own.values_list("host_id", flat=True))
    if deploy.ending or _is_finishing(deploy):
        return found
    owner = deploy.requested_by
    if owner is None or not may(owner, "deploy", deploy.environment):
        return set()
    return found & vouched(deploy.environment)


def _is_finishing(deploy: Deploy) -> bool:
    kind, status = DeployStep.Kind.FINISH, DeployStep.Status.RUNNING
    return deploy.steps.filter(kind=kind, status=status).exists()


def ensure_owner(deploy: Deploy) -> None:
    """Let a deploy go on while whoever asked for it may still ask for it.

    Raises:
        Forbidden: that person is gone, or may not deploy there any more; says which.
    """
    owner = deploy.requested_by
    if owner is None or not owner.may_sign_in:
        raise Forbidden(_("Whoever asked for it may not sign in any more."))
    ensure_may_deploy(owner, deploy.environment)
    if not holds_on(owner, "delivery.add_deploy", deploy.environment):
        raise Forbidden(
            _("Whoever asked for it may not start deploys of this project any more.")
        )


def judge(run: Run, hosts: Iterable[Host]) -> set[int]:
    """Say on which hosts a leg of this room may work: only while its deploy is open, and on hosts that somebody vouches for."""
    ids = {host.pk for host in hosts}
    numbers = (number_in(run.subject, start) for start in OF_ENVIRONMENTS)
    looked = next((number for number in numbers if number is not None), None)
    if looked is not None:
        return _in_environment(run, looked, ids)
    pk = deploy_of(run) or 0
    deploy = Deploy.objects.filter(pk=pk).select_related("environment").first()
    if deploy is None or not deploy.is_open:
        return set()
    return workable(deploy, ids)


def _in_environment(run: Run, pk: int, ids: set[int]) -> set[int]:
    """Say where a leg about an environment may work; a deploy that began meanwhile keeps the locks of its hosts."""
    environment = Environment.objects.filter(pk=pk).first()
    if environment is None:
        return set()
    found = ids & vouched(environment)
    if run.subject.startswith(HOST_LOCK):
        found -= busy_hosts(environment, found)
    return found
