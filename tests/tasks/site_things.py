"""Sites for tests."""

from __future__ import annotations

from typing import Any

from cmdb.models import Host
from tasks.models import Site
from tests.factories import make_idc


def make_site(*hosts: Host, code: str = "", **fields: Any) -> Site:
    """Make the site of a new IDC in which these hosts stand."""
    idc = make_idc()
    if code:
        idc.name = idc.code = code
        idc.save()
    for host in hosts:
        Host.objects.filter(pk=host.pk).update(idc=idc)
        host.refresh_from_db()
    return Site.objects.create(idc=idc, **fields)


def with_workers(*hosts: Host, code: str = "bj", **fields: Any) -> Site:
    """Make a site with workers of its own."""
    return make_site(*hosts, code=code, how="workers", **fields)
