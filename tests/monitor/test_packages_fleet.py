"""Which hosts have a package: searched over the lists of the hosts in scope, taken out as CSV."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import HostGroup
from tests.factories import make_host
from tests.monitor.test_packages import LIST, cells, keep

Signed = Callable[[User], Client]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"name": "openssl"}, ["a 3.0.11", "b 1.1.1"]),
        ({"name": "openssl", "version": "3.*"}, ["a 3.0.11"]),
        ({"name": "*ss*"}, ["a 3.0.11", "b 1.1.1"]),
        ({"name": "open*"}, ["a 3.0.11", "b 1.1.1"]),
        ({"name": "open.sl"}, []),
        ({"name": "*(((*"}, []),
        ({"name": "a\x00" + "*" * 200}, []),
    ],
)
def test_the_fleet_says_which_hosts_in_scope_have_a_package(
    client_of: Signed,
    operator: User,
    group: HostGroup,
    asked: dict[str, str],
    found: list[str],
) -> None:
    for name, version in (("a", "3.0.11"), ("b", "1.1.1")):
        keep(
            make_host(name, groups=[group]),
            ["openssl", version, "amd64"],
            ["zsh", "5", "amd64"],
        )
    keep(make_host("elsewhere"), ["openssl", "3.0.11", "amd64"])
    page = client_of(operator).get(reverse("monitor:packages"), asked).content
    assert [f"{line[0]} {line[2]}" for line in cells(page)] == found
    assert b"known of 2 of 2 hosts" in page


def test_both_lists_are_taken_out_as_csv_that_runs_nothing_and_the_trail_says_so(
    client_of: Signed, admin: User
) -> None:
    host, client = make_host("web1"), client_of(admin)
    keep(host, *LIST)
    one = client.get(
        reverse("monitor:host_packages", args=[host.pk]), {"export": "csv"}
    )
    lines = one.getvalue().decode("utf-8-sig").splitlines()
    assert lines[0] == "name,version,architecture"
    assert lines[1].startswith("'=HYPERLINK")
    all_ = client.get(reverse("monitor:packages"), {"export": "csv", "name": "bash"})
    assert all_.getvalue().decode().splitlines()[1].startswith("web1,bash,5.2,amd64")
    assert AuditEntry.objects.filter(verb="hostpackages.export").count() == 2
