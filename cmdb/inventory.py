"""What other programs learn of the fleet: hosts as rows, the names and groups under which they are told; no secret is in it.

Names and texts come from agents too: nothing in them is a template or an option to whoever reads them.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from adminset.querysets import everywhere, permission_for
from cmdb import membership
from cmdb.models import Credential, Host, HostGroup, ProductLine

# Ansible evaluates {{ }}, {% %} and {# #} in what an inventory says.
TEMPLATE_MARKS = re.compile(r"[{}]")
NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]")
NOT_IN_A_GROUP = re.compile(r"[^\w.-]")
ANSIBLES_OWN = frozenset({"all", "ungrouped", "_meta"})
CHUNK = 2000
# Name under which a row knows a column.
COLUMNS = {
    "pk": "pk",
    "hostname": "hostname",
    "address": "address",
    "ssh_port": "ssh_port",
    "kind": "kind",
    "owner": "owner",
    "os_name": "os_name",
    "os_version": "os_version",
    "custom": "custom",
    "username": "credential__username",
    "port": "credential__port",
    "become": "credential__become_method",
    "status": "status__name",
    "idc": "idc__name",
    "cabinet": "cabinet__name",
    "product_line": "product_line__name",
    "credential_key": "credential_id",
    "product_line_key": "product_line_id",
}
# What is told of a related object only to who may see it: the model, its key in a row, the columns that speak of it.
OF_OTHERS = (
    (Credential, "credential_key", ("username", "port", "become")),
    (ProductLine, "product_line_key", ("product_line",)),
)
Row = dict[str, Any]


def hosts_of(user: Any, group_names: Iterable[str] = ()) -> QuerySet[Host]:
    """Give the hosts that are told: what the asker may see, of these groups where some are named.

    Args:
        user: whose eyes count; None for the portal itself.

    Raises:
        DomainError: there is no such group that the asker may see.
    """
    hosts: Any = Host.objects.all() if user is None else Host.objects.visible_to(user)
    wanted = set(group_names)
    if not wanted:
        return hosts
    found = groups_of(user).filter(name__in=wanted)
    keys = dict(found.values_list("name", "pk"))
    if unknown := sorted(wanted - keys.keys()):
        raise DomainError(
            _("There is no host group %(name)s.") % {"name": unknown[0][:100]},
            _("Name groups that you may see."),
            fields={"group": _("There is no such host group.")},
        )
    return membership.in_groups(hosts, list(keys.values()))


def groups_of(user: Any) -> QuerySet[HostGroup]:
    """Give the groups that are told."""
    rows = HostGroup.objects
    return rows.all() if user is None else rows.visible_to(user)


def rows_of(user: Any, hosts: QuerySet[Host]) -> Iterator[Row]:
    """Walk hosts as plain rows, in the order of their keys; the database is asked as they are walked.

    What the asker may not see of a host (its credential, its product line) is None.
    """
    hidden = [
        (key, _visible(user, model), columns) for model, key, columns in OF_OTHERS
    ]
    found = hosts.order_by("pk").values_list(*COLUMNS.values())
    for values in found.iterator(chunk_size=CHUNK):
        row = dict(zip(COLUMNS, values, strict=True))
        for key, visible, columns in hidden:
            if visible is not None and row[key] not in visible:
                row.update(dict.fromkeys(columns))
        yield row


def _visible(user: Any, model: type[Any]) -> set[int] | None:
    """Give the keys that the asker may see; None: all of them."""
    if user is None or everywhere(user, permission_for(model, "view")):
        return None
    return set(model._default_manager.visible_to(user).values_list("pk", flat=True))


def names_of(user: Any) -> dict[int, str]:
    """Map the keys of all hosts that the asker may see to names that Ansible takes as they are, no two the same.

    The first host of a name has it as it is, the others with their number behind it; so a narrower inventory names
    hosts as the whole one does.
    """
    rows = hosts_of(user).order_by("pk").values_list("pk", "hostname")
    names: dict[int, str] = {}
    taken = set(ANSIBLES_OWN)
    for key, hostname in rows.iterator(chunk_size=CHUNK):
        name = NOT_IN_A_NAME.sub("-", hostname).strip("-.") or f"host-{key}"
        while name.lower() in taken:
            name = f"{name}-{key}"
        taken.add(name.lower())
        names[key] = name
    return names


def members_of(user: Any) -> dict[str, list[int]]:
    """Map the names of the groups that the asker may see to the keys of their hosts, seen or not."""
    known = {group.pk: group for group in groups_of(user)}
    members: dict[str, list[int]] = {group.name: [] for group in known.values()}
    through = Host.groups.through.objects.filter(hostgroup__in=list(known))
    pairs = through.order_by("host_id").values_list("hostgroup_id", "host_id")
    for group_id, host_id in pairs.iterator(chunk_size=CHUNK):
        members[known[group_id].name].append(host_id)
    dynamic = [group for group in known.values() if group.is_dynamic]
    for host_id, group in membership.dynamic_members(dynamic, Host.objects.all()):
        members[group.name].append(host_id)
    return members


def plain(value: Any) -> str:
    """Write a value so that nobody takes it for a template."""
    return TEMPLATE_MARKS.sub("", str(value)) if value not in (None, "") else ""


# ---- Ansible


def ansible(user: Any, hosts: QuerySet[Host], names: dict[int, str]) -> Iterator[str]:
    """Write what `ansible-inventory --list` prints, part by part.

    Args:
        hosts: those to tell, of `names`.
    """
    told: set[int] = set()
    yield '{"_meta": {"hostvars": {'
    parts: list[str] = []
    for row in rows_of(user, hosts):
        if row["pk"] in names:
            comma = ", " if told else ""
            told.add(row["pk"])
            parts.append(f"{comma}{_json(names[row['pk']])}: {_json(_hostvars(row))}")
        if len(parts) == CHUNK:
            yield "".join(parts)
            parts = []
    yield "".join(parts)
    yield "}}"
    yield from _groups(user, names, told)
    yield "}"


def _groups(user: Any, names: dict[int, str], told: set[int]) -> Iterator[str]:
    members: dict[str, dict[int, None]] = {}
    for name, keys in members_of(user).items():
        if mine := [key for key in keys if key in told]:
            members.setdefault(group_name(name), {}).update(dict.fromkeys(mine))
    listed = {"children": ["ungrouped", *sorted(members)]}
    yield f', "all": {_json(listed)}'
    for name, found in sorted(members.items()):
        yield f", {_json(name)}: {_json({'hosts': [names[key] for key in found]})}"
    grouped = {key for keys in members.values() for key in keys}
    if loose := [names[key] for key in sorted(told - grouped)]:
        yield f', "ungrouped": {_json({"hosts": loose})}'


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _hostvars(row: Row) -> Row:
    known: Row = {
        "ansible_host": row["address"],
        "ansible_port": row["ssh_port"] or row["port"] or 22,
        "ansible_user": row["username"],
        "ansible_become_method": row["become"],
        "adminset_id": row["pk"],
        "adminset_hostname": plain(row["hostname"]),
        "adminset_kind": row["kind"],
        "adminset_status": plain(row["status"]),
        "adminset_idc": plain(row["idc"]),
        "adminset_owner": plain(row["owner"]),
        "adminset_product_line": plain(row["product_line"]),
        "adminset_os": plain(f"{row['os_name']} {row['os_version']}".strip()),
        **{
            f"adminset_custom_{key}": plain(value)
            for key, value in row["custom"].items()
        },
    }
    return {name: value for name, value in known.items() if value not in (None, "")}


def group_name(name: str) -> str:
    """Give the name under which Ansible knows a group."""
    usual = NOT_IN_A_GROUP.sub("-", name)
    return f"group_{usual}" if usual in ANSIBLES_OWN else usual
