"""What a yes binds besides the way: values of variables, the account of the files, where the source is read. The deploy keeps it."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from adminset.errors import Conflict
from adminset.names import listed
from appconf.config.resolving import resolve_hosts
from cmdb.models import Host
from delivery.models import Deploy
from delivery.onhost.names import is_for_hooks
from delivery.planning.one_host import KEY
from delivery.sources import origins

SALT = "delivery.plan.variables"
# By host: name of a variable -> what decides its value there.
Resolved = Mapping[int, Mapping[str, Any]]
KEPT = "bound_by_host"
Bound = dict[str, dict[str, Any]]
NONE: dict[str, Any] = {"most": "", "but": {}}


def hashes_of(resolved: Resolved) -> Bound:
    """Give each variable's name with keyed hashes of its values on the hosts: a change shows, the values do not.

    Returns:
        by name the hash that "most" hosts have, and those of the hosts (their ids) that have another one ("but"); "" is no value.
    """
    told = {}
    for name, own in sorted(_by_host(resolved).items()):
        most = Counter(own.values()).most_common(1)[0][0]
        but = {pk: found for pk, found in own.items() if found != most}
        told[name] = {"most": most, "but": but}
    return told


def _by_host(resolved: Resolved) -> dict[str, dict[str, str]]:
    """Give the hash of each variable's value on each of the hosts."""
    hosts = [str(pk) for pk in sorted(resolved)]
    values: dict[str, dict[str, str]] = {}
    for pk, found in resolved.items():
        for name, decided in found.items():
            value = decided.winner.value(reveal=True) if decided.winner else ""
            own = values.setdefault(name, dict.fromkeys(hosts, ""))
            own[str(pk)] = _hash(name, value)
    return values


def _hash(name: str, value: str) -> str:
    return salted_hmac(SALT, f"{name}\0{value}", algorithm="sha256").hexdigest()


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
        KEPT: binding["variables"],
        KEY: binding.get(KEY),
    }


def ensure_unchanged(deploy: Deploy, host_ids: Collection[int] | None = None) -> None:
    """Let a deploy begin that finds its source and its variables as somebody said yes to them.

    Args:
        host_ids: the hosts whose variables count; None: all of the deploy. One that is gone has none.

    Raises:
        DomainError: one of them changed (code "source_changed" or "changed_since").
    """
    if deploy.artefact_id is None:
        origin = deploy.plan.get("origin", "")
        origins.ensure_origin(deploy.pipeline.project, origin, deploy.ref_kind)
    rows = deploy.hosts.exclude(host=None)
    if host_ids is not None:
        rows = rows.filter(host__in=host_ids)
    hosts = list(Host.objects.filter(pk__in=rows.values("host_id")))
    ensure_variables(deploy, resolve_hosts(deploy.environment, hosts))


def ensure_variables(deploy: Deploy, resolved: Resolved) -> None:
    """Let pass values that are those of the plan, on the hosts that they are given for.

    Raises:
        Conflict: some are others by now; names them (code "changed_since").
    """
    wanted = deploy.plan.get(KEPT)
    if wanted is None:
        return
    names = _changed(wanted, resolved)
    if names:
        words = _("These variables changed since somebody said yes: %(names)s.")
        raise Conflict(
            words % {"names": listed(names)},
            _("Make a new plan."),
            code="changed_since",
        )


def _changed(wanted: Bound, resolved: Resolved) -> list[str]:
    found, hosts = _by_host(resolved), [str(pk) for pk in resolved]
    names = []
    for name in sorted({*wanted, *found}):
        kept, now = wanted.get(name, NONE), found.get(name, {})
        if any(now.get(pk, "") != kept["but"].get(pk, kept["most"]) for pk in hosts):
            names.append(name)
    return names


def left_to_texts(names: Collection[str]) -> list[str]:
    """Say which variables do not reach hooks, for they would steer the shell or programs; files of configuration have them."""
    refused = sorted(name for name in names if not is_for_hooks(name))
    if not refused:
        return []
    words = _("Hooks do not get these variables, for their names: %(names)s.")
    return [words % {"names": listed(refused)}]
