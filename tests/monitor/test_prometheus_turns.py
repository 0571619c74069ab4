"""Queries of Grafana: so many at once in all and of one user; the rest waits a little, and is told to come later."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from monitor.prometheus import query, turns
from monitor.prometheus.turns import NoTurnError, Turns
from monitor.store import MetricStore
from tests.factories import make_user
from tests.monitor.prometheus_sender import ask, bearer, token_of


@pytest.fixture(autouse=True)
def _few(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.PROM_QUERIES_AT_ONCE, settings.PROM_QUERIES_PER_USER = 3, 2
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.05)
    turns.turns.cache_clear()
    yield
    turns.turns.cache_clear()


def refused(all_turns: Turns, user: int) -> int:
    with pytest.raises(NoTurnError) as no, all_turns.turn(user):
        pass
    assert no.value.retry_after
    return no.value.status


def test_one_user_is_told_of_his_own_queries_and_others_of_all() -> None:
    made = Turns()
    with ExitStack() as held:
        held.enter_context(made.turn(1))
        held.enter_context(made.turn(1))
        assert refused(made, 1) == 429
        held.enter_context(made.turn(2))
        assert refused(made, 2) == 503
        assert refused(made, 3) == 503
    with made.turn(3):
        pass
    assert not made._running
    assert not made._waiting


def test_who_waits_has_his_turn_when_another_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "WAIT_SECONDS", 20)
    made, had = Turns(), threading.Event()

    def wait() -> None:
        with made.turn(1):
            had.set()

    with made.turn(1):
        with made.turn(1):
            waiting = threading.Thread(target=wait)
            waiting.start()
            assert not had.wait(0.1)
        assert had.wait(10)
    waiting.join(10)


def test_a_query_that_fails_gives_its_turn_back() -> None:
    made = Turns()
    for _ in range(5):
        with pytest.raises(ZeroDivisionError), made.turn(1):
            raise ZeroDivisionError
    assert not made._running


def test_not_all_threads_wait_for_one_user(settings: Any) -> None:
    made = Turns()
    made._waiting[1] = settings.PROM_QUERIES_PER_USER * turns.MOST_WAITING
    assert refused(made, 1) == 429
    with made.turn(2):
        pass


@pytest.mark.django_db
def test_grafana_is_told_in_its_own_words(
    measurements: MetricStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user("grafana", perms=["monitor.view_metrics"])
    headers = bearer(token_of(user, can_write=False))
    asked: list[str] = []
    monkeypatch.setattr(query, "instant", lambda *told: asked.append(told[1]))
    with turns.turns().turn(user.pk), turns.turns().turn(user.pk):
        answer = ask("query", headers, query="up")
        # What needs no look at the store needs no turn.
        assert ask("status/buildinfo", headers).status_code == 200
    assert answer.status_code == 429
    assert answer.said["errorType"] == "unavailable"
    assert "2 queries under way" in answer.said["error"]
    assert int(answer["Retry-After"]) > 0
    assert asked == []
    assert ask("query", headers, query="up").status_code == 200
    assert asked == ["up"]
