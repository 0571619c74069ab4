"""Questions that rooms above ask of the fleet: targets of a run, the Ansible inventory, the figures of the home card."""

import re
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Count, Model, Q, QuerySet
from django.http import Http404

from cmdb.models import Agent, AssetStatus, Host, HostGroup

# Ansible evaluates {{ }}, {% %} and {# #} in what an inventory says.
TEMPLATE_MARKS = re.compile(r"[{}]")
NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]")
NOT_IN_A_GROUP = re.compile(r"[^\w.-]")
ANSIBLES_OWN = frozenset({"all", "ungrouped", "_meta"})


def to_change(model: type[Model], user: Any, pk: int) -> Any:
    """Give one row that the user may change.

    Raises:
        Http404: there is none that the user may see.
        PermissionDenied: the user may only look at it.
    """
    rows = model._default_manager
    row = rows.visible_to(user).filter(pk=pk).first()  # type: ignore[attr-defined]
    if row is None:
        raise Http404
    if not rows.visible_to(user, "change").filter(pk=pk).exists():  # type: ignore[attr-defined]
        raise PermissionDenied(f"cmdb.change_{model._meta.model_name}")
    return row


def visible_inventory(user: Any) -> dict[str, Any]:
    """Give the inventory of all hosts that the user may see."""
    return inventory(user, Host.objects.all())


def hosts_for_run(
    user: Any, host_ids: Iterable[int] = (), group_ids: Iterable[int] = ()
) -> QuerySet[Host]:
    """Give the chosen hosts and those of the chosen groups, only where the user may run work; in order, each once."""
    groups = HostGroup.objects.visible_to(user).filter(pk__in=list(group_ids))
    members = Host.groups.through.objects.filter(hostgroup__in=groups)
    wanted = Q(pk__in=list(host_ids)) | Q(pk__in=members.values("host_id"))
    rows: QuerySet[Host] = Host.objects.visible_to(user, "run").filter(wanted)
    return rows.select_related("credential")


def inventory(user: Any, hosts: QuerySet[Host]) -> dict[str, Any]:
    """Give hosts and their groups in the shape of `ansible-inventory --list`; no secret is in it.

    Args:
        user: whose eyes count; None for the portal itself.

    Names and texts come from agents too: nothing in them is a template or an option to Ansible.
    """
    groups = (
        HostGroup.objects.all() if user is None else HostGroup.objects.visible_to(user)
    )
    rows = hosts if user is None else hosts.visible_to(user)  # type: ignore[attr-defined]
    found = list(rows.select_related("credential", "idc", "status").order_by("pk"))
    names = inventory_names(found)
    hostvars = {names[host.pk]: _hostvars(host) for host in found}
    members = _members(groups, names)
    grouped = {name for listed in members.values() for name in listed}
    loose = [name for name in hostvars if name not in grouped]
    return {
        "_meta": {"hostvars": hostvars},
        "all": {"children": ["ungrouped", *members]},
        **{name: {"hosts": listed} for name, listed in members.items()},
        **({"ungrouped": {"hosts": loose}} if loose else {}),
    }


def inventory_names(hosts: Iterable[Host]) -> dict[int, str]:
    """Map each host's pk to a name that Ansible takes as it is; hosts of the same name get their number behind it."""
    names: dict[int, str] = {}
    taken: set[str] = set()
    for host in hosts:
        name = NOT_IN_A_NAME.sub("-", host.hostname).strip("-.") or f"host-{host.pk}"
        if name.lower() in taken or name in ANSIBLES_OWN:
            name = f"{name}-{host.pk}"
        taken.add(name.lower())
        names[host.pk] = name
    return names


def _hostvars(host: Host) -> dict[str, Any]:
    credential = host.credential
    known: dict[str, Any] = {
        "ansible_host": host.address,
        "ansible_port": host.port,
        "ansible_user": credential.username if credential else None,
        "ansible_become_method": credential.become_method if credential else None,
        "adminset_id": host.pk,
        "adminset_hostname": _plain(host.hostname),
        "adminset_kind": host.kind,
        "adminset_status": _plain(host.status),
        "adminset_idc": _plain(host.idc),
        "adminset_owner": _plain(host.owner),
        "adminset_os": _plain(f"{host.os_name} {host.os_version}".strip()),
    }
    return {name: value for name, value in known.items() if value not in (None, "")}


def _plain(value: Any) -> str:
    return TEMPLATE_MARKS.sub("", str(value)) if value else ""


def _members(
    groups: QuerySet[HostGroup], names: dict[int, str]
) -> dict[str, list[str]]:
    through = Host.groups.through.objects.filter(hostgroup__in=groups)
    pairs = through.order_by("hostgroup__name", "host_id")
    members: dict[str, list[str]] = {}
    for group, host_id in pairs.values_list("hostgroup__name", "host_id"):
        if host_id in names:
            members.setdefault(group_name(group), []).append(names[host_id])
    return members


def group_name(name: str) -> str:
    """Give the name under which Ansible knows a group."""
    plain = NOT_IN_A_GROUP.sub("-", name)
    return f"group_{plain}" if plain in ANSIBLES_OWN else plain


def figures(user: Any) -> dict[str, Any]:
    """Count the hosts that the user may see: all, silent, without agent, by status; and name the newest."""
    rows = Host.objects.visible_to(user)
    by_status = rows.order_by().values_list("status").annotate(Count("pk"))
    statuses = AssetStatus.objects.in_bulk()
    return {
        "total": rows.count(),
        "silent": rows.silent().count(),
        "reporting": rows.reporting().count(),
        "waiting": Agent.objects.visible_to(user).waiting().count(),
        "by_status": [
            (statuses[pk], count) for pk, count in sorted(by_status, key=str) if pk
        ],
        "newest": list(rows.select_related("agent").order_by("-pk")[:5]),
    }
