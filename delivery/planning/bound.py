"""What a yes binds besides the way: values of variables, the account of the files, where the source is read. The deploy keeps it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from adminset.errors import Conflict
from appconf.config.resolving import resolve_hosts
from cmdb.models import Host
from delivery.engine.moves import listed
from delivery.models import Deploy
from delivery.onhost.names import is_for_hooks
from delivery.sources import origins

SALT = "delivery.plan.variables"
# By host: name of a variable -> what decides its value there.
Resolved = Mapping[int, Mapping[str, Any]]


def hashes_of(resolved: Resolved) -> dict[str, str]:
    """Give each variable's name with a keyed hash of its values on the hosts: a change shows, the values do not."""
    values: dict[str, list[str]] = {}
    for pk, found in sorted(resolved.items()):
        for name, decided in found.items():
            value = decided.winner.value(reveal=True) if decided.winner else ""
            values.setdefault(name, []).append(f"{pk}={value}")
    return {
        name: salted_hmac(SALT, "\0".join(own), algorithm="sha256").hexdigest()
        for name, own in sorted(values.items())
    }


def origin_of(project: Any, ref_kind: str) -> str:
    """Say where a plan's source is read; "" where it is an artefact that is there."""
    if ref_kind == Deploy.RefKind.ARTEFACT:
        return ""
    return origins.origin_of(project, ref_kind)


def kept_of(binding: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a deploy keeps of its plan's binding, besides what the plan tells."""
    return {
        "origin": binding["origin"],
        "account": binding["account"],
        "bound": binding["variables"],
    }


def account_of(deploy: Deploy) -> Sequence[str]:
    """Give user and group of the files, as they were when somebody said yes."""
    project = deploy.pipeline.project
    return deploy.plan.get("account") or (project.run_user, project.run_group)


def ensure_unchanged(deploy: Deploy) -> None:
    """Let a deploy begin that finds its source and its variables as somebody said yes to them.

    Raises:
        DomainError: one of them changed (code "source_changed" or "changed_since").
    """
    if deploy.artefact_id is None:
        origin = deploy.plan.get("origin", "")
        origins.ensure_origin(deploy.pipeline.project, origin, deploy.ref_kind)
    rows = deploy.hosts.exclude(host=None).values("host_id")
    hosts = list(Host.objects.filter(pk__in=rows))
    ensure_variables(deploy, resolve_hosts(deploy.environment, hosts))


def ensure_variables(deploy: Deploy, resolved: Resolved) -> None:
    """Let pass values that are those of the plan.

    Raises:
        Conflict: some are others by now; names them (code "changed_since").
    """
    wanted = deploy.plan.get("bound")
    if wanted is None:
        return
    found = hashes_of(resolved)
    names = sorted(
        name for name in {*wanted, *found} if wanted.get(name) != found.get(name)
    )
    if names:
        words = _("These variables changed since somebody said yes: %(names)s.")
        raise Conflict(
            words % {"names": listed(names)},
            _("Make a new plan."),
            code="changed_since",
        )


def left_to_texts(names: Collection[str]) -> list[str]:
    """Say which variables do not reach hooks, for they would steer the shell or programs; files of configuration have them."""
    refused = sorted(name for name in names if not is_for_hooks(name))
    if not refused:
        return []
    words = _("Hooks do not get these variables, for their names: %(names)s.")
    return [words % {"names": listed(refused)}]
