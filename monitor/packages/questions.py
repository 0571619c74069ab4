"""Questions to the stored lists: the packages of one host, and which hosts have a package in some version."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet

from adminset.querysets import scope_of
from cmdb.models import Host, HostQuerySet
from monitor.package_models import HostPackages, InstalledPackage

ASK = "monitor.ask_hostpackages"
VIEW = "cmdb.view_host"
# A pattern of more parts costs more than it finds.
MOST_STARS = 5
MOST_VERSIONS = 30


@dataclass(frozen=True)
class Asked:
    """What is looked for; "*" stands for any text, "" for everything."""

    name: str = ""
    version: str = ""

    @property
    def words(self) -> dict[str, str]:
        """Give it as the fields of an address."""
        return {"name": self.name, "version": self.version}


@dataclass(frozen=True)
class Summary:
    """What a host's page says of its packages.

    Attributes:
        count, hash: what the agent said last; None and "" where it says nothing.
        listed: what was sent, None where nothing was asked or sent yet.
    """

    count: int | None
    manager: str
    hash: str
    listed: HostPackages | None

    @property
    def is_outdated(self) -> bool:
        """Whether the packages have changed since the list came."""
        listed = self.listed
        if listed is None or listed.listed_at is None:
            return False
        return bool(self.hash) and self.hash != listed.hash


def visible_hosts(user: Any) -> HostQuerySet:
    """Give the hosts of which the user may see the packages: those that he sees."""
    return Host.objects.visible_to(user)


def askable(user: Any) -> HostQuerySet:
    """Give the hosts that the user may see and ask for their packages."""
    scope, rows = scope_of(user, ASK), visible_hosts(user)
    if scope.everything:
        return rows
    return rows.within(scope, "view") if scope else rows.none()


def unlisted(user: Any) -> HostQuerySet:
    """Give the hosts that report, of which no list is known, and which nobody waits for."""
    known = HostPackages.objects.exclude(packages=None).values("pk")
    waiting = HostPackages.objects.waiting().values("pk")
    rows = askable(user).reporting().exclude(pk__in=known).exclude(pk__in=waiting)
    return rows.order_by("pk")


def summary_of(host: Host) -> Summary:
    """Say what is known of a host's packages."""
    said = (host.facts or {}).get("packages") or {}
    rows = HostPackages.objects.select_related("packages")
    return Summary(
        said.get("count"),
        said.get("manager", ""),
        said.get("hash", ""),
        rows.filter(pk=host.pk).first(),
    )


def packages_of(host: Host, text: str) -> QuerySet[InstalledPackage]:
    """Give the listed packages of a host whose name or version holds a text."""
    lists = HostPackages.objects.filter(pk=host.pk, packages__isnull=False)
    rows = InstalledPackage.objects.filter(lists__in=lists.values("packages"))
    if text:
        rows = rows.filter(Q(name__icontains=text) | Q(version__icontains=text))
    return rows.order_by("name", "version", "architecture")


def hosts_with(user: Any, asked: Asked) -> Any:
    """Give a row for each host in scope and each of its packages that is looked for."""
    part = "packages__packages"
    found = HostPackages.objects.filter(
        _like(f"{part}__name", asked.name),
        _like(f"{part}__version", asked.version),
        host__in=visible_hosts(user),
        packages__packages__isnull=False,
    )
    return found.order_by("host__hostname", "pk", f"{part}__name").values(
        "pk",
        "listed_at",
        hostname=F("host__hostname"),
        name=F(f"{part}__name"),
        version=F(f"{part}__version"),
        architecture=F(f"{part}__architecture"),
    )


def versions_of(user: Any, asked: Asked) -> Sequence[dict[str, Any]]:
    """Give the versions that are found, those of most hosts first, with how many hosts that are."""
    rows = hosts_with(user, asked).order_by().values("name", "version")
    counted = rows.annotate(hosts=Count("pk", distinct=True))
    return list(counted.order_by("-hosts", "name", "version")[:MOST_VERSIONS])


def known_hosts(user: Any) -> tuple[int, int]:
    """Give (hosts in scope with a list, hosts in scope)."""
    hosts = visible_hosts(user)
    listed = HostPackages.objects.filter(host__in=hosts, packages__isnull=False)
    return listed.count(), hosts.count()


def _like(field: str, pattern: str) -> Q:
    if not pattern or pattern == "*":
        return Q()
    parts = pattern.split("*", MOST_STARS)
    if len(parts) == 1:
        return Q(**{field: pattern})
    if len(parts) == 2 and not parts[1]:
        return Q(**{f"{field}__startswith": parts[0]})
    text = ".*".join(re.escape(part) for part in parts)
    return Q(**{f"{field}__regex": f"^{text}$"})


def most_at_once() -> int:
    """Say how many hosts are asked at once."""
    return int(settings.PACKAGES_ASK_HOSTS)
