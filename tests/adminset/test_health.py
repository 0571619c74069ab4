"""What /healthz, /readyz and the page of the portal's state say when a part is away."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from adminset import beat, health, navigation, redis_door
from adminset.logs import LineFormatter
from monitor import metric_store

Signed = Callable[[User], Client]
PARTS = {
    "database",
    "redis",
    "mongodb",
    "worker",
    "runner",
    "urgent",
    "builder",
    "planner",
    "beat",
}


@pytest.fixture
def all_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every part answers."""
    health.forget_state()
    for name in PARTS:
        monkeypatch.setitem(health.PARTS, name, lambda: "answers")


def _away() -> str:
    raise ConnectionError("redis://:secret-word@10.0.0.5:6379/0 refused")


def test_healthz_asks_nobody(
    client: Client, django_assert_num_queries: Any, db: None
) -> None:
    with django_assert_num_queries(0):
        answer = client.get("/healthz")
    assert answer.json() == {"status": "ok"}


def test_ready_when_every_part_answers(client: Client, all_answer: None) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert set(answer.json()["parts"]) == PARTS


@pytest.mark.parametrize("name", sorted(PARTS))
def test_one_part_away_is_503_and_named(
    client: Client,
    all_answer: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: Any,
    name: str,
) -> None:
    monkeypatch.setitem(health.PARTS, name, _away)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    parts = answer.json()["parts"]
    assert [part for part in parts if parts[part]["status"] == "down"] == [name]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_nobody_learns_where_the_stores_are(
    client: Client, all_answer: None, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.REDIS_URL = "redis://:secret-word@10.0.0.5:6379/0"
    monkeypatch.setitem(health.PARTS, "redis", _away)
    text = client.get("/readyz").content.decode()
    assert "secret-word" not in text
    assert "10.0.0.5" not in text


def test_the_real_database_and_redis_answer_and_a_dead_store_does_not(
    db: None, settings: Any
) -> None:
    settings.MONGO_URL = "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=200"
    metric_store.store.cache_clear()
    parts = health.state()["parts"]
    metric_store.store.cache_clear()
    assert parts["database"]["status"] == "ok"
    assert parts["redis"]["status"] == "ok"
    assert parts["mongodb"]["status"] == "down"
    assert parts["worker"]["status"] == "down"


def test_the_scheduler_gives_a_sign_of_life() -> None:
    redis_door.client().delete(health.SIGN_OF_LIFE)
    with pytest.raises(RuntimeError):
        health.beat()
    beat.PortalScheduler._say_so(type("Scheduler", (), {"_said_at": 0.0})())
    assert health.beat()
    redis_door.client().set(health.SIGN_OF_LIFE, 1)
    with pytest.raises(RuntimeError):
        health.beat()


def test_the_page_of_the_state_names_every_part(
    client_of: Signed, admin: User, all_answer: None
) -> None:
    page = client_of(admin).get("/system/state/").content.decode()
    assert all(name in page for name in PARTS)


def test_a_lease_is_held_by_one(settings: Any) -> None:
    with redis_door.lease("test", 5) as first, redis_door.lease("test", 5) as second:
        assert (first, second) == (True, False)
    with redis_door.lease("test", 5) as again:
        assert again


def test_a_log_line_cannot_be_forged() -> None:
    record = logging.LogRecord(
        "x", logging.INFO, __file__, 1, "a\n2026 INFO forged\x1b[31m", (), None
    )
    record.request_id = "-"
    line = LineFormatter().format(record)
    assert "\n" not in line
    assert "\x1b" not in line
    assert "\\n2026 INFO forged" in line


# -- the menu


def test_the_menu_shows_what_its_reader_may_open(
    client_of: Signed, operator: User, auditor: User
) -> None:
    seen = client_of(operator).get("/").context["nav"]
    titles = {str(entry["title"]) for section in seen for entry in section["entries"]}
    assert "Hosts" in titles
    assert "Users" not in titles
    assert "Audit trail" in {
        str(e["title"])
        for s in client_of(auditor).get("/").context["nav"]
        for e in s["entries"]
    }


def test_the_menu_marks_where_one_is_and_its_urls_exist(
    client_of: Signed, admin: User
) -> None:
    for section in navigation.MENU:
        for entry in section.entries:
            url = navigation.reverse_or_none(entry.url_name)
            assert url, f"{entry.url_name} does not exist"
            nav = client_of(admin).get(url).context["nav"]
            active = [e["url"] for s in nav for e in s["entries"] if e["active"]]
            assert active == [url]


def test_every_home_card_draws_itself(client_of: Signed, admin: User) -> None:
    for card in navigation.CARDS:
        url = navigation.reverse_or_none(card.url_name)
        assert url
        assert client_of(admin).get(url).status_code == 200
