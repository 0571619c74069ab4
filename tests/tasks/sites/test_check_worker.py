"""What a worker lacks is said before it starts, in one sentence."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from adminset import audit, redis_door
from cmdb.models import Credential
from tasks.models import Site
from tests.tasks.site_things import with_workers

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(admin: User, settings, tmp_path) -> Site:
    settings.RUN_DIR = tmp_path / "runs"
    Credential.objects.create(name="farm", username="root", password="p4ss-word")
    made = with_workers()
    audit.record(admin, "site.create", made)
    return made


def check(*queues: str) -> str:
    """Give what the check says; "" where all is well."""
    try:
        call_command("check_worker", ",".join(queues))
    except CommandError as error:
        return str(error)
    return ""


def test_nothing_is_said_where_all_is_well(site: Site) -> None:
    assert check("idc.bj", "runs") == ""


def test_a_queue_that_no_site_has(site: Site) -> None:
    assert check("idc.bj", "idc.sh").startswith("No site in use has the queue idc.sh.")


@pytest.mark.parametrize(
    ("name", "words"),
    [("ENCRYPTION_KEYS", "The key ring here"), ("AUDIT_KEYS", "The audit key here")],
)
def test_keys_of_another_portal(site: Site, settings, name: str, words: str) -> None:
    setattr(settings, name, {"other": os.urandom(32)})
    said = check("idc.bj")
    assert said.startswith(words)
    assert "p4ss-word" not in said


@pytest.mark.parametrize(("seconds", "words"), [(-60, "behind"), (60, "ahead of")])
def test_a_clock_that_goes_wrong(
    site: Site, monkeypatch: pytest.MonkeyPatch, seconds: int, words: str
) -> None:
    wrong = timezone.now() + timedelta(seconds=seconds)
    monkeypatch.setattr(timezone, "now", lambda: wrong)
    said = check("idc.bj")
    assert f" s {words} that of the portal's database." in said


def test_a_secret_key_of_its_own_is_no_matter(site: Site, settings) -> None:
    settings.SECRET_KEY = "made-on-that-machine-by-itself-" * 2
    assert check("idc.bj") == ""


def test_a_redis_that_is_away(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise redis_door.redis.ConnectionError("secret of redis")

    monkeypatch.setattr(redis_door.client(), "ping", away)
    assert check("idc.bj") == (
        "The portal's Redis (REDIS_URL) does not answer here: ConnectionError."
    )
