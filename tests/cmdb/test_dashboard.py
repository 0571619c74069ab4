"""The dashboard: counts that agree with the lists they lead to, of what the reader may see, without a foreign name."""

from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.utils import timezone

from accounts.models import User
from cmdb import dashboard
from cmdb.models import AssetStatus, ProductLine
from tests.factories import make_group, make_host, make_idc, make_user

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def browser(client_of: Any, admin: User) -> Client:
    client: Client = client_of(admin)
    return client


def _fleet() -> None:
    line = ProductLine.objects.create(name=HOSTILE, code="shop")
    status = AssetStatus.objects.create(name="in use")
    today = timezone.localdate()
    for number, days in enumerate((-5, 5, 500)):
        make_host(
            idc=make_idc(f"IDC {number}"),
            kind="virtual",
            os_name="Debian & co",
            product_line=line,
            status=status,
            warranty_until=today + timedelta(days=days),
        )
    make_host()


def test_every_bar_leads_to_as_many_hosts_as_it_counts(browser: Client) -> None:
    _fleet()
    page = browser.get("/cmdb/dashboard/")
    soup = BeautifulSoup(page.content, "html.parser")
    rows = soup.select("main table tbody tr")
    assert len(rows) == 4 + 2 + 2 + 2 + 2 + 4
    for row in rows:
        link = row.select_one("a")
        assert link is not None, row
        api = str(link["href"]).replace("/cmdb/hosts/", "/api/v1/hosts/")
        answer = browser.get(api).json()
        assert len(answer["results"]) == int(row.select("td")[1].text), api
    assert HOSTILE not in page.content.decode()


@pytest.mark.parametrize("by", dashboard.WAYS)
def test_the_picture_says_what_the_table_says(by: str, browser: Client) -> None:
    _fleet()
    soup = BeautifulSoup(browser.get("/cmdb/dashboard/").content, "html.parser")
    section = soup.select_one(f"#bars-{by}")
    assert section is not None
    told = browser.get(str(section["data-url"])).json()
    rows = section.find_parent("section").select("tbody tr")  # type: ignore[union-attr]
    listed = [[cell.text for cell in row.select("td")] for row in rows]
    assert [[bar["name"], str(bar["value"])] for bar in told["bars"]] == listed


def test_only_hosts_and_names_that_one_may_see_are_told(client_of: Any) -> None:
    group = make_group()
    make_host(groups=[group], kind="virtual", idc=make_idc("secret place"))
    make_host(kind="storage")
    user = make_user(perms=["cmdb.view_host"], groups=[group])
    client = client_of(user)
    page = client.get("/cmdb/dashboard/").content.decode()
    assert "secret place" not in page
    assert "storage" not in page
    told = client.get("/cmdb/dashboard/chart/?by=kind").json()
    assert [(bar["name"], bar["value"]) for bar in told["bars"]] == [("virtual", 1)]
    assert client.get("/cmdb/dashboard/chart/?by=idc").status_code == 404


def test_many_releases_end_in_one_bar(admin: User) -> None:
    for number in range(dashboard.MOST_BARS + 3):
        make_host(os_name=f"OS {number:02}")
    found = dashboard.parts(dashboard.WAYS["os"], admin)
    assert len(found) == dashboard.MOST_BARS + 1
    assert (found[-1].name, found[-1].number, found[-1].url) == ("others", 3, "")


def test_an_empty_fleet_says_so(browser: Client) -> None:
    assert "No host" in browser.get("/cmdb/dashboard/").content.decode()
