"""The judge of the room's legs: on which hosts a deploy may work, at the wish and again whenever a worker begins."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from adminset.errors import Forbidden
from adminset.querysets import may
from appconf.models import Environment
from appconf.vouching import ensure_may_deploy, hosts_of
from cmdb.models import Host
from delivery.models import Deploy
from delivery.safety.rights import holds_on
from tasks.models import Run

SUBJECT = "delivery.deploy:"
LOOK = "delivery.environment:"
# Checks that somebody wants before there is a deploy (planning/preflight.py).
CHECK = "delivery.check:"


def subject_of(deploy: Deploy) -> str:
    """Name a deploy as the subject of its legs."""
    return f"{SUBJECT}{deploy.pk}"


def deploy_of(run: Run) -> int | None:
    """Give the deploy to which a leg belongs."""
    return number_in(run.subject, SUBJECT)


def number_in(subject: str, start: str) -> int | None:
    """Give the number behind the beginning of a subject; None where that is another one."""
    number = subject.removeprefix(start)
    return int(number) if subject.startswith(start) and number.isdecimal() else None


def workable(deploy: Deploy, ids: Iterable[int]) -> set[int]:
    """Give the hosts among some on which a deploy may work now: whoever asked for it may still deploy there.

    What mends (looks, takes back, unlocks) goes on where a host has left the environment meanwhile.
    """
    own = deploy.hosts.filter(host__in=list(ids))
    found = set(own.values_list("host_id", flat=True))
    if deploy.ending:
        return found
    owner = deploy.requested_by
    if owner is None or not may(owner, "deploy", deploy.environment):
        return set()
    return found & vouched(deploy.environment)


def ensure_owner(deploy: Deploy) -> None:
    """Let a deploy go on while whoever asked for it may still ask for it.

    Raises:
        Forbidden: that person is gone, or may not deploy there any more; says which.
    """
    owner = deploy.requested_by
    if owner is None or not owner.is_active:
        raise Forbidden(_("Whoever asked for it may not sign in any more."))
    ensure_may_deploy(owner, deploy.environment)
    if not holds_on(owner, "delivery.add_deploy", deploy.environment):
        raise Forbidden(
            _("Whoever asked for it may not start deploys of this project any more.")
        )


def vouched(environment: Environment) -> set[int]:
    """Give the hosts of an environment for which somebody vouches."""
    return {host.pk for host in hosts_of(environment)}


def judge(run: Run, hosts: Iterable[Host]) -> set[int]:
    """Say on which hosts a leg of this room may work: only while its deploy is open, and on hosts that somebody vouches for."""
    ids = {host.pk for host in hosts}
    looked = number_in(run.subject, LOOK)
    if looked is None:
        looked = number_in(run.subject, CHECK)
    if looked is not None:
        environment = Environment.objects.filter(pk=looked).first()
        return ids & vouched(environment) if environment else set()
    pk = deploy_of(run) or 0
    deploy = Deploy.objects.filter(pk=pk).select_related("environment").first()
    if deploy is None or not deploy.is_open:
        return set()
    return workable(deploy, ids)
