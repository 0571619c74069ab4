"""A page at a real shell: echo, sizes, other scripts, a flood, Ctrl-C, the way back, the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from adminset.models import AuditEntry
from tasks.models import TerminalSession
from tasks.terminal import control
from tasks.terminal.opening import ticket_for
from tasks.terminal.registry import REGISTRY
from tasks.terminal.ring import CHUNK_BYTES
from tests.tasks.doors import remaining
from tests.tasks.terminal.things import Page, in_thread, row_becomes, run

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_typed_runs_on_the_host_and_is_shown(
    opened: Callable[..., Any], worker: User
) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = Page(session.key, worker)
        assert await page.open(hello)
        ready = await page.hears("ready")
        assert (ready["from"], ready["may_write"]) == (0, True)
        assert ready["recording"] is True
        await page.type("echo 温度 $((40+2)); stty size\n")
        assert "温度 42\r\n30 100".encode() in await page.shows("30 100")
        await page.say("resize", columns=77, rows=11)
        await page.type("stty size; exit 3\n")
        await page.shows("11 77")
        assert "ended with 3" in (await page.hears("end"))["words"]
        assert await page.closes() == 1000
        row = await row_becomes(session, "ended")
        assert row.bytes_in > 0
        assert row.bytes_out > 0
        assert row.recording == TerminalSession.Recording.SEALED
        await page.leave()

    run(scene)
    verbs = AuditEntry.objects.filter(verb__startswith="terminal.")
    assert list(verbs.order_by("pk").values_list("verb", flat=True)) == [
        "terminal.open",
        "terminal.end",
    ]


def test_a_flood_waits_for_the_page_and_ctrl_c_ends_it_at_once(
    opened: Callable[..., Any], worker: User, settings: Any
) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = Page(session.key, worker)
        await page.open(hello)
        await page.hears("ready")
        page.acknowledges = False
        await page.type("yes\n")
        await page.shows("y\r\ny\r\n")
        terminal = REGISTRY.all()[0]
        stood, before = 0, -1
        while stood < 5:
            await asyncio.sleep(0.2)
            stood = stood + 1 if terminal.backlog.end == before else 0
            before = terminal.backlog.end
        assert before <= settings.TERMINAL_UNACKED_BYTES + CHUNK_BYTES
        began = time.monotonic()
        await page.type("\x03")
        page.acknowledges = True
        await page.say("ack", n=page.offset)
        await page.type("echo calm$((1+1))\n")
        await page.shows("calm2")
        assert time.monotonic() - began < 3
        await page.leave()

    run(scene)


def test_a_page_that_comes_back_is_in_the_same_shell_where_it_was(
    opened: Callable[..., Any], worker: User, from_here: None
) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = Page(session.key, worker)
        await page.open(hello)
        await page.hears("ready")
        await page.type("word=kept; echo seen$((1+1))\n")
        await page.shows("seen2")
        here = page.offset
        await page.leave()
        await row_becomes(session, "away")
        again = await in_thread(ticket_for, actor=worker, session=session)
        page = Page(session.key, worker)
        await page.open({"ticket": again, "columns": 100, "rows": 30, "from": here})
        ready = await page.hears("ready")
        assert (ready["from"], ready["until"] >= here) == (here, True)
        await page.type("echo $word$((2+2))\n")
        assert b"seen2" not in await page.shows("kept4")
        await row_becomes(session, "live")
        third = Page(session.key, worker)
        again = await in_thread(ticket_for, actor=worker, session=session)
        await third.open({"ticket": again, "columns": 100, "rows": 30, "from": None})
        assert b"seen2" in await third.shows("kept4")
        assert await page.closes() == 4404
        await third.leave()
        await page.leave()

    run(scene)


def test_a_shell_whose_page_stays_away_ends(
    opened: Callable[..., Any], worker: User, settings: Any
) -> None:
    settings.TERMINAL_AWAY_SECONDS = 1
    session, hello = opened()

    async def scene() -> None:
        page = Page(session.key, worker)
        await page.open(hello)
        await page.type("sleep 4712.5\n")
        await page.shows("sleep 4712.5")
        await page.leave()
        row = await row_becomes(session, "ended")
        assert "was gone" in row.end_reason

    run(scene)
    assert remaining("sleep 4712.5") == []


def test_somebody_who_may_ends_it_at_once(
    opened: Callable[..., Any], worker: User, admin: User
) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = Page(session.key, worker)
        await page.open(hello)
        await page.hears("ready")
        began = time.monotonic()
        await in_thread(control.kill, actor=admin, session=session, reason="Enough.")
        assert "Ended by admin. Enough." in (await page.hears("end"))["words"]
        assert time.monotonic() - began < 2
        assert await page.closes() == 1000
        row = await row_becomes(session, "ended")
        assert row.end_reason == "Ended by admin. Enough."
        await page.leave()

    run(scene)
    assert AuditEntry.objects.filter(verb="terminal.kill", actor=admin).exists()


def test_the_end_of_the_process_ends_all_and_seals_them(
    opened: Callable[..., Any], worker: User
) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = Page(session.key, worker)
        await page.open(hello)
        await page.hears("ready")
        await in_thread(REGISTRY.drain, "The portal was restarted.")
        assert (await page.hears("end"))["words"] == "The portal was restarted."
        row = await row_becomes(session, "ended")
        assert (row.end_reason, row.recording) == (
            "The portal was restarted.",
            "sealed",
        )
        await page.leave()

    run(scene)
