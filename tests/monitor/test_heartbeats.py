"""Heartbeats: signs come in by a key, late and missing ones are found, whoever sends is not trusted."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from adminset import maintenance, redis_door
from adminset.models import AuditEntry
from monitor.heartbeats import sweeping
from monitor.models import CheckFlip, Heartbeat
from tests.cmdb.things import HOSTILE
from tests.monitor.check_things import make_heartbeat

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


@pytest.fixture(autouse=True)
def swept(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What is noted of the last sweep: it was a moment ago."""
    notes = {sweeping.SWEPT: str(timezone.now().timestamp())}
    monkeypatch.setattr(redis_door, "noted", lambda name: notes.get(name, ""))
    monkeypatch.setattr(
        redis_door, "note", lambda name, text, seconds: notes.update({name: text})
    )
    return notes


def ago(**parts: float) -> datetime:
    return timezone.now() - timedelta(**parts)


def moves(heartbeat: Heartbeat) -> list[tuple[str, str]]:
    return [*heartbeat.flips.order_by("pk").values_list("old", "new")]


@pytest.mark.parametrize("method", ["get", "post", "head"])
def test_a_sign_by_any_method_says_that_the_job_is_done(
    client: Client, method: str
) -> None:
    job = make_heartbeat("k1")
    answer = getattr(client, method)("/hb/k1")
    assert answer.status_code == 200
    job.refresh_from_db()
    assert (job.state, job.pings) == ("up", 1)
    assert job.last_ping_at > ago(seconds=10)
    due = job.alert_after - job.last_ping_at
    assert abs(due - timedelta(hours=1)) < timedelta(seconds=1)
    assert moves(job) == [("unknown", "up")]
    # A sign is no act of a person.
    assert AuditEntry.objects.count() == 0


def test_a_sign_needs_no_token_of_the_form(client: Client) -> None:
    make_heartbeat("k1")
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/hb/k1", b"x", content_type="text/plain").status_code == 200


def test_failures_and_exit_codes_are_told_at_once(client: Client) -> None:
    job = make_heartbeat("k1")
    client.get("/hb/k1/0")
    client.get("/hb/k1/3")
    job.refresh_from_db()
    assert (job.state, job.alert_after) == ("down", None)
    assert "3" in job.sentence
    client.get("/hb/k1")
    client.get("/hb/k1/fail")
    assert moves(job) == [
        ("unknown", "up"),
        ("up", "down"),
        ("down", "up"),
        ("up", "down"),
    ]
    assert client.get("/hb/k1/256").status_code == 404
    assert client.get("/hb/k1/rm").status_code == 404
    assert client.delete("/hb/k1").status_code == 405


def test_the_time_between_start_and_end_is_how_long_it_took(client: Client) -> None:
    job = make_heartbeat("k1")
    client.get("/hb/k1/start")
    job.refresh_from_db()
    assert (job.state, job.pings) == ("unknown", 0)
    Heartbeat.objects.update(started_at=ago(seconds=90))
    client.get("/hb/k1")
    job.refresh_from_db()
    assert 90_000 <= job.last_duration_ms < 100_000
    assert job.started_at is None


def test_a_body_is_kept_short_and_harmless(
    client: Client, client_of: Signed, admin: User, settings: Any
) -> None:
    settings.HEARTBEAT_BODY_BYTES = 200
    job = make_heartbeat("k1")
    body = f"line\x00 1\x1b[31m\r\n{HOSTILE}\n".encode() + b"\xff" * 10_000
    assert client.post("/hb/k1", body, content_type="text/plain").status_code == 200
    job.refresh_from_db()
    assert len(job.last_body) <= 200
    assert job.last_body.startswith("line 1[31m\n")
    assert "\x00" not in job.last_body
    assert "\u202e" not in job.last_body
    page = client_of(admin).get(f"{job.get_absolute_url()}?tab=results")
    assert "<script>alert(1)" not in page.content.decode()
    assert "&lt;script&gt;" in page.content.decode()


