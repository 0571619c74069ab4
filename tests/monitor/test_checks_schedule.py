"""The tick of the schedule: it calls the workers of the sites, and no more than they can take."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from kombu.exceptions import OperationalError

from adminset import redis_door
from monitor import tasks
from monitor.checks import calling, rounds
from tests.monitor.check_things import make_check


@pytest.mark.django_db
def test_the_schedule_calls_the_workers_of_each_site_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        "monitor.checks.calling.current_app.send_task",
        lambda name, args, **options: sent.append((name, args, options["queue"])),
    )
    make_check()
    make_check(site="paris")
    make_check(site="rome", next_at=timezone.now() + timedelta(hours=1))
    tasks.start_checks.apply().get()
    assert sent == [
        ("monitor.run_checks", [""], "adminset"),
        ("monitor.run_checks", ["paris"], "checks-paris"),
    ]


@pytest.mark.django_db
def test_a_site_without_workers_does_not_fill_the_broker() -> None:
    make_check(site="nobody")
    queue = calling.queue_of("nobody")
    redis_door.client().delete(queue)
    for _number in range(6):
        calling.start()
    assert redis_door.waiting(queue) == calling.MOST_WAITING
    redis_door.client().delete(queue)


@pytest.mark.django_db
def test_a_broker_that_is_away_stops_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*args: Any, **options: Any) -> None:
        raise OperationalError

    monkeypatch.setattr("monitor.checks.calling.current_app.send_task", away)
    make_check()
    calling.start()
    assert "checks wait for the schedule" in caplog.text
    # The next tick finds it due.
    assert rounds.sites_with_work() == [""]
