"""Packages on request: asked by a person, sent by the agent, kept, searched, taken out as CSV."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import Host, HostGroup
from monitor.models import HostPackages, InstalledPackage, PackageList
from monitor.packages import asking, keeping, questions
from tests.factories import make_host, make_user
from tests.monitor.conftest import IDENTITY, Reporter

Signed = Callable[[User], Client]
LIST = [
    ["openssl", "3.0.11-1", "amd64"],
    ["bash", "5.2", "amd64"],
    ["=HYPERLINK(1)", "<script>alert(1)</script>", "all"],
]


@pytest.fixture(autouse=True)
def _asked_anew() -> None:
    asking.forget()


def send(reporter: Reporter, listed: Any = None, hash_: str = "h1") -> dict[str, Any]:
    """Send facts as the agent, with a list of packages unless it is None; gives the answer."""
    packages = {"manager": "dpkg", "count": 3, "hash": hash_}
    if listed is not None:
        packages["list"] = listed
    facts = {"hostname": "web1", "packages": packages}
    body = {
        "identity": IDENTITY,
        "boot_id": "b1",
        "sent_at": time.time(),
        "facts": facts,
    }
    answer = reporter.post("facts", body)
    assert answer.status_code == 200, answer.content
    return dict(answer.json())


def ask(client: Client, host: Host) -> Any:
    """Press the button, and let the intake look anew."""
    answer = client.post(reverse("monitor:host_packages_ask", args=[host.pk]))
    asking.forget()
    asking.look()
    return answer


def keep(host: Host, *entries: list[str]) -> None:
    """Give a host a list without an agent."""
    listed = keeping._listed(keeping._clean(entries))
    HostPackages.objects.create(host=host, packages=listed)


def cells(page: bytes) -> list[list[str]]:
    """Give the rows of a page's list."""
    rows = BeautifulSoup(page, "html.parser").select(".list-table tbody tr")
    return [[cell.text for cell in row.select("td")] for row in rows]


def test_a_list_is_asked_for_sent_kept_and_shown(
    client_of: Signed, admin: User, reporter: Reporter
) -> None:
    client, host = client_of(admin), reporter.host
    assert "send" not in send(reporter)
    assert ask(client, host).status_code == 302
    assert send(reporter)["send"] == ["packages"]
    assert "send" not in send(reporter, LIST)
    row = HostPackages.objects.get(pk=host.pk)
    assert (row.packages.count, row.asked_at, row.hash) == (3, None, "h1")  # type: ignore[union-attr]
    page = client.get(reverse("monitor:host_packages", args=[host.pk])).content
    assert [line[0] for line in cells(page)] == ["=HYPERLINK(1)", "bash", "openssl"]
    assert b"<script>alert" not in page
    verbs = AuditEntry.objects.filter(target_type="cmdb.host").values_list(
        "verb", "actor_kind"
    )
    assert ("host.ask_packages", "user") in verbs
    assert ("host.list_packages", "agent") in verbs


def test_a_list_that_nobody_asked_for_is_dropped(reporter: Reporter) -> None:
    send(reporter, LIST)
    assert not PackageList.objects.exists()
    assert not HostPackages.objects.exists()


def test_an_answer_comes_once_though_two_processes_think_that_it_is_waited_for(
    client_of: Signed, admin: User, reporter: Reporter
) -> None:
    ask(client_of(admin), reporter.host)
    send(reporter, LIST)
    asking._seen = (time.monotonic(), frozenset({reporter.host.pk}))
    send(reporter, [["other", "1", "all"]])
    assert PackageList.objects.get().count == 3


def test_a_request_that_nobody_answers_is_given_up(
    client_of: Signed, admin: User, reporter: Reporter, settings: Any
) -> None:
    ask(client_of(admin), reporter.host)
    settings.PACKAGES_WAIT_HOURS = 0
    asking.forget()
    asking.look()
    assert "send" not in send(reporter, LIST)
    assert not PackageList.objects.exists()


def test_the_host_says_when_the_list_is_older_than_its_packages(
    client_of: Signed, admin: User, reporter: Reporter
) -> None:
    client = client_of(admin)
    ask(client, reporter.host)
    send(reporter, LIST)
    tab = f"{reverse('cmdb:host_detail', args=[reporter.host.pk])}?tab=packages"
    assert b"have changed since" not in client.get(tab).content
    send(reporter, hash_="h2")
    assert b"have changed since" in client.get(tab).content


def test_who_may_only_look_cannot_ask(
    client_of: Signed, operator: User, auditor: User, group: HostGroup
) -> None:
    host = make_host(groups=[group])
    for user in (operator, auditor):
        assert ask(client_of(user), host).status_code == 403
        page = client_of(user).get(
            f"{reverse('cmdb:host_detail', args=[host.pk])}?tab=packages"
        )
        assert b"Ask for the packages" not in page.content
    assert not HostPackages.objects.exists()


def test_nobody_asks_hosts_out_of_his_scope(
    client_of: Signed, group: HostGroup
) -> None:
    mine, other = make_host(groups=[group]), make_host()
    perms = ["cmdb.view_host", "monitor.ask_hostpackages"]
    client = client_of(make_user(perms=perms, groups=[group]))
    assert ask(client, other).status_code == 404
    assert ask(client, mine).status_code == 302
    assert list(HostPackages.objects.values_list("pk", flat=True)) == [mine.pk]


def test_the_same_list_is_kept_once_and_goes_with_its_last_host(db: None) -> None:
    hosts = [make_host(), make_host()]
    for host in hosts:
        keep(host, *LIST)
    assert PackageList.objects.count() == 1
    assert InstalledPackage.objects.count() == 3
    Host.objects.filter(pk=hosts[0].pk).delete()
    keeping.purge()
    assert InstalledPackage.objects.count() == 3
    Host.objects.filter(pk=hosts[1].pk).delete()
    keeping.purge()
    assert not InstalledPackage.objects.exists()
    assert not PackageList.objects.exists()


def test_what_is_no_package_is_left_out_and_no_more_are_kept_than_may_be(
    client_of: Signed, admin: User, reporter: Reporter, settings: Any
) -> None:
    settings.PACKAGES_PER_HOST = 5
    ask(client_of(admin), reporter.host)
    send(
        reporter,
        [
            ["", "1", "x"],
            ["two", "words"],
            *([f"p{n} \n", "1", "x" * 250] for n in range(9)),
        ],
    )
    row = HostPackages.objects.get()
    assert (row.packages.count, row.left_out) == (5, 4)  # type: ignore[union-attr]
    assert InstalledPackage.objects.order_by(
        "name"
    ).first() == InstalledPackage.objects.get(name="p0")


def test_hosts_without_a_list_are_asked_some_at_a_time(
    client_of: Signed, admin: User, reporter: Reporter, settings: Any
) -> None:
    settings.PACKAGES_ASK_HOSTS = 1
    make_host("has no agent")
    client = client_of(admin)
    client.post(reverse("monitor:packages_ask"))
    assert HostPackages.objects.get().host == reporter.host
    assert list(questions.unlisted(admin)) == []


def test_twenty_thousand_packages_are_one_report(
    client_of: Signed, admin: User, reporter: Reporter
) -> None:
    ask(client_of(admin), reporter.host)
    many = [[f"package-{n}", f"1.{n}-1", "amd64"] for n in range(20_000)]
    assert len(json.dumps(many)) < 4 * 2**20
    began = time.monotonic()
    send(reporter, many)
    assert HostPackages.objects.get().packages.count == 20_000  # type: ignore[union-attr]
    assert time.monotonic() - began < 30
