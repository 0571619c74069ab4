"""Calls of workers: they carry what they should, and fall over nothing when Redis is away."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from django.db import transaction
from kombu.exceptions import OperationalError

from adminset import calling


class Door:
    """Stands for Celery."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.calls: list[Any] = []

    def send_task(self, name: str, args: tuple[Any, ...], queue: str) -> None:
        if self.error:
            raise self.error
        self.calls.append((name, args, queue))


def test_a_call_goes_to_its_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door()
    monkeypatch.setattr(calling, "current_app", door)
    assert calling.send("a.task", 1, "b", queue="builds")
    assert door.calls == [("a.task", (1, "b"), "builds")]


@pytest.mark.parametrize(
    "error", [OperationalError("away"), redis.ConnectionError("away"), OSError("away")]
)
def test_where_redis_is_away_it_is_said_and_nothing_falls(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    monkeypatch.setattr(calling, "current_app", Door(error))
    assert not calling.send("a.task", 1, queue="builds")
    assert "no worker could be called (away)" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_call_waits_until_the_transaction_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    door = Door()
    monkeypatch.setattr(calling, "current_app", door)
    with transaction.atomic():
        calling.send_later("a.task", 1, queue="builds")
        assert door.calls == []
    assert door.calls == [("a.task", (1,), "builds")]
