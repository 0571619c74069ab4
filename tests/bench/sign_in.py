"""The door: what a sign-in costs beside the bare check of its password, and how many refused guesses it answers a second."""

import logging
import resource
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.core.cache import cache
from django.test import Client, override_settings
from django.test.utils import (
    get_runner,
    setup_test_environment,
    teardown_test_environment,
)
from django.urls import reverse

from accounts.models import User
from tests.bench.figures import Figure, percentile

ROUNDS, GUESSES = 30, 500
PASSWORD = "the password of the bench"
REAL = {
    # As the portal itself: the test suite hashes quickly and counts in memory.
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.Argon2PasswordHasher"],
    "CACHES": {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": settings.REDIS_URL,
        }
    },
}


def run(folder: Path) -> list[Figure]:
    """Measure through the test client: form, throttle, password, session and audit line included."""
    setup_test_environment()
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        logging.disable(logging.WARNING)  # a line for each refused guess
        with override_settings(**REAL):
            cache.clear()
            User.objects.create_superuser("bench", PASSWORD)
            return _figures()
    finally:
        logging.disable(logging.NOTSET)
        runner.teardown_databases(databases)
        teardown_test_environment()


def _figures() -> list[Figure]:
    encoded = make_password(PASSWORD)
    acts = (
        lambda: check_password(PASSWORD, encoded),
        lambda: _sign_in(PASSWORD, 302),
    )
    # In turns: what else the machine does then weighs on both.
    times = [[_ms(act) for act in acts] for _ in range(ROUNDS)]
    bare, whole = (percentile(row, 0.5) for row in zip(*times, strict=True))
    while _sign_in("a guess") != 429:
        continue
    before = time.perf_counter()
    for _ in range(GUESSES):
        _sign_in("a guess", 429)
    refused = GUESSES / (time.perf_counter() - before)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Figure("sign-in, argon2 p50", whole, "ms"),
        Figure("bare argon2 check p50", bare, "ms"),
        Figure("sign-in / bare argon2 check", whole / bare, "x", "1.5 (ours)"),
        Figure("refused guesses under throttling", refused, "1/s", "100 (ours)"),
        Figure("sign-in, peak memory of the process", peak, "MiB"),
    ]


def _ms(act: Callable[[], object]) -> float:
    before = time.perf_counter()
    act()
    return (time.perf_counter() - before) * 1000


def _sign_in(password: str, wanted: int | None = None) -> int:
    data = {"username": "bench", "password": password}
    status = Client().post(reverse("accounts:sign_in"), data).status_code
    if wanted is not None and status != wanted:
        raise AssertionError(f"the door answered {status}, not {wanted}")
    return status
