"""The guard at a real shell: what is entered is written down, asked about, refused; and marked in the recording."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from adminset.models import AuditEntry
from tasks.models import GuardRule, TerminalCommand, TerminalSession
from tasks.recording import reading
from tasks.terminal import control
from tasks.terminal.opening import ticket_for
from tests.tasks.terminal.things import Page, in_thread, row_becomes, run

pytestmark = pytest.mark.django_db(transaction=True)
Opened = Callable[..., Any]


@pytest.fixture(autouse=True)
def _rules(transactional_db: None) -> None:
    for word, action in (
        ("asked-about", "confirm"),
        ("forbidden", "refuse"),
        ("warned-of", "warn"),
        ("told-of", "notify"),
    ):
        GuardRule.objects.create(
            name=f"rule {action}", patterns=f"{word} *\n{word}", action=action
        )


async def begin(session: TerminalSession, user: User, hello: dict[str, Any]) -> Page:
    """Come, and wait for the first prompt."""
    page = Page(session.key, user)
    assert await page.open(hello)
    await page.hears("ready")
    # What is typed does not look like what is then shown.
    await page.type("PS1='rea''dy> '\n")
    await page.shows("ready> ")
    return page


async def end(page: Page, session: TerminalSession) -> None:
    """Leave the shell, so that all is written down."""
    await page.type("exit\n")
    await page.hears("end")
    await row_becomes(session, "ended")
    await page.leave()


def entered(session: TerminalSession) -> dict[str, TerminalCommand]:
    """Give the commands of a session by their text."""
    return {row.text: row for row in TerminalCommand.objects.filter(session=session)}


def test_what_is_entered_is_written_down_and_marked(
    opened: Opened, worker: User
) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        await page.type("echo one$((1+1))\n")
        await page.shows("one2")
        await page.shows("ready> ")
        await end(page, session)

    run(scene)
    rows = entered(session)
    row = rows["echo one$((1+1))"]
    assert (row.typed_by, row.verdict, row.risk) == ("operator", "passed", 0)
    session.refresh_from_db()
    # What was typed before there was a prompt may be among them.
    numbers = sorted(one.number for one in rows.values())
    assert numbers == list(range(1, session.command_count + 1))
    assert "exit" in rows
    marks = [event for event in reading.events(session) if event.kind == "m"]
    assert [mark.text for mark in marks] == [one.text for one in session.commands.all()]
    assert row.at_ms in [mark.at_ms for mark in marks if mark.text == row.text]


@pytest.mark.parametrize(("yes", "verdict"), [(True, "confirmed"), (False, "declined")])
def test_what_is_asked_about_waits_for_the_answer(
    opened: Opened, worker: User, yes: bool, verdict: str
) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        await page.type("asked-about it\n")
        asked = await page.hears("guard", action="confirm")
        assert asked["command"] == "asked-about it"
        assert b"not found" not in page.output
        await page.say("answer", id=asked["id"] + 7, yes=True)
        await page.say("answer", id=asked["id"], yes=yes)
        await page.hears("guard", action="done", id=asked["id"])
        await page.type("echo next$((1+1))\n")
        seen = await page.shows("next2")
        assert (b"not found" in seen) is yes
        await page.shows("ready> ")
        await end(page, session)

    run(scene)
    assert entered(session)["asked-about it"].verdict == verdict


def test_a_page_that_comes_back_is_asked_again(opened: Opened, worker: User) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        await page.type("asked-about it\n")
        asked = await page.hears("guard", action="confirm")
        await page.leave()
        ticket = await in_thread(ticket_for, actor=worker, session=session)
        again = Page(session.key, worker)
        await again.open(hello | {"ticket": ticket})
        told = await again.hears("guard", action="confirm")
        assert (told["id"], told["command"]) == (asked["id"], asked["command"])
        await again.leave()

    run(scene)


def test_what_is_refused_does_not_run_and_the_trail_knows(
    opened: Opened, worker: User
) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        await page.type("forbidden thing\n")
        told = await page.hears("guard", action="refuse")
        assert (told["id"], told["command"]) == (0, "forbidden thing")
        await page.type("echo next$((1+1))\n")
        assert b"not found" not in await page.shows("next2")
        await page.shows("ready> ")
        await end(page, session)

    run(scene)
    assert entered(session)["forbidden thing"].verdict == "refused"
    line = AuditEntry.objects.get(verb="terminal.refuse_command")
    assert (line.actor, line.reason) == (worker, "forbidden thing (rule refuse)")


def test_what_is_warned_of_or_told_of_runs(opened: Opened, worker: User) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        await page.type("warned-of\n")
        await page.hears("guard", action="warn", id=0)
        await page.shows("not found")
        await page.shows("ready> ")
        await page.type("told-of\n")
        await page.shows("not found")
        await page.shows("ready> ")
        await end(page, session)

    run(scene)
    assert entered(session)["warned-of"].verdict == "warned"
    assert entered(session)["told-of"].verdict == "passed"
    line = AuditEntry.objects.get(verb="terminal.notify_command")
    assert line.reason == "told-of (rule notify)"


def test_a_locked_terminal_lets_nothing_go_that_waits_for_an_answer(
    opened: Opened, worker: User, admin: User
) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        await page.type("asked-about it\n")
        asked = await page.hears("guard", action="confirm")
        await in_thread(control.lock, actor=admin, session=session)
        await page.hears("locked", by="admin")
        await page.say("answer", id=asked["id"], yes=True)
        await page.hears("guard", action="done", id=asked["id"])
        await in_thread(control.unlock, actor=admin, session=session)
        await page.hears("locked", by="")
        await page.type("echo next$((1+1))\n")
        assert b"not found" not in await page.shows("next2")
        await page.leave()

    run(scene)
