"""What pages send that they should not, and what is not sent to them any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from tasks.terminal.viewers import MOST_MESSAGES, Goodbye, Viewer
from tests.tasks.terminal.things import (
    begin,
    in_thread,
    row_of,
    run,
    terminal_of,
    ticks,
    until,
)

pytestmark = pytest.mark.django_db(transaction=True)
Opened = Callable[..., Any]
MEGABYTE = 2**20


def test_a_frame_that_is_too_long_ends_the_socket(opened: Opened, worker: User) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        await page.type(b"x" * (64 * 1024 + 1))
        assert await page.closes() == 1009
        await page.leave()

    run(scene)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "[" * 5000,
        '{"t": "ack", "n": -1}',
        '{"t": "ack", "n": 1e400}',
        '{"t": "resize", "columns": "80", "rows": null}',
        '{"t": "resize", "columns": 99999999999999999999, "rows": 3}',
        '{"t": "answer", "id": 1, "yes": "perhaps"}',
        '{"t": "hello", "ticket": 1}',
        '{"t": {"t": "t"}}',
    ],
)
def test_what_cannot_be_understood_is_left_alone(
    opened: Opened, worker: User, text: str
) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        await page.send_input({"type": "websocket.receive", "text": text})
        await page.type("stty size; echo still$((1+1))\n")
        assert b"30 100" in await page.shows("still2")
        assert (await row_of(session)).state == "live"
        await page.leave()

    run(scene)


def test_an_acknowledgement_of_what_was_never_sent_opens_no_flood(
    opened: Opened, worker: User, settings: Any
) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        page.acknowledges = False
        await page.say("ack", n=2**60)
        await page.type("yes\n")
        terminal = terminal_of(session)
        await until(lambda: terminal.backlog.end >= settings.TERMINAL_UNACKED_BYTES)
        await ticks(terminal, 2)
        assert terminal.backlog.end <= settings.TERMINAL_UNACKED_BYTES + 64 * 1024
        await page.leave()

    run(scene)


def test_who_is_sent_away_gets_nothing_more_and_who_only_hears_too_much_is_let_go(
    opened: Opened, worker: User
) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        backlog = terminal_of(session).backlog
        viewer = Viewer(worker, "watcher", False, None, lambda: None)
        viewer.begin(0)
        await until(lambda: backlog.end > 0)
        viewer.tell("say", words="something")
        viewer.close(4403, "no more")
        assert viewer.next(backlog) == Goodbye(4403, "no more")
        deaf = Viewer(worker, "watcher", False, None, lambda: None)
        for _number in range(MOST_MESSAGES + 10):
            deaf.tell("say", words="again")
        assert deaf.next(backlog) == Goodbye(4404)
        await in_thread(terminal_of(session).end, "Enough.")
        await page.leave()

    run(scene)
