"""The end of the process: all terminals hang up first, then all are written down; what comes meanwhile is told."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from websockets.exceptions import ConnectionClosed

from accounts.models import User
from adminset.errors import Conflict, Unavailable
from adminset.models import AuditEntry
from tasks.guard.verdicts import Judgement
from tasks.models import TerminalSession
from tasks.terminal import live as lives
from tasks.terminal.judging import OWNER
from tasks.terminal.live import LiveTerminal, OverError
from tasks.terminal.registry import REGISTRY, Registry
from tasks.terminal.viewers import Audience, Goodbye, Viewer
from tests.factories import make_host
from tests.farm import SshFarm
from tests.simulation import terminal_kill as kill
from tests.simulation.terminal_portal import Desk, LoneWeb
from tests.tasks.recording.recordings import new_session
from tests.tasks.terminal.things import begin, in_thread, run

pytestmark = pytest.mark.django_db(transaction=True)
Opened = Callable[..., Any]
WORDS = "The portal was stopped or restarted."


def page_of(user: Any, role: str = OWNER) -> Viewer:
    return Viewer(user, role, True, None, lambda: None)


def test_all_hang_up_before_the_first_is_written_down_and_that_is_one_transaction(
    opened: Opened, worker: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = [opened() for _number in range(3)]
    left: list[tuple[int, bool]] = []
    write_down = LiveTerminal.write_down

    def noting(terminal: LiveTerminal) -> None:
        alive = sum(one.is_alive() for one in REGISTRY.all())
        left.append((alive, connection.in_atomic_block))
        write_down(terminal)

    monkeypatch.setattr(LiveTerminal, "write_down", noting)

    async def scene() -> None:
        pages = [await begin(one, worker, hello) for one, hello in sessions]
        await in_thread(REGISTRY.drain, WORDS)
        for page in pages:
            assert (await page.hears("end"))["words"] == WORDS
            await page.leave()

    run(scene)
    assert left == [(0, True)] * 3
    rows = TerminalSession.objects.values_list("state", "recording", "end_reason")
    assert set(rows) == {("ended", "sealed", WORDS)}
    ends = AuditEntry.objects.filter(verb="terminal.end")
    # As that of the page, whichever thread wrote it.
    assert set(ends.values_list("address", flat=True)) == {"192.0.2.7"}
    assert ends.count() == 3


def test_one_whose_end_cannot_be_written_leaves_the_others_theirs(
    opened: Opened, worker: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bad, bad_hello), (good, good_hello) = opened(), opened()
    end = lives.endings.ledger.end

    def ending(session: TerminalSession, told: Any) -> bool:
        if session.pk == bad.pk:
            raise ValueError("poison")
        return end(session, told)

    async def scene() -> None:
        pages = [
            await begin(bad, worker, bad_hello),
            await begin(good, worker, good_hello),
        ]
        monkeypatch.setattr(lives.endings.ledger, "end", ending)
        await in_thread(REGISTRY.drain, WORDS)
        for page in pages:
            await page.leave()

    run(scene)
    for one in (bad, good):
        one.refresh_from_db()
    assert (good.state, good.recording) == ("ended", "sealed")
    assert (bad.is_open, bad.recording) == (True, "running")
    assert REGISTRY.all() == []


def test_a_terminal_that_begins_in_the_moment_of_the_end_is_over(admin: User) -> None:
    session = new_session(admin, make_host("db1"), state="opening", process="")
    registry = Registry()
    terminal: Any = SimpleNamespace(session=session)
    with registry._place(session.key):
        registry._closed = True
        with pytest.raises(Unavailable, match="stopped"):
            registry._start(terminal)
    assert registry.all() == []


def test_those_that_are_being_begun_count_as_open(settings: Any) -> None:
    settings.TERMINAL_PROCESS_MOST = 1
    registry = Registry()
    with registry._place("one"), pytest.raises(Conflict), registry._place("other"):
        pass
    with registry._place("other"):
        assert registry._coming == {"other"}


def test_who_looks_for_one_that_is_being_begun_waits_for_it(admin: User) -> None:
    session = new_session(admin, make_host("db1"), state="opening")
    terminal: Any = SimpleNamespace(session=session, ending=None)
    registry = Registry()
    found: list[Any] = []
    with registry._place(session.key):
        other = threading.Thread(target=lambda: found.append(registry.find(session)))
        other.start()
        other.join(0.2)
        assert other.is_alive()
        registry._live[session.key] = terminal
    other.join(10)
    assert found == [terminal]


def test_who_comes_after_the_end_is_told_of_it(admin: User) -> None:
    audience, late = Audience(), page_of(admin)
    audience.close(4403, "No more.")
    audience.enter(late)
    assert late.goodbye == Goodbye(4403, "No more.")


class Clock:
    """The time of a terminal whose host prints at certain moments, and which sleeps in between as it wishes."""

    def __init__(self, prints: list[float]) -> None:
        self.now, self.prints = 0.0, prints
        self.unwritten: float | None = None
        self.longest = 0.0

    def wait(self, seconds: float) -> None:
        """Sleep until something wakes it."""
        # Nobody sleeps to the moment.
        until = self.now + max(seconds, 0.001)
        self.now = min(self.prints[0], until) if self.prints else until

    def read(self, _most: int) -> bytes | None:
        """Print when it is time; end some seconds later."""
        if self.prints and self.now >= self.prints[0]:
            printed = self.prints.pop(0)
            self.unwritten = printed if self.unwritten is None else self.unwritten
            return b"x"
        return None if self.now > 10 else b""

    def flush(self) -> None:
        """Note how old the oldest is that nobody had written."""
        if self.unwritten is not None:
            self.longest = max(self.longest, self.now - self.unwritten)
            self.unwritten = None


def test_what_was_printed_is_written_within_a_second_also_where_nothing_follows(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock([0.05, 0.95])
    monkeypatch.setattr(lives, "time", SimpleNamespace(monotonic=lambda: clock.now))
    session = new_session(admin, make_host("db1"))
    terminal = LiveTerminal(session, lambda _line: Judgement(), lambda _one: None)
    terminal.audience.away_since = None
    wait = SimpleNamespace(wait=clock.wait, clear=lambda: None, set=lambda: None)
    terminal._woken = wait  # type: ignore[assignment]
    shell: Any = SimpleNamespace(read=clock.read, write=len, exit_code=0)
    tape: Any = SimpleNamespace(
        output=lambda _data: None, flush=clock.flush, problem=""
    )
    with pytest.raises(OverError):
        terminal._serve(shell, tape)
    assert clock.prints == []
    assert 0 < clock.longest < 1.01


@pytest.fixture
def web(tmp_path: Path) -> Iterator[LoneWeb]:
    made = LoneWeb(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def desk(web: LoneWeb, three_servers: SshFarm) -> Desk:
    return web.prepare(three_servers)


def test_a_real_web_process_that_is_told_to_stop_seals_its_terminals(
    web: LoneWeb, desk: Desk
) -> None:
    codes: list[int] = []

    async def scene() -> None:
        pages = await kill.come(desk, 2)
        await kill.print_time(pages, 0.5)
        assert web.web
        web.web.terminate()
        for page in pages:
            with pytest.raises(ConnectionClosed) as closed:
                await page.listen(20)
            assert closed.value.rcvd is not None
            codes.append(closed.value.rcvd.code)

    began = time.monotonic()
    asyncio.run(scene())
    assert web.web
    assert web.web.wait(20) is not None
    assert time.monotonic() - began < 60
    # The portal restarts (static/terminal/comeback.js); why it ended stands in the row and is told to who comes back.
    assert codes == [1012, 1012]
    rows = desk.ask("rows")
    assert {(row["state"], row["recording"], row["end_reason"]) for row in rows} == {
        ("ended", "sealed", WORDS)
    }
    assert desk.ask("verdicts") == ["ok", "ok"]
    assert "cut off" not in web.log()
    assert "Traceback" not in web.log()
