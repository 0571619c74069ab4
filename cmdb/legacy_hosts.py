"""Hosts and groups as scripts for AdminSet read them: everything, to whoever has the shared token."""

from cmdb import inventory
from cmdb.models import Host

Member = dict[str, str]


def all_hosts() -> list[Member]:
    """List {"hostname", "ipaddr"} of all hosts."""
    return list(_members().values())


def host(name: str) -> Member | None:
    """Give {"hostname", "ip"} of the first host of a name."""
    rows = Host.objects.filter(hostname=name.replace("\x00", "")).order_by("pk")
    found = rows.values_list("hostname", "address").first()
    return {"hostname": found[0], "ip": found[1] or ""} if found else None


def groups(name: str) -> list[dict[str, object]]:
    """List {"host_group", "members"} of one group, or of all groups ("all")."""
    hosts = _members()
    return [
        {"host_group": group, "members": [hosts[key] for key in keys if key in hosts]}
        for group, keys in inventory.members_of(None).items()
        if name in ("all", group)
    ]


def _members() -> dict[int, Member]:
    rows = Host.objects.order_by("pk").values_list("pk", "hostname", "address")
    return {
        key: {"hostname": hostname, "ipaddr": address or ""}
        for key, hostname, address in rows.iterator(chunk_size=inventory.CHUNK)
    }
