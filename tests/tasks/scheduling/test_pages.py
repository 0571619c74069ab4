"""The pages of schedules: next times while one types, results, pausing with a reason, the card of the home page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import HostGroup
from tasks.models import Schedule, ScheduleNotice
from tasks.scheduling.judging import judge
from tasks.services.schedules import spec_for
from tests.factories import grant, make_host, make_user
from tests.tasks.schedule_things import (
    at,
    ended,
    make_calendar,
    make_schedule,
    ticked,
)

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
PREVIEW = "/tasks/schedules/preview/"
HOSTILE = "<script>alert(1)</script>"


def test_the_page_shows_the_next_five_times_in_both_zones(
    client_of: Signed, admin: User
) -> None:
    User.objects.filter(pk=admin.pk).update(time_zone="Europe/Berlin")
    schedule = make_schedule(admin, crontab="30 2 * * *", time_zone="Asia/Shanghai")
    answer = client_of(User.objects.get(pk=admin.pk)).get(
        f"{schedule.get_absolute_url()}?tab=times"
    )
    page = answer.content.decode()
    assert len(answer.context["times"]) == 5
    assert page.count("02:30 CST") == 5
    assert "Europe/Berlin" in page


def test_the_next_times_are_shown_while_one_types(
    client_of: Signed, admin: User
) -> None:
    nights = make_calendar("daily 22:00-06:00", name="nights")
    typed = {
        "crontab": "0 20 * * 1-5",
        "time_zone": "Asia/Shanghai",
        "only_in": nights.pk,
        "outside": "wait",
    }
    answer = client_of(admin).get(PREVIEW, typed)
    page = answer.content.decode()
    assert len(answer.context["times"]) == 5
    assert "At 20:00, Monday through Friday (Asia/Shanghai)" in page
    assert "waits until" in page
    assert "Outside the windows of nights" in page
    assert not Schedule.objects.exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"crontab": "61 * * * *"}, "The field minute cannot be 61"),
        ({"crontab": HOSTILE}, "A crontab has five fields"),
        ({"time_zone": HOSTILE, "crontab": "* * * * *"}, "There is no time zone"),
        ({"crontab": "* * * * *", "every_minutes": "5"}, "one kind of time only"),
        ({}, "Say every how many minutes"),
        ({"only_in": "1 OR 1=1", "crontab": "* * * * *"}, "valid choice"),
    ],
)
def test_what_cannot_be_is_said_while_one_types(
    client_of: Signed, admin: User, typed: dict[str, str], said: str
) -> None:
    answer = client_of(admin).get(PREVIEW, {"time_zone": "UTC"} | typed)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert said in page
    assert HOSTILE not in page


def test_results_are_a_table_with_the_reason_of_what_did_not_run(
    client_of: Signed, admin: User
) -> None:
    schedule = make_schedule(admin)
    (run,) = ticked(at("2026-11-20 09:00:02"))
    ticked(at("2026-11-20 10:00:02"))
    ended(run, seconds=90)
    judge(timezone.now())
    page = client_of(admin).get(f"{schedule.get_absolute_url()}?tab=runs")
    text = page.content.decode()
    assert run.get_absolute_url() in text
    assert "1 min 30 s" in text
    assert "still runs." in text


def test_who_may_not_see_a_run_gets_no_link_to_it(
    client_of: Signed, admin: User, operator: User, group: HostGroup
) -> None:
    grant(operator, ["tasks.view_schedule"], [group])
    schedule = make_schedule(admin)
    (run,) = ticked(at("2026-11-20 09:00:02"))
    schedule.hosts.set([make_host(groups=[group])])
    page = client_of(operator).get(f"{schedule.get_absolute_url()}?tab=runs")
    assert page.status_code == 200
    assert run.get_absolute_url() not in page.content.decode()


def test_pausing_asks_why_and_the_page_says_it(client_of: Signed, admin: User) -> None:
    schedule = make_schedule(admin)
    client = client_of(admin)
    page = f"/tasks/schedules/{schedule.pk}/disable/"
    assert "Reason" in client.get(page).content.decode()
    schedule.refresh_from_db()
    assert schedule.enabled is True
    assert client.post(page, {"reason": HOSTILE}).status_code == 302
    schedule.refresh_from_db()
    assert (schedule.enabled, schedule.next_at) == (False, None)
    shown = client.get(schedule.get_absolute_url()).content.decode()
    assert "&lt;script&gt;alert(1)" in shown
    assert HOSTILE not in shown
    assert AuditEntry.objects.get(verb="schedule.update").reason == HOSTILE
    client.post(f"/tasks/schedules/{schedule.pk}/enable/")
    schedule.refresh_from_db()
    assert (schedule.enabled, schedule.notice) == (True, "")
    assert schedule.next_at > timezone.now()


def test_the_card_tells_what_fails_of_what_the_reader_sees(
    client_of: Signed, admin: User
) -> None:
    schedule = make_schedule(admin, name="the nightly one")
    Schedule.objects.update(failures=2)
    ScheduleNotice.objects.create(schedule=schedule, kind="failed", key="1", text="t")
    page = client_of(admin).get("/tasks/schedules/card/").content.decode()
    assert "the nightly one" in page
    blind = make_user(
        perms=["tasks.view_schedule"], groups=[HostGroup.objects.create(name="g")]
    )
    page = client_of(blind).get("/tasks/schedules/card/").content.decode()
    assert "the nightly one" not in page
    stranger = make_user()
    assert client_of(stranger).get("/tasks/schedules/card/").status_code == 403


def test_the_list_costs_as_many_queries_for_twenty_schedules_as_for_two(
    client_of: Signed, admin: User
) -> None:
    client = client_of(admin)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/tasks/schedules/?per_page=50").status_code == 200
        return len(queries)

    nights = make_calendar("daily 22:00-06:00")
    for number in range(2):
        make_schedule(
            admin, only_in=nights, results=[{"status": "ok", "seconds": number}]
        )
    asked()
    few = asked()
    for number in range(18):
        make_schedule(
            admin, only_in=nights, results=[{"status": "ok", "seconds": number}]
        )
    assert asked() == few


def test_secrets_stay_sealed_through_an_edit_and_reach_the_run(
    client_of: Signed, admin: User
) -> None:
    schedule = make_schedule(
        admin,
        kind="module",
        module="ping",
        sealed='{"password": "s3cret-word"}',
        variables={"plain": "1"},
    )
    client = client_of(admin)
    page = client.get(f"/tasks/schedules/{schedule.pk}/edit/")
    assert "s3cret-word" not in page.content.decode()
    answer = client.patch(
        f"/api/v1/schedules/{schedule.pk}/",
        {"name": "renamed"},
        content_type="application/json",
    )
    assert answer.status_code == 200, answer.content
    assert "s3cret-word" not in answer.content.decode()
    schedule.refresh_from_db()
    assert schedule.name == "renamed"
    spec = spec_for(schedule)
    assert spec.secret_answers == {"password": "s3cret-word"}
    assert spec.variables == {"plain": "1"}
    for entry in AuditEntry.objects.all():
        assert "s3cret-word" not in str(entry.changes)


def test_a_file_of_schedules_brings_no_secrets(client_of: Signed, admin: User) -> None:
    page = client_of(admin).get("/tasks/schedules/import/").content.decode()
    assert "crontab" in page
    assert "secret_answers" not in page
    assert "kept_secrets" not in page
