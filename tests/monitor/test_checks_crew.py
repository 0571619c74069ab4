"""Threads of checks: so many in a process, whatever the round; those that are stuck count, and hold no process that ends."""

import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from monitor.checks import rounds
from monitor.checks.crew import Crew
from monitor.checks.verdicts import Outcome
from monitor.models import ServiceCheck
from monitor.store import MetricStore
from tests.monitor.check_things import make_check

GOOD = Outcome("up", "fine", 12.5)


@pytest.mark.django_db
def test_stuck_questions_of_earlier_rounds_count_against_the_threads(
    monkeypatch: pytest.MonkeyPatch, settings: Any, measurements: MetricStore
) -> None:
    settings.CHECK_THREADS, settings.CHECK_PATIENCE_SECONDS = 2, -1
    crew, stuck, asked = Crew(), threading.Event(), []

    def never(check: ServiceCheck) -> Outcome:
        asked.append(check.pk)
        stuck.wait(30)
        return GOOD

    monkeypatch.setattr(rounds, "probe", never)
    monkeypatch.setattr(rounds, "crew", lambda: crew)
    for _ in range(5):
        make_check(timeout_seconds=1)
    try:
        assert rounds.run("", 1) == 2
        assert rounds.run("", 1) == 0
        assert len(asked) == 2
        waiting = ServiceCheck.objects.filter(checked_at=None, claim=None)
        assert waiting.count() == 3
    finally:
        stuck.set()
    until = time.monotonic() + 10
    while crew.free() < 2 and time.monotonic() < until:
        time.sleep(0.01)
    assert rounds.run("", 5) == 3


def test_what_a_question_raises_is_told_and_gives_its_place_back(settings: Any) -> None:
    settings.CHECK_THREADS = 1
    crew = Crew()

    def broken() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        crew.start(broken).result(10)
    assert crew.free() == 1


def test_a_process_ends_although_a_question_does_not() -> None:
    script = (
        "import threading; from monitor.checks.crew import Crew;"
        "Crew().start(threading.Event().wait); print('ends')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, timeout=30, check=True
    )
    assert done.stdout == b"ends\n"
