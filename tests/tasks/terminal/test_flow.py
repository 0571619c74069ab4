"""What flows both ways: floods and slow pages, long pastes, programs that read nothing; memory stays flat."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from accounts.models import User
from tasks.terminal import sockets
from tests.factories import grant, make_user
from tests.tasks.terminal.things import begin, come, run, terminal_of, until

pytestmark = pytest.mark.django_db(transaction=True)
Opened = Callable[..., Any]
MEGABYTE = 2**20


def test_a_page_that_shows_nothing_costs_no_memory_and_nobody_else(
    opened: Opened, worker: User, settings: Any
) -> None:
    (slow, slow_hello), (other, other_hello) = opened(), opened()
    process = psutil.Process()

    async def scene() -> None:
        page = await begin(slow, worker, slow_hello)
        neighbour = await begin(other, worker, other_hello)
        page.acknowledges = False
        terminal = terminal_of(slow)
        await page.type("yes\n")
        await until(lambda: terminal.backlog.end >= settings.TERMINAL_UNACKED_BYTES)
        before = process.memory_info().rss
        for number in range(20):
            began = time.monotonic()
            await neighbour.type(f"echo n{number}-$((1+1))\n")
            await neighbour.shows(f"n{number}-2")
            assert time.monotonic() - began < 2
            await asyncio.sleep(0.1)
        assert process.memory_info().rss - before < 4 * MEGABYTE
        most = settings.TERMINAL_UNACKED_BYTES + 64 * 1024
        assert terminal.backlog.end <= most
        await page.leave()
        await neighbour.leave()

    run(scene)


def test_a_watcher_who_reads_nothing_slows_nobody_and_goes_on_near_the_end(
    opened: Opened, worker: User, group: Any, settings: Any
) -> None:
    settings.TERMINAL_BACKLOG_BYTES = settings.TERMINAL_UNACKED_BYTES = 64 * 1024
    session, hello = opened()
    watcher = make_user("watcher")
    grant(watcher, ["tasks.watch_terminalsession"], [group])

    async def scene() -> None:
        page = await begin(session, worker, hello)
        other = await come(session, watcher)
        await other.hears("ready")
        # Held where the socket of a slow page would be: the sender waits.
        viewer = next(
            one for one in terminal_of(session).audience.all() if one.role == "watcher"
        )
        waiting, viewer.wake = viewer.wake, lambda: None
        await page.type("seq 1 100000; echo over$((1+1))\n")
        await page.shows("over2")
        viewer.wake = waiting
        viewer.wake()
        skip = await other.hears("skip")
        assert skip["from"] > 0
        assert b"100000" in await other.shows("over2")
        await page.leave()
        await other.leave()

    run(scene)


def test_a_megabyte_that_is_pasted_arrives_whole_and_in_order(
    opened: Opened, worker: User
) -> None:
    session, hello = opened()
    text = "".join(f"{number:x}," for number in range(MEGABYTE // 6)).encode()
    digest = hashlib.sha256(text).hexdigest()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        reads = f"head -c {len(text)} | sha256sum"
        await page.type(f"stty raw -echo; echo go$((1+1)); {reads}; stty sane\n")
        await page.shows("go2")
        for at in range(0, len(text), 64 * 1024):
            await page.type(text[at : at + 64 * 1024])
        assert digest.encode() in await page.shows(digest)
        await page.leave()

    run(scene)


def test_pasting_into_a_program_that_prints_it_all_again_stalls_neither_way(
    opened: Opened, worker: User
) -> None:
    session, hello = opened()
    text = "".join(f"{number:x}," for number in range(MEGABYTE // 3)).encode()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        prints = f"head -c {len(text)}"
        await page.type(
            f"stty raw -echo; echo go$((1+1)); {prints}; echo end$((1+1))\n"
        )
        await page.shows("go2\n")
        for at in range(0, len(text), 64 * 1024):
            await page.type(text[at : at + 64 * 1024])
        assert text in await page.shows("end2")
        await page.leave()

    run(scene)


def test_many_lines_that_are_pasted_are_all_there(opened: Opened, worker: User) -> None:
    session, hello = opened()
    lines = [f"line {number} 0123456789abcdef0123456789abcdef" for number in range(200)]
    text = "\n".join(lines).encode() + b"\n"
    digest = hashlib.sha256(text).hexdigest()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        await page.type("echo go$((1+1)); sha256sum\n")
        await page.shows("go2")
        began = time.monotonic()
        await page.type(text)
        await page.type("\x04")
        await page.shows(digest)
        assert time.monotonic() - began < 10
        await page.leave()

    run(scene)


def test_what_a_program_does_not_read_is_held_back_and_then_thrown_away(
    opened: Opened, worker: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "PATIENCE_SECONDS", 1.0)
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        await page.type("stty raw -echo; echo go$((1+1)); sleep 1000\n")
        await page.shows("go2")
        board = terminal_of(session).keyboard
        for _number in range(60):
            await page.type(b"x" * 64 * 1024)
        await until(lambda: board.full)
        assert board._waiting + len(board._pending) < MEGABYTE
        assert "thrown away" in (await page.hears("say"))["words"]
        await page.leave()

    run(scene)
