"""Planned deploys when something goes wrong or piles up: a fault leaves out one time and is said, waiting ones do not pile up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from adminset.models import AuditEntry
from delivery.models import Deploy, DeployRequest, DeploySchedule, DeployTime
from delivery.triggers import ticking
from delivery.triggers.making import make
from delivery.triggers.ticking import tick
from tests.delivery.safety.safety_things import Paper
from tests.delivery.triggers.trigger_things import NINE, due, states

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def broken(monkeypatch: pytest.MonkeyPatch, schedule: Any, error: Exception) -> None:
    """Let the wishes of one schedule fail."""
    wish = ticking.wish

    def fall(**wanted: Any) -> DeployRequest:
        if wanted["key"].startswith(f"schedule:{schedule.pk}:"):
            raise error
        return wish(**wanted)

    monkeypatch.setattr(ticking, "wish", fall)


def test_a_fault_that_nobody_foresaw_leaves_out_the_time_and_says_so(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule, other = due(paper), due(paper)
    broken(monkeypatch, schedule, RuntimeError("a mistake"))
    tick(NINE)
    row = DeployTime.objects.get(schedule=schedule)
    assert (row.state, row.planned_at) == ("skipped", NINE)
    assert "its log says which" in row.reason
    schedule.refresh_from_db()
    assert schedule.next_at == NINE + HOUR
    assert schedule.enabled
    assert "its log says which" in schedule.notice
    assert AuditEntry.objects.filter(verb="deployschedule.skip").count() == 1
    assert DeployRequest.objects.get().planned.schedule == other
    tick(NINE)
    assert DeployTime.objects.filter(schedule=schedule).count() == 1


def test_the_next_time_that_goes_well_takes_the_notice_away(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = due(paper)
    with monkeypatch.context() as patched:
        broken(patched, schedule, RuntimeError("a mistake"))
        tick(NINE)
    tick(NINE + HOUR)
    schedule.refresh_from_db()
    assert (schedule.notice, states()) == ("", ["skipped", "asked"])


def test_a_database_that_is_busy_is_asked_again_at_the_next_tick(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = due(paper)
    with monkeypatch.context() as patched:
        broken(patched, schedule, OperationalError("busy"))
        tick(NINE)
    assert not DeployTime.objects.exists()
    tick(NINE)
    assert states() == ["asked"]


def test_one_tick_takes_up_so_many_and_the_next_one_the_rest(
    paper: Paper, settings: Any
) -> None:
    settings.SCHEDULE_TICK_MOST = 1
    due(paper), due(paper)
    tick(NINE)
    assert DeployRequest.objects.count() == 1
    tick(NINE)
    assert DeployRequest.objects.count() == 2


def test_more_missed_times_than_there_are_rows_for_are_said_at_the_oldest(
    paper: Paper, settings: Any
) -> None:
    settings.SCHEDULE_MISSED_ROWS = 3
    due(paper)
    tick(NINE + 9.5 * HOUR)
    rows = DeployTime.objects.order_by("planned_at")
    assert [row.state for row in rows] == ["missed"] * 3
    assert "earlier times" in rows[0].reason
    assert "earlier times" not in rows[1].reason


def waiting_twice(paper: Paper) -> DeploySchedule:
    """Let one deploy of a schedule go on, and one wait behind it."""
    schedule: DeploySchedule = due(paper, overlap="queue")
    tick(NINE)
    make(DeployRequest.objects.get().pk)
    Deploy.objects.update(status="running")
    tick(NINE + HOUR)
    return schedule


def test_at_most_one_deploy_of_a_schedule_waits(paper: Paper) -> None:
    waiting_twice(paper)
    tick(NINE + 2 * HOUR)
    assert states() == ["asked", "asked", "overlapped"]
    make(DeployRequest.objects.latest("pk").pk)
    assert Deploy.objects.filter(status="waiting").count() == 1
    tick(NINE + 3 * HOUR)
    assert states() == ["asked", "asked", "overlapped", "overlapped"]
    assert "waits already" in DeployTime.objects.latest("planned_at").reason


def test_when_the_waiting_one_has_begun_the_next_may_wait(paper: Paper) -> None:
    waiting_twice(paper)
    make(DeployRequest.objects.latest("pk").pk)
    Deploy.objects.filter(status="running").update(status="ok")
    Deploy.objects.filter(status="waiting").update(status="running")
    tick(NINE + 2 * HOUR)
    assert states() == ["asked", "asked", "asked"]
