"""Who is watched: told by a page, known to every process within a second, forgotten by itself."""

from typing import Any

import pytest
import redis
from django.test import Client

from accounts.models import User
from adminset import redis_door
from cmdb.models import HostGroup
from monitor import watching
from tests.factories import make_host

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_watches() -> None:
    redis_door.client().delete(watching.NAME)
    watching.forget()


def test_a_page_says_that_it_watches_a_host(client_of: Any, admin: User) -> None:
    host, other = make_host(), make_host()
    answer = client_of(admin).post(f"/monitor/hosts/{host.pk}/watch/")
    assert answer.json() == {"seconds": 30}
    assert watching.is_watched(host.pk)
    assert not watching.is_watched(other.pk)
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
    assert not watching.is_watched(host.pk)
    host.groups.add(group)
    assert (
        client_of(operator).post(f"/monitor/hosts/{host.pk}/watch/").status_code == 200
    )


def test_who_looks_away_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "WATCH_SECONDS", -1)
    watching.watch(7)
    assert not watching.is_watched(7)


def test_without_redis_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    watching.watch(7)
    away = redis.Redis(port=9, socket_connect_timeout=0.2)
    monkeypatch.setattr(redis_door, "client", lambda: away)
    watching.watch(7)
    assert not watching.is_watched(7)
