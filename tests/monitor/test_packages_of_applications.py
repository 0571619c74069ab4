"""The page of a software package lists the hosts whose agents report it, of those that the reader may see."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from cmdb.models import Host
from monitor.models import HostPackages, InstalledPackage, PackageList
from tests.app_factories import make_package
from tests.factories import make_group, make_host, make_user

pytestmark = pytest.mark.django_db


def _listed(host: Host, name: str, version: str) -> None:
    installed = InstalledPackage.objects.create(name=name, version=version)
    listed = PackageList.objects.create(digest=f"{host.pk}", count=1)
    listed.packages.add(installed)
    HostPackages.objects.create(host=host, packages=listed, listed_at=timezone.now())


def test_hosts_whose_agents_report_a_package_are_listed_with_its_version(
    client_of: Any, admin: User
) -> None:
    group = make_group("web")
    _listed(make_host("seen", groups=[group]), "redis", "7.2.1")
    _listed(make_host("hidden"), "redis", "7.0.9")
    _listed(make_host("other"), "redis-tools", "7.2")
    address = f"/appconf/packages/{make_package('redis', '7.2').pk}/?tab=installed"
    page = client_of(admin).get(address).content.decode()
    assert "seen" in page
    assert "7.2.1" in page
    assert "hidden" in page
    assert "other" not in page
    perms = ["appconf.view_package", "cmdb.view_host"]
    scoped = client_of(make_user(perms=perms, groups=[group])).get(address)
    assert "7.2.1" in scoped.content.decode()
    assert "7.0.9" not in scoped.content.decode()
