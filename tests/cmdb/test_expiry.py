"""What expires: every kind by its day, only what the reader may see, as a list, a month, a card and a calendar file."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from adminset.models import AuditEntry
from cmdb import expiry, expiry_calendar, icalendar
from cmdb.expiry import SOURCES, Asked
from cmdb.models import (
    BandwidthLine,
    Certificate,
    Contract,
    DomainName,
    Licence,
    Software,
)
from tests.factories import make_group, make_host, make_user

pytestmark = pytest.mark.django_db
VIEW = "cmdb.view_expiry"
HOSTILE = '"><script>alert(1)</script>{{ 7 }}'


@pytest.fixture
def browser(client_of: Any, admin: User) -> Client:
    """A browser of the administrator."""
    client: Client = client_of(admin)
    return client


def _in(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


def _one_of_each(days: int) -> None:
    """Make something of every kind that ends in so many days."""
    software = Software.objects.create(name="debian", end_of_support_on=_in(days))
    make_host("warranted", warranty_until=_in(days))
    Contract.objects.create(number="C-end", name="ends", ends_on=_in(days))
    Contract.objects.create(
        number="C-notice", name="notice", ends_on=_in(days + 60), notice_days=60
    )
    Licence.objects.create(software=software, expires_on=_in(days))
    DomainName.objects.create(name="example.com", expires_on=_in(days))
    Certificate.objects.create(name="www", expires_on=_in(days))
    BandwidthLine.objects.create(name="uplink", ends_on=_in(days))


def _names(browser: Client, **query: Any) -> list[str]:
    answer = browser.get("/cmdb/expiry/", query)
    assert answer.status_code == 200
    return [row["name"] for row in answer.context["rows"]]


def test_every_kind_of_end_stands_in_the_list(browser: Client) -> None:
    _one_of_each(10)
    answer = browser.get("/cmdb/expiry/", {"window": "30"})
    kinds = {row["end"].source.key for row in answer.context["rows"]}
    assert kinds == {source.key for source in SOURCES}
    assert len(answer.context["rows"]) == len(SOURCES)


@pytest.mark.parametrize(
    ("window", "shown"),
    [
        ("overdue", ["d-40", "d-1"]),
        ("30", ["d0", "d30"]),
        ("60", ["d0", "d30", "d31"]),
        ("90", ["d0", "d30", "d31", "d90"]),
        ("<script>", ["d0", "d30", "d31", "d90"]),
    ],
)
def test_a_window_has_the_days_that_it_says(
    browser: Client, window: str, shown: list[str]
) -> None:
    for days in (-40, -1, 0, 30, 31, 90, 91):
        make_host(f"d{days}", warranty_until=_in(days))
    make_host("without")
    names = _names(browser, window=window)
    # What is over stands with the newest first.
    assert names == (shown[::-1] if window == "overdue" else shown)
    counts = expiry.figures(make_user(is_superuser=True), Asked(_in(0)))
    assert counts == {"overdue": 2, "30": 2, "60": 3, "90": 4}


def test_kind_owner_and_day_narrow_the_list(browser: Client) -> None:
    make_host("of-ada", warranty_until=_in(3), owner="Ada Lovelace")
    make_host("of-bob", warranty_until=_in(4), owner="Bob")
    Software.objects.create(name="debian", end_of_support_on=_in(5), owner="ada")
    assert _names(browser, owner="ADA") == ["of-ada", "debian"]
    assert _names(browser, kind="support") == ["debian"]
    assert _names(browser, kind=["support", "warranty"], owner="bob") == ["of-bob"]
    assert _names(browser, day=_in(4).isoformat()) == ["of-bob"]
    assert len(_names(browser, day="no-day", kind="no-kind", owner="\x00")) == 3
    for page in ("0", "-1", "999", "x"):
        assert len(_names(browser, page=page)) == 3


def test_the_notice_of_a_contract_that_is_over_is_no_longer_asked_for(
    browser: Client,
) -> None:
    Contract.objects.create(number="C", name="old", ends_on=_in(-1), notice_days=30)
    answer = browser.get("/cmdb/expiry/", {"window": "overdue"})
    assert [row["end"].source.key for row in answer.context["rows"]] == ["contract"]


def test_one_sees_the_kinds_and_the_hosts_that_one_may_see(client_of: Any) -> None:
    _one_of_each(10)
    group = make_group()
    make_host("in-group", groups=[group], warranty_until=_in(5))
    perms = [VIEW, "cmdb.view_host", "cmdb.view_hostgroup"]
    user = make_user(perms=perms, groups=[group])
    scoped = client_of(user)
    assert _names(scoped) == ["in-group"]
    assert expiry.figures(user, Asked(_in(0)))["30"] == 1
    for address in ("/cmdb/expiry/", "/cmdb/expiry/card/", "/cmdb/expiry/?format=ics"):
        shown = scoped.get(address).getvalue().decode()
        assert "in-group" in shown
        assert "warranted" not in shown
        assert "example.com" not in shown
    month = _in(5).strftime("%Y-%m")
    shown = scoped.get("/cmdb/expiry/month/", {"month": month}).content.decode()
    assert "in-group" in shown
    assert "warranted" not in shown


def test_without_the_permission_there_is_no_page(client_of: Any) -> None:
    browser = client_of(make_user(perms=["cmdb.view_host", "cmdb.view_contract"]))
    for part in ("", "month/", "card/"):
        assert browser.get(f"/cmdb/expiry/{part}").status_code == 403
    bare = client_of(make_user(perms=[VIEW]))
    _one_of_each(10)
    assert _names(bare) == []
    assert bare.get("/cmdb/expiry/month/").status_code == 200
    assert bare.get("/cmdb/expiry/card/").status_code == 200


@pytest.mark.parametrize("part", ["", "month/", "card/"])
def test_a_thousand_ends_cost_no_more_than_a_few_queries_a_kind(
    browser: Client, part: str
) -> None:
    _one_of_each(1)
    for number in range(100):
        make_host(warranty_until=_in(number % 9))
        DomainName.objects.create(name=f"d{number}.example", expires_on=_in(number))
    browser.get(f"/cmdb/expiry/{part}")
    with CaptureQueriesContext(connection) as found:
        assert browser.get(f"/cmdb/expiry/{part}").status_code == 200
    assert len(found) <= 2 * len(SOURCES) + 6


def test_pages_follow_each_other_without_a_gap(browser: Client) -> None:
    for number in range(60):
        make_host(f"host-{number:02}", warranty_until=_in(number // 2))
    first, second = _names(browser), _names(browser, page=2)
    assert (len(first), len(second)) == (50, 10)
    assert len({*first, *second}) == 60


def test_hostile_names_are_text_everywhere(browser: Client) -> None:
    software = Software.objects.create(name=HOSTILE, end_of_support_on=_in(1))
    Licence.objects.create(software=software, expires_on=_in(1), owner=HOSTILE)
    for address in ("", "card/", "month/?month=" + _in(1).strftime("%Y-%m")):
        shown = browser.get(f"/cmdb/expiry/{address}").content.decode()
        assert "<script>alert" not in shown
        assert "&lt;script&gt;alert" in shown


def test_a_day_with_few_ends_says_their_names_and_one_with_many_how_many(
    browser: Client,
) -> None:
    make_host("alone", warranty_until=date(2026, 5, 4))
    for number in range(5):
        make_host(f"many-{number}", warranty_until=date(2026, 5, 6))
    answer = browser.get("/cmdb/expiry/month/", {"month": "2026-05"})
    shown = answer.content.decode()
    assert "alone" in shown
    assert "many-1" not in shown
    assert re.search(r"day=2026-05-06&amp;kind=warranty", shown)
    assert answer.context["month"].total == 6
    assert answer.context["month"].before == "2026-04"
    assert answer.context["month"].after == "2026-06"


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-13", "0000-01", "x", "2026-1-1", "٢٠٢٦-٠١"]
)
def test_what_is_no_month_is_this_month(text: str) -> None:
    today = date(2026, 7, 30)
    assert expiry_calendar.read_month(text, today) == date(2026, 7, 1)


@pytest.mark.parametrize(
    ("month", "after"), [("2026-12", "2027-01"), ("2026-01", "2026-02")]
)
def test_months_follow_each_other(admin: User, month: str, after: str) -> None:
    first = expiry_calendar.read_month(month, date(2026, 7, 1))
    drawn = expiry_calendar.month_of(admin, Asked(date(2026, 7, 1)), first)
    assert drawn.after == after
    assert all(len(week) == 7 for week in drawn.weeks)


def test_the_calendar_file_holds_the_list_and_is_recorded(browser: Client) -> None:
    make_host("a,b;c\\d", warranty_until=_in(2))
    answer = browser.get("/cmdb/expiry/", {"format": "ics"})
    text = answer.getvalue().decode()
    assert answer["Content-Type"].startswith("text/calendar")
    assert "a\\,b\\;c\\\\d" in text
    assert f"DTSTART;VALUE=DATE:{_in(2):%Y%m%d}\r\n" in text
    assert AuditEntry.objects.get(verb="expiry.export").changes[0]["new"] == 1


def test_a_calendar_file_has_no_line_that_is_too_long_or_slipped_in() -> None:
    title = "线" * 100 + "\r\nEND:VCALENDAR\nBEGIN:VEVENT\x07"
    entry = icalendar.Entry("1@x", date(2026, 1, 2), title)
    text = "".join(icalendar.write([entry], timezone.now()))
    assert text.count("\r\n") == text.count("\n")
    lines = text.split("\r\n")
    assert all(len(line.encode()) <= 75 for line in lines)
    assert [line for line in lines if line.startswith("END:VCALENDAR")] == lines[-2:-1]
    assert text.count("\r\nBEGIN:VEVENT\r\n") == 1