def test_a_wrong_key_tells_nothing_and_a_flood_of_them_is_held_up(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.heartbeats.views.MOST_MISSES", 3)
    make_heartbeat("k1")
    assert [client.get(f"/hb/wrong{n}").status_code for n in range(5)] == [
        *(404, 404, 404),
        *(429, 429),
    ]
    # Who shares the address is not held up.
    assert client.get("/hb/k1").status_code == 200


def test_a_job_gone_wild_is_slowed_down(client: Client, settings: Any) -> None:
    settings.HEARTBEAT_PER_MINUTE = 3
    job = make_heartbeat("k1")
    answers = [client.get("/hb/k1") for _n in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1]["Retry-After"] == "60"
    job.refresh_from_db()
    assert job.pings == 3


def test_one_that_does_not_come_is_late_first_and_then_down() -> None:
    job = make_heartbeat(state="up", last_ping_at=ago(hours=1), grace_seconds=600)
    Heartbeat.objects.update(alert_after=timezone.now() + timedelta(seconds=60))
    assert sweeping.sweep() == 0
    Heartbeat.objects.update(alert_after=ago(seconds=1))
    assert sweeping.sweep() == 1
    job.refresh_from_db()
    assert job.state == "degraded"
    assert str(job.badge["label"]) == "late"
    assert job.alert_after > timezone.now() + timedelta(seconds=590)
    assert sweeping.sweep() == 0
    Heartbeat.objects.update(alert_after=ago(seconds=1))
    assert (sweeping.sweep(), sweeping.sweep()) == (1, 0)
    assert moves(job) == [("up", "degraded"), ("degraded", "down")]


def test_a_sign_that_comes_late_ends_it(client: Client) -> None:
    job = make_heartbeat("k1", state="down", last_ping_at=ago(days=1))
    client.get("/hb/k1")
    job.refresh_from_db()
    assert job.state == "up"
    assert "again" in job.sentence


def test_a_crontab_in_its_zone_says_when_the_next_sign_is_due() -> None:
    job = make_heartbeat(crontab="30 2 * * *", time_zone="Asia/Shanghai")
    moment = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    assert job.due_after(moment) == datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
    # An hour that summer time leaves out does not come that day.
    paris = make_heartbeat(crontab="30 2 * * *", time_zone="Europe/Paris")
    night = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    assert paris.due_after(night) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


def test_nobody_is_late_for_the_time_that_the_portal_was_away(
    swept: dict[str, str],
) -> None:
    away = make_heartbeat(state="up", alert_after=ago(minutes=30), grace_seconds=0)
    before = make_heartbeat(state="up", alert_after=ago(hours=3), grace_seconds=0)
    swept[sweeping.SWEPT] = str(ago(hours=1).timestamp())
    assert sweeping.sweep() == 1
    away.refresh_from_db()
    before.refresh_from_db()
    assert (away.state, before.state) == ("up", "down")
    assert away.alert_after > timezone.now() + timedelta(seconds=250)


def test_nobody_is_late_during_maintenance(monkeypatch: pytest.MonkeyPatch) -> None:
    job = make_heartbeat(state="up", alert_after=ago(hours=1), grace_seconds=0)
    monkeypatch.setattr(maintenance, "is_on", lambda: True)
    assert sweeping.sweep() == 0
    assert moves(job) == []


def test_a_paused_one_takes_signs_and_stays_paused(client: Client) -> None:
    job = make_heartbeat("k1", enabled=False, state="paused")
    assert client.get("/hb/k1/fail").status_code == 200
    job.refresh_from_db()
    assert (job.state, job.pings) == ("paused", 1)
    assert moves(job) == []


def test_a_new_schedule_counts_from_the_last_sign(
    client_of: Signed, admin: User
) -> None:
    job = make_heartbeat(state="degraded", last_ping_at=ago(hours=2))
    answer = client_of(admin).patch(
        f"/api/v1/heartbeats/{job.pk}/",
        {"period_seconds": 86400},
        content_type="application/json",
    )
    assert answer.status_code == 200, answer.json()
    job.refresh_from_db()
    assert job.state == "up"
    assert job.alert_after == job.last_ping_at + timedelta(days=1)


def test_a_flapping_job_writes_each_change_once(client: Client) -> None:
    job = make_heartbeat("k1", state="up")
    for word in ("fail", "fail", "0", "0", "fail"):
        client.get(f"/hb/k1/{word}")
    assert moves(job) == [("up", "down"), ("down", "up"), ("up", "down")]
    assert CheckFlip.objects.filter(told_at=None).count() == 3
