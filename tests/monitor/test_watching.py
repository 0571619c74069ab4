"""Who is watched: told by a page, known to every process within a second, forgotten by itself."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.test import Client
from django.utils import timezone

from accounts.models import User
from adminset import redis_door
from adminset.errors import DomainError
from cmdb.models import Agent, Host, HostGroup
from monitor import agent_auth, watching
from monitor.policy import policies
from monitor.watch_views import seconds_to_live
from tests.factories import make_host

pytestmark = pytest.mark.django_db


def is_watched(host_id: int) -> bool:
    watching.look()
    return watching.was_watched(host_id)


@pytest.fixture(autouse=True)
def _nobody_watches() -> None:
    redis_door.client().delete(watching.NAME)
    watching.forget()


def test_a_page_says_that_it_watches_a_host(client_of: Any, admin: User) -> None:
    host, other = make_host(), make_host()
    answer = client_of(admin).post(f"/monitor/hosts/{host.pk}/watch/")
    assert answer.json() == {"seconds": 30, "live_in": None}
    assert is_watched(host.pk)
    assert not is_watched(other.pk)
    assert client_of(admin).get(f"/monitor/hosts/{host.pk}/watch/").status_code == 405


def test_nobody_watches_a_host_that_is_none_of_his_business(
    client_of: Any, operator: User, stranger: User, group: HostGroup
) -> None:
    host = make_host()
    assert (
        client_of(operator).post(f"/monitor/hosts/{host.pk}/watch/").status_code == 404
    )
    assert (
        client_of(stranger).post(f"/monitor/hosts/{host.pk}/watch/").status_code == 403
    )
    assert Client().post(f"/monitor/hosts/{host.pk}/watch/").status_code == 302
    assert not is_watched(host.pk)
    host.groups.add(group)
    assert (
        client_of(operator).post(f"/monitor/hosts/{host.pk}/watch/").status_code == 200
    )


@pytest.mark.parametrize(
    ("ago", "sample", "flush", "expected"),
    [
        (0, 15, 60, 63),
        (45, 15, 60, 18),
        (70, 15, 60, 63),
        (0, 40, 60, 103),
        (3, 1, 1, 4),
        (3600, 15, 60, None),
    ],
)
def test_a_page_says_when_it_is_live_at_the_latest(
    ago: int, sample: int, flush: int, expected: int | None, settings: Any
) -> None:
    settings.AGENT_SAMPLE_SECONDS, settings.AGENT_FLUSH_SECONDS = sample, flush
    policies.forget()
    host = make_host()
    seen = timezone.now() - timedelta(seconds=ago)
    agent = Agent.objects.create(host=host, secret_hash="x", last_seen_at=seen)
    said = seconds_to_live(host)
    assert said == expected or (said and expected and abs(said - expected) <= 1)
    agent.revoked_at = timezone.now()
    agent.save()
    assert seconds_to_live(Host.objects.get()) is None
    policies.forget()


def test_who_looks_away_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "WATCH_SECONDS", -1)
    watching.watch(7)
    assert not is_watched(7)


def test_without_redis_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    watching.watch(7)
    away = redis.Redis(port=9, socket_connect_timeout=0.2)
    monkeypatch.setattr(redis_door, "client", lambda: away)
    watching.watch(7)
    assert not is_watched(7)


def test_a_redis_that_swallows_what_it_is_asked_holds_no_proof_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, answers = threading.Semaphore(0), threading.Event()

    def silent(_name: str, _moment: float) -> dict[str, float]:
        asked.release()
        answers.wait(30)
        return {"7": time.time() + 30}

    monkeypatch.setattr(redis_door, "kept_after", silent)
    begun = time.monotonic()
    for _ in range(20):
        [found] = agent_auth.prove_many([f"Bearer {'a' * 32}.secret"])
        assert isinstance(found, DomainError)
    assert time.monotonic() - begun < 5
    assert asked.acquire(timeout=10)
    # One asks; the others do not even begin to.
    assert not asked.acquire(timeout=0.1)
    assert not watching.was_watched(7)
    answers.set()
    until = time.monotonic() + 10
    while not watching.was_watched(7) and time.monotonic() < until:
        time.sleep(0.01)
    assert watching.was_watched(7)
