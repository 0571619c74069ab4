"""Tells the room of applications on which hosts a software package is, as the lists of agents say."""

from typing import Any

from cmdb.models import Host
from monitor.packages.questions import Asked, hosts_with

MOST = 500


def hosts_of_package(user: Any, package: Any) -> list[tuple[Host, str]]:
    """Give (host, version) of the hosts that a user may see and whose agent lists a package of this name."""
    rows = list(hosts_with(user, Asked(name=package.name))[:MOST])
    hosts = Host.objects.in_bulk([row["pk"] for row in rows])
    return [(hosts[row["pk"]], row["version"]) for row in rows]
