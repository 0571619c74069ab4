"""Legs on real sshd servers: a judge of their own, and short ways to ask for one and do it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from accounts.models import User
from cmdb.models import Host
from tasks.legs.asking import Leg, request_leg
from tasks.legs.judging import JUDGES
from tasks.models import Run
from tasks.services.execute import execute_run

ROOM = "testing"


class Judge:
    """Lets all hosts pass but those that are barred; remembers what it was asked."""

    def __init__(self) -> None:
        self.barred: set[int] = set()
        self.asked: list[tuple[str, set[int]]] = []

    def __call__(self, run: Run, hosts: Iterable[Host]) -> set[int]:
        keys = {host.pk for host in hosts}
        self.asked.append((run.purpose, keys))
        return keys - self.barred


@pytest.fixture
def judge() -> Iterator[Judge]:
    """The judge of the room that asks in these tests."""
    judge = JUDGES[ROOM] = Judge()
    yield judge
    del JUDGES[ROOM]


@pytest.fixture
def ask_leg(admin: User, hosts: list[Host], judge: Judge) -> Callable[..., Run]:
    """Ask for a leg on the three hosts, as the administrator unless said otherwise."""
    count = iter(range(1000))

    def asked(program: str, **wanted: Any) -> Run:
        actor, key = wanted.pop("actor", admin), wanted.pop("key", f"k{next(count)}")
        ids = tuple(host.pk for host in wanted.pop("on", hosts))
        usual = {
            "title": "A leg",
            "purpose": f"{ROOM}.do",
            "program": program,
            "host_ids": ids,
            "timeout_seconds": 60,
        }
        return request_leg(actor=actor, leg=Leg(**usual | wanted), key=key)

    return asked


@pytest.fixture
def do_leg(ask_leg: Callable[..., Run]) -> Callable[..., Run]:
    """Ask for a leg and do it, in this process."""

    def done(program: str, **wanted: Any) -> Run:
        run = ask_leg(program, **wanted)
        execute_run(pk=run.pk, worker="test")
        run.refresh_from_db()
        return run

    return done
