"""Rounds of checks: what is due is asked once, whoever is at it; results become states, changes and samples."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from monitor import tasks
from monitor.checks import flips, rounds, samples
from monitor.checks.verdicts import Outcome
from monitor.models import CheckFlip, ServiceCheck
from monitor.store import MetricStore, StoreUnavailable
from tests.monitor.check_things import make_check
from tests.monitor.real_servers import web_server

GOOD = Outcome("up", "fine", 12.5)
BAD = Outcome("down", "broken")


@pytest.fixture(autouse=True)
def _may_go_here(
    settings: Any, measurements: MetricStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "_away_until", 0.0)
    settings.CHECK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    settings.CHECK_THREADS = 8


@pytest.fixture
def web() -> Iterator[Any]:
    with web_server() as server:
        yield server


def answer(check: ServiceCheck, *outcomes: Outcome) -> ServiceCheck:
    """Have a check answered so, one round each."""
    for outcome in outcomes:
        ServiceCheck.objects.filter(pk=check.pk).update(next_at=timezone.now())
        [job] = rounds.claim(check.site, 10)
        rounds.settle([(job, outcome)])
    check.refresh_from_db()
    return check


def moves(check: ServiceCheck) -> list[tuple[str, str]]:
    return [(flip.old, flip.new) for flip in check.flips.order_by("pk")]


@pytest.mark.django_db
def test_a_due_check_is_asked_for_real_by_the_celery_task(
    web: Any, measurements: MetricStore
) -> None:
    check = make_check(
        kind="http",
        target=f"http://127.0.0.1:{web.server_port}/",
        port=None,
        retries=0,
    )
    tasks.run_checks.apply(args=[""]).get()
    check.refresh_from_db()
    assert check.state == "up"
    assert "200" in check.sentence
    assert check.next_at > timezone.now() + timedelta(seconds=50)
    assert check.claim is None
    assert moves(check) == [("unknown", "up")]
    stored = measurements.latest([samples.number_of(check.pk)])
    values = stored[samples.number_of(check.pk)].values
    assert values["custom.check_up"] == 1.0
    assert values["custom.check_latency_ms"] == pytest.approx(check.latency_ms)
    assert len(web.asked) == 1


@pytest.mark.django_db
def test_what_is_not_due_paused_or_of_another_site_is_left_alone(web: Any) -> None:
    later = timezone.now() + timedelta(minutes=1)
    make_check(name="later", next_at=later)
    make_check(name="paused", enabled=False, state="paused")
    make_check(name="elsewhere", site="paris")
    assert rounds.run("", 2) == 0
    assert [job.check.name for job in rounds.claim("paris", 10)] == ["elsewhere"]


@pytest.mark.django_db
def test_a_check_is_down_only_after_its_retries_and_tells_it_once() -> None:
    check = answer(make_check(retries=2), GOOD, BAD, BAD)
    assert check.state == "up"
    # In doubt: asked again soon, not in a minute.
    assert check.next_at < timezone.now() + timedelta(seconds=20)
    answer(check, BAD, BAD, BAD)
    assert check.state == "down"
    assert check.sentence == "broken"
    assert moves(check) == [("unknown", "up"), ("up", "down")]
    told = CheckFlip.objects.get(new="down")
    assert told.told_at is None
    assert told.sentence == "broken"


@pytest.mark.django_db
def test_flapping_below_the_retries_changes_nothing() -> None:
    check = answer(make_check(retries=1), GOOD, *([BAD, GOOD] * 10))
    assert moves(check) == [("unknown", "up")]


@pytest.mark.django_db
def test_a_check_that_was_down_recovers_after_as_many_answers_as_it_says() -> None:
    check = answer(make_check(retries=0, recover_after=3), GOOD, BAD, GOOD, GOOD)
    assert check.state == "down"
    assert answer(check, GOOD).state == "up"
    since = check.since
    assert answer(check, GOOD).since == since


@pytest.mark.django_db
def test_a_result_for_a_check_that_was_changed_meanwhile_is_dropped() -> None:
    check = make_check(retries=0)
    [job] = rounds.claim("", 10)
    ServiceCheck.objects.filter(pk=check.pk).update(claim=None, target="127.0.0.2")
    rounds.settle([(job, BAD)])
    check.refresh_from_db()
    assert (check.state, check.sentence) == ("unknown", "")
    assert moves(check) == []


@pytest.mark.django_db
def test_checks_of_a_dead_worker_come_back_and_its_late_word_does_not_count(
    settings: Any,
) -> None:
    check = make_check(retries=0)
    [old] = rounds.claim("", 10)
    assert rounds.claim("", 10) == []
    past = timezone.now() - timedelta(seconds=1)
    ServiceCheck.objects.update(next_at=past)
    [new] = rounds.claim("", 10)
    rounds.settle([(new, GOOD)])
    rounds.settle([(old, BAD)])
    check.refresh_from_db()
    assert check.state == "up"
    assert moves(check) == [("unknown", "up")]


@pytest.mark.django_db
def test_a_question_that_never_comes_back_is_given_up(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.CHECK_PATIENCE_SECONDS = -1
    stuck = threading.Event()
    monkeypatch.setattr(rounds, "probe", lambda check: stuck.wait(10) and GOOD)
    check = make_check(retries=0, timeout_seconds=1)
    begun = time.monotonic()
    rounds.run("", 1)
    stuck.set()
    check.refresh_from_db()
    assert time.monotonic() - begun < 5
    assert check.state == "down"


@pytest.mark.django_db
def test_a_site_without_a_worker_makes_its_checks_unknown_not_down() -> None:
    old = timezone.now() - timedelta(hours=1)
    check = make_check(site="paris", state="up", next_at=old)
    fresh = make_check(state="up")
    assert rounds.mark_stale() == 1
    assert rounds.mark_stale() == 0
    check.refresh_from_db()
    fresh.refresh_from_db()
    assert (check.state, fresh.state) == ("unknown", "up")
    assert "paris" in check.sentence


@pytest.mark.django_db
def test_a_clock_that_was_put_back_does_not_stop_the_checks() -> None:
    ahead = timezone.now() + timedelta(hours=5)
    check = make_check(checked_at=ahead, next_at=ahead)
    assert rounds.claim("", 10) == []
    rounds.mark_stale()
    assert [job.check for job in rounds.claim("", 10)] == [check]


@pytest.mark.django_db
def test_a_long_pause_of_the_portal_makes_no_burst() -> None:
    past = timezone.now() - timedelta(hours=1)
    check = make_check(state="up", next_at=past)
    [job] = rounds.claim("", 10)
    rounds.settle([(job, GOOD)])
    check.refresh_from_db()
    assert check.next_at > timezone.now() + timedelta(seconds=50)


@pytest.mark.django_db
def test_old_changes_go_and_a_flapping_check_keeps_the_newest(settings: Any) -> None:
    settings.CHECK_MAX_FLIPS = 5
    check, now = make_check(), timezone.now()
    ServiceCheck.objects.update(known_from=now - timedelta(days=500))
    for hours in [450 * 24, *range(9, 0, -1)]:
        at = now - timedelta(hours=hours)
        CheckFlip.objects.create(check_row=check, old="up", new="down", at=at)
    assert flips.purge() == 5
    assert flips.purge() == 0
    check.refresh_from_db()
    kept = check.flips.order_by("at")
    assert kept.count() == 5
    assert check.known_from == kept[0].at


@pytest.mark.django_db
def test_a_dead_metric_store_costs_the_samples_and_no_time(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    class Dead:
        def write_many(self, batches: Any) -> None:
            asked.append(len(batches))
            raise StoreUnavailable("test")

    monkeypatch.setattr(samples, "store", Dead)
    check = answer(make_check(retries=0), GOOD, BAD)
    assert check.state == "down"
    assert asked == [1]
