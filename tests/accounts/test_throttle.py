"""How guessing is slowed down: what counts together, who is not held up, and that nothing lasts."""

import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from django.conf import settings as portal
from django.core.cache import cache

from accounts import throttle
from accounts.throttle import TooManyAttempts

HOME, AWAY = "10.0.0.1", "10.9.9.9"
MANY = """
import django, os
django.setup()
from accounts import throttle
for n in range(5):
    try:
        throttle.attempt("ann", "10.0.0.1")
        print("checked")
    except throttle.TooManyAttempts:
        print("waits")
"""


@pytest.fixture
def real_cache(settings: Any) -> None:
    """The portal's own cache on a real server, which all processes share."""
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": settings.REDIS_URL,
            "KEY_PREFIX": "adminset",
        }
    }
    cache.clear()


def passes(who: str, address: str, **more: Any) -> bool:
    """Say whether an attempt may go on to the check of what was given."""
    try:
        throttle.attempt(who, address, **more)
    except TooManyAttempts:
        return False
    return True


def test_a_few_attempts_pass_then_the_pair_waits(settings: Any) -> None:
    counts = [throttle.attempt("ann", HOME) for _ in range(5)]
    assert counts == [1, 2, 3, 4, 5]
    for is_first in (True, False):
        with pytest.raises(TooManyAttempts) as error:
            throttle.attempt("ANN", HOME)
        assert error.value.status == 429
        assert error.value.is_first is is_first
        assert 1 <= (error.value.retry_after or 0) <= settings.SIGN_IN_WINDOW_SECONDS
    assert passes("ann", AWAY)
    assert passes("bob", HOME)


def test_kinds_share_no_count() -> None:
    while passes("code:5", HOME, kind="password"):
        continue
    assert passes("code:5", HOME)
    assert passes("code:5", HOME, kind="totp")


def test_one_password_tried_on_many_accounts_is_noticed(settings: Any) -> None:
    settings.SIGN_IN_ADDRESS_ATTEMPTS = 10
    assert [passes(f"user{n}", HOME) for n in range(12)] == [True] * 10 + [False] * 2
    assert passes("user1", AWAY)


def test_an_account_of_ones_own_buys_no_more_guesses(settings: Any) -> None:
    settings.SIGN_IN_ADDRESS_ATTEMPTS = 10
    guesses = 0
    for number in range(40):
        if passes("mine", HOME):
            throttle.forget("mine", HOME)
        guesses += passes(f"victim{number}", HOME)
    assert guesses == 10


def test_guesses_from_many_addresses_are_noticed(settings: Any) -> None:
    settings.SIGN_IN_ACCOUNT_ATTEMPTS = 10
    found = [passes("ann", f"10.1.1.{n}") for n in range(12)]
    assert found == [True] * 10 + [False] * 2
    assert passes("bob", "10.1.1.1")


def test_strangers_do_not_lock_out_an_address_that_is_known(settings: Any) -> None:
    settings.SIGN_IN_ACCOUNT_ATTEMPTS = 10
    while passes("ann", "10.1.1.1") or passes("ann", "10.1.1.2"):
        continue
    for number in range(20):
        passes("ann", f"10.2.2.{number}")
    assert not passes("ann", AWAY)
    assert passes("ann", HOME, is_known=lambda: True)
    assert [passes("ann", HOME, is_known=lambda: True) for _ in range(5)] == [
        True,
        True,
        True,
        True,
        False,
    ]


def test_whether_an_address_is_known_is_asked_only_when_it_matters() -> None:
    def asked() -> bool:
        raise AssertionError("asked")

    assert passes("ann", HOME, is_known=asked)


def test_a_success_forgets_the_pair(settings: Any) -> None:
    for _round in range(3):
        assert [passes("ann", HOME) for _ in range(5)] == [True] * 5
        throttle.forget("ann", HOME)


@pytest.mark.usefixtures("real_cache")
def test_every_count_ends_with_its_window_and_none_stays() -> None:
    client = redis.Redis.from_url(portal.REDIS_URL)
    while passes("ann", HOME):
        continue
    throttle.forget("ann", AWAY)
    keys = client.keys("adminset:*")
    assert len(keys) >= 3
    lives = [client.ttl(key) for key in keys]
    assert all(0 < life <= portal.SIGN_IN_WINDOW_SECONDS for life in lives)
    for key in keys:
        client.delete(key)
    assert passes("ann", HOME)


@pytest.mark.usefixtures("real_cache")
def test_a_count_that_lost_its_end_gets_one_with_the_next_window() -> None:
    client = redis.Redis.from_url(portal.REDIS_URL)
    pair = throttle._keys("ann", HOME, "other")[0]
    client.set(f"adminset:1:{pair}", 0)
    assert client.ttl(f"adminset:1:{pair}") == -1
    throttle.attempt("ann", HOME)
    assert client.ttl(f"adminset:1:{pair}") > 0


@pytest.mark.usefixtures("real_cache")
def test_of_twenty_parallel_guesses_five_are_checked() -> None:
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda _n: passes("ann", HOME), range(20)))
    assert Counter(found) == {True: 5, False: 15}


@pytest.mark.usefixtures("real_cache")
def test_four_processes_count_together() -> None:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "adminset.settings",
        "REDIS_URL": portal.REDIS_URL,
    }
    started = [
        subprocess.Popen(
            [sys.executable, "-c", MANY], env=environment, stdout=subprocess.PIPE
        )
        for _ in range(4)
    ]
    words = b"".join(process.communicate(timeout=60)[0] for process in started)
    assert Counter(words.split()) == {b"checked": 5, b"waits": 15}


def test_nobody_is_held_up_while_redis_is_away(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:9/0",
        }
    }
    assert [throttle.attempt("ann", HOME) for _ in range(8)] == [0] * 8
    throttle.forget("ann", HOME)
    assert "not throttled" in caplog.text
    assert "ann" not in caplog.text
