"""How many terminals somebody has: which count, which nobody came for, and that several wishes at once do not pass the limit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import UserQuerySet
from adminset.errors import Conflict
from tasks.models import TerminalSession
from tasks.terminal.reaping import reap_lost
from tasks.terminal_models import TerminalSessionQuerySet

pytestmark = pytest.mark.django_db(transaction=True)
Opened = Callable[..., Any]


def test_one_that_takes_long_to_reach_its_host_counts_and_is_not_forsaken(
    opened: Opened, settings: Any
) -> None:
    settings.TERMINAL_USER_MOST = 1
    session, _hello = opened()
    long_ago = timezone.now() - timedelta(minutes=5)
    lease = timezone.now() + timedelta(minutes=1)
    rows = TerminalSession.objects.filter(pk=session.pk)
    rows.update(opened_at=long_ago, process="web1:4711", lease_until=lease)
    with pytest.raises(Conflict, match="1 terminals open"):
        opened()
    assert reap_lost() == 0
    assert TerminalSession.objects.counted().get() == session
    rows.update(process="", lease_until=None)
    assert TerminalSession.objects.forsaken().get() == session
    assert not TerminalSession.objects.counted().exists()
    opened()
    assert reap_lost() == 1
    assert TerminalSession.objects.get(pk=session.pk).state == "ended"


def test_of_several_wishes_at_one_moment_each_counts_those_before_it(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, Any]] = []
    lock, counted = UserQuerySet.select_for_update, TerminalSessionQuerySet.counted

    def locked(rows: Any, **how: Any) -> Any:
        asked.append(("lock", how))
        return lock(rows, **how)

    def count(rows: Any) -> Any:
        asked.append(("count", connection.in_atomic_block))
        return counted(rows)

    monkeypatch.setattr(UserQuerySet, "select_for_update", locked)
    monkeypatch.setattr(TerminalSessionQuerySet, "counted", count)
    opened()
    # Not the key itself: the trail's lines name their user under another lock.
    assert asked == [("lock", {"no_key": True}), ("count", True)]
