"""Rows of sessions go at night, long after their recordings, and never before them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from adminset import audit
from adminset.crypto import Secret
from adminset.models import AuditEntry
from tasks.models import TerminalCommand, TerminalGuest, TerminalSession
from tasks.recording import keys
from tasks.tasks import clear_terminal_sessions
from tasks.terminal_pages.sessions_clearing import clear_sessions
from tests.tasks.terminal_pages.session_things import (
    invite,
    make_command,
    make_ended,
    make_session,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _days(settings: Any) -> None:
    settings.TERMINAL_SESSION_KEEP_DAYS = 100


def ago(days: int) -> dict[str, Any]:
    moment = timezone.now() - timedelta(days=days)
    return {"opened_at": moment - timedelta(minutes=5), "ended_at": moment}


def test_old_ones_go_with_all_that_hangs_on_them(anna, guard, db1) -> None:
    old = make_ended(anna, db1, **ago(101))
    make_command(old)
    invite(old, guard)
    young = make_ended(anna, db1, **ago(99))
    clear_terminal_sessions()
    assert list(TerminalSession.objects.all()) == [young]
    assert not TerminalCommand.objects.exists()
    assert not TerminalGuest.objects.exists()
    line = AuditEntry.objects.get(verb="terminalsession.forget")
    assert line.changes == [{"field": "sessions", "old": 1, "new": None}]


def test_the_trail_of_what_went_stays(anna, db1) -> None:
    old = make_ended(anna, db1, **ago(101))
    line = audit.record(anna, "terminal.end", old)
    assert clear_sessions() == 1
    assert AuditEntry.objects.filter(pk=line.pk).exists()


def test_one_whose_recording_is_kept_stays(anna, db1) -> None:
    old = make_ended(anna, db1, recording="sealed", **ago(500))
    keys.make(old)
    assert isinstance(old.recording_key, Secret)
    assert clear_sessions() == 0
    TerminalSession.objects.update(recording="cleared", recording_key=None)
    assert clear_sessions() == 1


def test_one_that_lives_stays_however_old(anna, db1) -> None:
    make_session(anna, db1, opened_at=timezone.now() - timedelta(days=500))
    assert clear_sessions() == 0


def test_one_without_an_end_goes_by_its_beginning(anna, db1) -> None:
    opened = timezone.now() - timedelta(days=500)
    make_ended(anna, db1, state="lost", opened_at=opened, ended_at=None)
    assert clear_sessions() == 1


def test_many_go_a_few_at_a_time_and_no_days_means_never(anna, db1, settings) -> None:
    for _number in range(120):
        make_ended(anna, db1, **ago(200))
    settings.TERMINAL_SESSION_KEEP_DAYS = 0
    assert clear_sessions() == 0
    settings.TERMINAL_SESSION_KEEP_DAYS = 100
    assert clear_sessions() == 120
    assert AuditEntry.objects.filter(verb="terminalsession.forget").count() == 1
