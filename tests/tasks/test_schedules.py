"""Work that runs by itself: exactly once a planned time, as its owner; saved, paused and run now by people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Grant, User
from adminset.models import AuditEntry
from cmdb.models import HostGroup
from tasks import tasks
from tasks.models import Run, Schedule, ScheduleTime
from tests.crud import ResourceTests
from tests.factories import grant, make_host
from tests.tasks.schedule_things import ended, ticked

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
NOON = datetime(2026, 11, 21, 12, 0, 20, tzinfo=UTC)


@pytest.fixture
def owner(operator: User, group: HostGroup) -> User:
    actions = ("view", "add", "change", "delete")
    grant(operator, [f"tasks.{action}_schedule" for action in actions], [group])
    return operator


@pytest.fixture
def values(group: HostGroup) -> dict[str, Any]:
    make_host("one", groups=[group])
    return {
        "name": "nightly",
        "kind": "command",
        "command": "date",
        "groups": [group.pk],
        "crontab": "0 * * * *",
        "time_zone": "UTC",
        "enabled": "on",
        "timeout_seconds": 60,
        "forks": 5,
    }


def save(
    client: Client, values: dict[str, Any], url: str = "/tasks/schedules/add/"
) -> Any:
    return client.post(url, values)


def made(client: Client, values: dict[str, Any]) -> Schedule:
    answer = save(client, values)
    assert answer.status_code == 302, answer.context["form"].errors
    schedule = Schedule.objects.get(name=values["name"])
    # As if it had been saved a minute before the noon of these tests.
    schedule.plan_next(NOON - timedelta(minutes=1))
    schedule.save()
    return schedule


class TestScheduleResource(ResourceTests):
    model = Schedule

    def make(self, number: int = 0, *, outside: bool = False) -> Schedule:
        owner = User.objects.filter(username="admin").first()
        schedule = Schedule.objects.create(
            name=f"schedule {number}", command="id", every_minutes=5, run_as=owner
        )
        schedule.hosts.add(make_host())
        return schedule

    def valid(self) -> dict[str, Any]:
        return {
            "name": "typed",
            "kind": "command",
            "command": "id",
            "hosts": [make_host().pk],
            "every_minutes": 5,
            "time_zone": "UTC",
            "timeout_seconds": 60,
            "forks": 5,
        }


def test_a_planned_time_runs_once_as_the_owner(
    client_of: Signed, owner: User, values: dict[str, Any]
) -> None:
    schedule = made(client_of(owner), values)
    (run,) = ticked(NOON)
    assert ticked(NOON) == []
    assert ticked(NOON.replace(minute=59)) == []
    assert (run.requested_by, run.title, run.planned_at) == (
        owner,
        "nightly",
        NOON.replace(second=0),
    )
    ended(run)
    assert len(ticked(NOON.replace(hour=13))) == 1
    schedule.refresh_from_db()
    assert (Run.objects.count(), schedule.run_count) == (2, 2)
    assert schedule.last_run_at == Run.objects.first().created_at


def test_a_change_of_the_times_plans_anew_and_another_change_does_not(
    client_of: Signed, owner: User, values: dict[str, Any]
) -> None:
    client = client_of(owner)
    schedule = made(client, values)
    page = f"/tasks/schedules/{schedule.pk}/edit/"
    assert save(client, values | {"command": "uptime"}, page).status_code == 302
    schedule.refresh_from_db()
    assert (schedule.command, schedule.next_at) == ("uptime", NOON.replace(second=0))
    changed = values | {"crontab": "", "every_minutes": "7"}
    assert save(client, changed, page).status_code == 302
    schedule.refresh_from_db()
    assert schedule.next_at > timezone.now()


def test_an_owner_who_may_not_any_more_turns_the_schedule_off(
    client_of: Signed, owner: User, values: dict[str, Any]
) -> None:
    schedule = made(client_of(owner), values)
    Grant.objects.filter(user=owner).delete()
    assert ticked(NOON) == []
    schedule.refresh_from_db()
    assert (schedule.enabled, schedule.next_at) == (False, None)
    assert "operator could not start it: You may not start runs" in schedule.notice
    assert ScheduleTime.objects.get().state == "skipped"
    entry = AuditEntry.objects.get(verb="schedule.update")
    assert (entry.actor_kind, entry.actor_name) == ("system", "scheduler")
    assert not Run.objects.exists()


def test_an_owner_who_is_locked_out_turns_the_schedule_off(
    client_of: Signed, owner: User, admin: User, values: dict[str, Any]
) -> None:
    schedule = made(client_of(owner), values)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert ticked(NOON) == []
    schedule.refresh_from_db()
    assert "cannot sign in" in schedule.notice
    page = client_of(admin).get(schedule.get_absolute_url()).content.decode()
    assert "cannot sign in" in page


def test_whoever_changes_a_schedule_is_the_one_as_whom_it_runs(
    client_of: Signed, owner: User, admin: User, values: dict[str, Any]
) -> None:
    schedule = made(client_of(admin), values)
    assert schedule.run_as == admin
    answer = save(
        client_of(owner),
        values | {"command": "reboot"},
        f"/tasks/schedules/{schedule.pk}/edit/",
    )
    assert answer.status_code == 302
    schedule.refresh_from_db()
    assert (schedule.command, schedule.run_as) == ("reboot", owner)


def test_an_operator_cannot_schedule_or_change_what_runs_elsewhere(
    client_of: Signed,
    owner: User,
    admin: User,
    values: dict[str, Any],
    other_group: HostGroup,
) -> None:
    foreign = make_host("foreign", groups=[other_group])
    answer = save(client_of(owner), values | {"hosts": [foreign.pk]})
    assert answer.status_code == 422
    mixed = made(
        client_of(admin), values | {"groups": [other_group.pk, *values["groups"]]}
    )
    client = client_of(owner)
    assert client.get(mixed.get_absolute_url()).status_code == 200
    assert client.get(f"/tasks/schedules/{mixed.pk}/edit/").status_code == 403
    assert client.post(f"/tasks/schedules/{mixed.pk}/disable/").status_code == 403
    beyond = made(
        client_of(admin), values | {"name": "beyond", "groups": [other_group.pk]}
    )
    assert client.get(beyond.get_absolute_url()).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"crontab": "", "every_minutes": ""}, "every_minutes"),
        ({"every_minutes": "5"}, "every_minutes"),
        ({"once_at": "2030-01-01T10:00"}, "every_minutes"),
        ({"crontab": "", "once_at": "2020-01-01T10:00"}, "once_at"),
        (
            {"starts_at": "2030-01-02T10:00", "ends_at": "2030-01-01T10:00"},
            "ends_at",
        ),
        ({"overlap": "nonsense"}, "overlap"),
        ({"grace_seconds": "1"}, "grace_seconds"),
        ({"crontab": "x"}, "crontab"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"groups": []}, "hosts"),
        ({"command": ""}, "command"),
        ({"kind": "playbook"}, "playbook"),
        ({"kind": "nonsense"}, "kind"),
        ({"only_in": "77"}, "only_in"),
    ],
)
def test_a_schedule_that_cannot_be_says_which_field(
    client_of: Signed,
    owner: User,
    values: dict[str, Any],
    change: dict[str, Any],
    field: str,
) -> None:
    answer = save(client_of(owner), values | change)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not Schedule.objects.exists()


def test_run_now_runs_as_the_one_who_asks(
    client_of: Signed,
    owner: User,
    admin: User,
    values: dict[str, Any],
    monkeypatch,
    django_capture_on_commit_callbacks,
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(tasks, "run_run", SimpleNamespace(delay=sent.append))
    schedule = made(client_of(owner), values)
    with django_capture_on_commit_callbacks(execute=True):
        answer = client_of(admin).post(f"/tasks/schedules/{schedule.pk}/run-now/")
    run = Run.objects.get()
    assert (answer.status_code, run.requested_by, run.schedule, run.planned_at) == (
        302,
        admin,
        schedule,
        None,
    )
    assert sent == [run.pk]
