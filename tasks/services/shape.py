"""What no lane could run is refused when it is asked for, not on each host."""

from collections.abc import Sequence
from pathlib import Path

from django.utils.translation import gettext as _

from adminset.errors import DomainError
from cmdb.models import Host
from tasks.ansible_options import read_options, within
from tasks.ansible_variables import check_variables
from tasks.models import Work
from tasks.services.script_lane import split_arguments
from tasks.services.specs import RunSpec
from tasks.ssh.delivery import Delivery

Kind = Work.Kind
BY_ANSIBLE = frozenset({Kind.MODULE, Kind.PLAYBOOK, Kind.ROLE})


def check_shape(spec: RunSpec) -> None:
    """Accept options, variables, arguments and paths as the lane of the kind will.

    Raises:
        DomainError: a sentence for what cannot be.
    """
    if spec.kind in BY_ANSIBLE:
        read_options(spec.options)
        check_variables(spec.variables, spec.secret_answers)
    elif spec.kind == Kind.SCRIPT:
        split_arguments(spec.script_arguments)
    elif spec.kind == Kind.FILES:
        _check_places(spec)


def by_limit(spec: RunSpec, hosts: Sequence[Host]) -> tuple[list[Host], list[Host]]:
    """Part hosts into those that the run is limited to, and those that are left out.

    Raises:
        DomainError: the limit names what is none of them.
    """
    names = {host.hostname for host in hosts}
    if spec.kind in BY_ANSIBLE:
        names = set(within(read_options(spec.options, names).limit, names))
    meant = [host for host in hosts if host.hostname in names]
    return meant, [host for host in hosts if host.hostname not in names]


def _check_places(spec: RunSpec) -> None:
    for one in spec.distribution:
        path, owner, group, mode = (
            str(one.get(name) or "") for name in ("path", "owner", "group", "mode")
        )
        refusal = Delivery(Path(), "", 0, path, owner, group, mode).refusal()
        if refusal:
            raise DomainError(
                refusal,
                _("Mend it in the list of files."),
                code="wrong_place",
                fields={"distribution": refusal},
            )
