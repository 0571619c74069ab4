"""What the tests of triggers begin with: a source that answers at once, and no worker."""

from __future__ import annotations

import pytest

from adminset import calling
from delivery.engine import calls
from delivery.releasesets import calls as set_calls
from delivery.triggers import making, wishing
from tests.delivery.triggers.trigger_things import Source


@pytest.fixture(autouse=True)
def source(monkeypatch: pytest.MonkeyPatch) -> type[Source]:
    """Answer for git at once."""
    monkeypatch.setattr(
        "delivery.planning.wanted.source_of", lambda *args, **kwargs: Source()
    )
    return Source


@pytest.fixture(autouse=True)
def wished(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collect the wishes for which a worker was called; nobody comes."""
    called: list[int] = []
    for place in (wishing, making):
        monkeypatch.setattr(place, "call_for", lambda pk, kind: called.append(pk))
    monkeypatch.setattr(calls, "send", lambda task, pk: None)
    monkeypatch.setattr(calling, "send_later", lambda task, *args, queue: None)
    monkeypatch.setattr(set_calls, "send", lambda pk: None)
    return called
