"""Work that runs by itself: exactly once a planned time, as its owner, in step with beat's table."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django_celery_beat.models import PeriodicTask

from accounts.models import Grant, User
from adminset.models import AuditEntry
from cmdb.models import HostGroup
from tasks import tasks
from tasks.models import Run, Schedule
from tasks.services.schedules import fire_schedule
from tests.crud import ResourceTests
from tests.factories import grant, make_host

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
    # As if it had been saved a day before the noon of these tests.
    Schedule.objects.filter(name=values["name"]).update(
        updated_at=NOON - timedelta(days=1)
    )
    return Schedule.objects.get(name=values["name"])


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


def test_two_fires_of_one_planned_time_make_one_run(
    client_of: Signed, owner: User, values: dict[str, Any]
) -> None:
    schedule = made(client_of(owner), values)
    run = fire_schedule(pk=schedule.pk, now=NOON)
    assert fire_schedule(pk=schedule.pk, now=NOON) is None
    assert fire_schedule(pk=schedule.pk, now=NOON.replace(minute=59)) is None
    assert run is not None
    assert (run.requested_by, run.title, run.planned_at) == (
        owner,
        "nightly",
        NOON.replace(second=0),
    )
    assert fire_schedule(pk=schedule.pk, now=NOON.replace(hour=13)) is not None
    schedule.refresh_from_db()
    assert (Run.objects.count(), schedule.run_count) == (2, 2)
    assert schedule.last_run_at == Run.objects.first().created_at


def test_a_scheduler_that_is_quicker_by_a_moment_leaves_one_run(
    client_of: Signed, owner: User, values: dict[str, Any], monkeypatch
) -> None:
    schedule = made(client_of(owner), values)
    fire_schedule(pk=schedule.pk, now=NOON)
    real, asked = type(Run.objects.all()).exists, []

    def exists(rows: Any) -> bool:
        if rows.model is Run and not asked:
            asked.append(rows)
            return False
        return real(rows)

    monkeypatch.setattr(type(Run.objects.all()), "exists", exists)
    assert fire_schedule(pk=schedule.pk, now=NOON) is None
    assert asked
    schedule.refresh_from_db()
    assert (Run.objects.count(), schedule.run_count) == (1, 1)


def test_beats_own_table_says_what_the_schedule_says(
    client_of: Signed, owner: User, values: dict[str, Any]
) -> None:
    client = client_of(owner)
    schedule = made(client, values)
    task = PeriodicTask.objects.get(task="tasks.fire_schedule")
    assert json.loads(task.args) == [schedule.pk]
    assert (task.enabled, task.crontab.hour, task.crontab.minute) == (True, "*", "0")
    changed = values | {"crontab": "", "every_minutes": "7"}
    save(client, changed, f"/tasks/schedules/{schedule.pk}/edit/")
    task.refresh_from_db()
    assert task.crontab.minute == "*/1"
    client.post(f"/tasks/schedules/{schedule.pk}/disable/")
    task.refresh_from_db()
    assert task.enabled is False
    client.post(f"/tasks/schedules/{schedule.pk}/delete/")
    assert not PeriodicTask.objects.filter(task="tasks.fire_schedule").exists()


@pytest.mark.parametrize(
    ("minutes", "ticks"),
    [(1, "*/1"), (15, "*/15"), (90, "*/30"), (1440, "0"), (7, "*/1")],
)
def test_beat_calls_at_every_planned_time_of_an_interval(
    client_of: Signed, owner: User, values: dict[str, Any], minutes: int, ticks: str
) -> None:
    made(client_of(owner), values | {"crontab": "", "every_minutes": minutes})
    task = PeriodicTask.objects.get(task="tasks.fire_schedule")
    assert (task.crontab.minute, str(task.crontab.timezone)) == (ticks, "UTC")


def test_a_time_before_the_schedule_was_saved_is_none_of_its_times(
    client_of: Signed, owner: User, values: dict[str, Any]
) -> None:
    schedule = made(client_of(owner), values)
    Schedule.objects.update(updated_at=NOON)
    assert fire_schedule(pk=schedule.pk, now=NOON + timedelta(minutes=5)) is None
    assert fire_schedule(pk=schedule.pk, now=NOON + timedelta(hours=1)) is not None


def test_an_owner_who_may_not_any_more_turns_the_schedule_off(
    client_of: Signed, owner: User, values: dict[str, Any]
) -> None:
    schedule = made(client_of(owner), values)
    Grant.objects.filter(user=owner).delete()
    assert fire_schedule(pk=schedule.pk, now=NOON) is None
    schedule.refresh_from_db()
    assert schedule.enabled is False
    assert "operator could not start it: You may not start runs" in schedule.notice
    assert PeriodicTask.objects.get(task="tasks.fire_schedule").enabled is False
    entry = AuditEntry.objects.get(verb="schedule.update")
    assert (entry.actor_kind, entry.actor_name) == ("system", "scheduler")
    assert not Run.objects.exists()


def test_an_owner_who_is_locked_out_turns_the_schedule_off(
    client_of: Signed, owner: User, admin: User, values: dict[str, Any]
) -> None:
    schedule = made(client_of(owner), values)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert fire_schedule(pk=schedule.pk, now=NOON) is None
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
        ({"crontab": "x"}, "crontab"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"groups": []}, "hosts"),
        ({"command": ""}, "command"),
        ({"kind": "playbook"}, "playbook"),
        ({"kind": "nonsense"}, "kind"),
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


def test_the_page_shows_the_next_five_times(
    client_of: Signed, owner: User, values: dict[str, Any]
) -> None:
    schedule = made(client_of(owner), values)
    page = client_of(owner).get(f"{schedule.get_absolute_url()}?tab=times")
    assert len(page.context["times"]) == 5
    assert (
        client_of(owner).get(f"{schedule.get_absolute_url()}?tab=runs").status_code
        == 200
    )
