"""Status pages: what readers see, in both languages, and what they must never see."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from cmdb.models import HostGroup
from monitor.models import CheckFlip, ServiceCheck, StatusItem, StatusNote
from monitor.status.content import content_of
from tests.cmdb.things import HOSTILE
from tests.factories import make_host, make_user
from tests.monitor.check_things import (
    make_check,
    make_heartbeat,
    make_line,
    make_page,
)

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _public_pages(settings: Any) -> None:
    settings.STATUS_PAGES_PUBLIC = True


def read(client: Client, address: str = "/status/all/", **headers: str) -> str:
    cache.clear()
    answer = client.get(address, **headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_anybody_reads_a_public_page(client: Client) -> None:
    page = make_page(is_public=True)
    make_line(page, make_check(state="up"), name_en="Shop", group_en="Customers")
    text = read(client)
    assert "Our services" in text
    assert "Shop" in text
    assert "Customers" in text
    assert "All services run." in text
    assert text.count("<rect") == 90


@pytest.mark.parametrize(("public", "switch"), [(False, True), (True, False)])
def test_a_page_is_public_only_where_both_switches_say_so(
    client: Client,
    client_of: Signed,
    stranger: User,
    settings: Any,
    public: bool,
    switch: bool,
) -> None:
    settings.STATUS_PAGES_PUBLIC = switch
    make_page(is_public=public)
    for address in ("/status/all/", "/status/all/badge.svg"):
        refused, missing = client.get(address), client.get("/status/none/")
        assert refused.status_code == 302
        assert "/sign-in/" in refused["Location"]
        # A visitor does not learn which pages there are.
        assert missing.status_code == 302
    answer = client_of(stranger).get("/status/all/")
    assert answer.status_code == 200
    assert "private" in answer["Cache-Control"]
    assert client_of(stranger).get("/status/none/").status_code == 404


def test_a_public_page_names_no_host_address_check_or_reason(client: Client) -> None:
    page = make_page(is_public=True)
    host = make_host("secret-host-7", address="10.77.0.9")
    check = make_check(
        name="internal check name",
        host=host,
        target="10.77.0.9",
        state="down",
        sentence="10.77.0.9 takes no connection on port 5432",
        notes="call Bob",
        site="cellar",
    )
    CheckFlip.objects.create(
        check_row=check,
        old="up",
        new="down",
        at=timezone.now(),
        sentence="10.77.0.9 is gone",
    )
    make_line(page, check, name_en="Database")
    job = make_heartbeat("hb-key", name="nightly job", last_body="10.77.0.9")
    StatusItem.objects.create(page=page, heartbeat=job, name_en="Backups")
    for address in ("/status/all/", "/status/all/badge.svg"):
        text = read(client, address)
        for word in (
            *("secret-host-7", "10.77", "internal check", "5432", "Bob", "cellar"),
            *("nightly", "hb-key", "service-checks", "/monitor/"),
        ):
            assert word not in text, f"{address} tells {word}"
    assert "Some services are down." in read(client)


def test_the_page_speaks_the_readers_language(client: Client) -> None:
    page = make_page(is_public=True, title_zh="我们的服务", text_en="Only English")
    make_line(page, make_check(), name_en="Shop", name_zh="商店")
    chinese = read(client, HTTP_ACCEPT_LANGUAGE="zh-hans")
    assert "我们的服务" in chinese
    assert "商店" in chinese
    assert "Only English" in chinese
    english = read(client, HTTP_ACCEPT_LANGUAGE="en")
    assert "Our services" in english
    assert "商店" not in english


def test_texts_of_people_are_drawn_as_text(client: Client) -> None:
    page = make_page(is_public=True, title_en=HOSTILE, text_en=HOSTILE)
    make_line(page, make_check(state="up"), name_en=HOSTILE, group_en=HOSTILE)
    StatusNote.objects.create(page=page, title_en=HOSTILE, text_en=HOSTILE)
    text = read(client)
    assert "<script>alert(1)" not in text
    assert "<img src=x" not in text
    assert not re.search(r"<[^>]*\s(style|on\w+)=", text)
    badge = read(client, "/status/all/badge.svg")
    assert "<script>" not in badge


def test_notes_stay_for_two_weeks_after_their_end(client: Client) -> None:
    page, now = make_page(is_public=True), timezone.now()
    for title, days in (("fresh", 1), ("gone", 30)):
        begun, ended = now - timedelta(days=days + 1), now - timedelta(days=days)
        StatusNote.objects.create(
            page=page, title_en=title, starts_at=begun, ends_at=ended
        )
    StatusNote.objects.create(page=page, title_en="goes on", kind="maintenance")
    text = read(client)
    assert "fresh" in text
    assert "goes on" in text
    assert "gone" not in text


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        (["up", "up"], "up"),
        (["up", "degraded"], "degraded"),
        (["degraded", "down", "up"], "down"),
        (["up", "paused", "unknown"], "up"),
        (["unknown"], "unknown"),
        ([], "unknown"),
    ],
)
def test_the_whole_is_as_bad_as_its_worst_line(states: list[str], whole: str) -> None:
    page = make_page()
    for state in states:
        make_line(page, make_check(state=state))
    assert content_of(page)["state"] == whole


def test_shares_and_bars_come_from_the_changes() -> None:
    page, now = make_page(), timezone.now()
    check = make_check(state="up")
    ServiceCheck.objects.update(known_from=now - timedelta(days=10))
    for hours, old, new in ((48, "up", "down"), (24, "down", "up")):
        at = now - timedelta(hours=hours)
        CheckFlip.objects.create(check_row=check, old=old, new=new, at=at)
    make_line(page, check)
    [line] = content_of(page)["groups"][0]["lines"]
    assert line["share"] == pytest.approx(90.0, abs=0.001)
    assert [bar["state"] for bar in line["bars"]].count("idle") == 79
    assert "danger" in [bar["state"] for bar in line["bars"]]


def test_the_page_is_worked_out_once_for_many_readers(
    client: Client, settings: Any
) -> None:
    page = make_page(is_public=True)
    for _number in range(12):
        make_line(page, make_check(state="up"))
    answer = client.get("/status/all/")
    assert f"max-age={settings.STATUS_PAGE_SECONDS}" in answer["Cache-Control"]
    # The page bears a token of a form, the badge does not.
    assert "private" in answer["Cache-Control"]
    assert "public" in client.get("/status/all/badge.svg")["Cache-Control"]
    with CaptureQueriesContext(connection) as asked:
        client.get("/status/all/")
    assert len(asked) == 1


def test_a_new_note_is_there_at_once(
    client: Client, client_of: Signed, admin: User
) -> None:
    page = make_page(is_public=True)
    client.get("/status/all/")
    made = client_of(admin).post(
        "/api/v1/status-notes/",
        {"page": page.pk, "title_en": "We know", "starts_at": "2026-11-20T10:00"},
        content_type="application/json",
    )
    assert made.status_code == 201, made.json()
    assert "We know" in client.get("/status/all/").content.decode()


def test_the_badge_is_a_picture_that_says_the_state(client: Client) -> None:
    page = make_page(is_public=True, title_en="Shop & Co")
    make_line(page, make_check(state="down"))
    answer = client.get("/status/all/badge.svg")
    assert answer["Content-Type"] == "image/svg+xml"
    picture = ElementTree.fromstring(answer.content)  # noqa: S314 - our own
    texts = [each.text for each in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["Shop & Co", "down"]


def test_lines_of_checks_that_one_may_not_see_are_not_shown_to_one(
    client_of: Signed, group: HostGroup, other_group: HostGroup
) -> None:
    page = make_page()
    seen = make_line(page, make_check(host_group=group), name_en="seen")
    hidden = make_line(page, make_check(host_group=other_group), name_en="hidden")
    reader = make_user(
        perms=["monitor.view_servicecheck", "monitor.view_statusitem"], groups=[group]
    )
    listed = client_of(reader).get("/api/v1/status-lines/").json()["results"]
    assert [row["id"] for row in listed] == [seen.pk]
    detail = client_of(reader).get(f"/monitor/status-lines/{hidden.pk}/")
    assert detail.status_code == 404


def test_a_scoped_grant_changes_no_status_page(
    client_of: Signed, group: HostGroup
) -> None:
    page = make_page()
    perms = [f"monitor.{verb}_statuspage" for verb in ("view", "change")]
    keeper = make_user(perms=perms, groups=[group])
    answer = client_of(keeper).patch(
        f"/api/v1/status-pages/{page.pk}/",
        {"is_public": True},
        content_type="application/json",
    )
    assert answer.status_code == 403
    page.refresh_from_db()
    assert not page.is_public
