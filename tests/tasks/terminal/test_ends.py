"""How terminals end that nobody closed: without a recording, without a login, stuck, unasked, and with the process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from accounts.models import User
from adminset import sockets as ground
from cmdb.models import Credential, Host
from tasks.recording import recorder
from tasks.ssh import shell as ssh_shell
from tasks.terminal import keeper, recheck
from tasks.terminal.registry import REGISTRY
from tests.tasks.terminal.things import Page, begin, row_becomes, row_of, run, until

pytestmark = pytest.mark.django_db(transaction=True)
Opened = Callable[..., Any]


@pytest.mark.parametrize("must", [False, True])
def test_a_recording_that_fails_is_told_and_ends_it_where_the_policy_asks(
    opened: Opened,
    worker: User,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    must: bool,
) -> None:
    settings.TERMINAL_MUST_RECORD = must
    session, hello = opened()

    def full(self: recorder.Recorder, _data: bytes) -> None:
        self._break("The disk is full.", "")

    async def scene() -> None:
        page = await begin(session, worker, hello)
        monkeypatch.setattr(recorder.Recorder, "_put", full)
        await page.type("echo on$((1+1))\n")
        if must:
            assert "The disk is full." in (await page.hears("end"))["words"]
            await row_becomes(session, "ended")
        else:
            words = (await page.hears("say"))["words"]
            assert "not recorded: The disk is full." in words
            await page.type("echo still$((1+1))\n")
            await page.shows("still2")
        row = await row_of(session)
        assert (row.recording, row.recording_problem) == ("failed", "The disk is full.")
        await page.leave()

    run(scene)


@pytest.mark.parametrize("must", [False, True])
def test_without_a_folder_for_recordings(
    opened: Opened, worker: User, settings: Any, tmp_path: Any, must: bool
) -> None:
    settings.TERMINAL_MUST_RECORD = must
    settings.TERMINAL_DIR = tmp_path / "file"
    settings.TERMINAL_DIR.write_text("not a folder")
    session, hello = opened()

    async def scene() -> None:
        page = Page(session.key, worker)
        await page.open(hello)
        if must:
            assert "cannot be begun" in (await page.hears("end"))["words"]
            await row_becomes(session, "ended")
        else:
            assert (await page.hears("ready"))["recording"] is False
            assert "cannot be begun" in (await page.hears("say"))["words"]
        await page.leave()

    run(scene)


def test_a_credential_that_does_not_open_is_refused_with_a_sentence(
    opened: Opened, worker: User, host: Host
) -> None:
    session, hello = opened()
    Credential.objects.update(private_key=None, password=None)

    async def scene() -> None:
        page = Page(session.key, worker)
        await page.open(hello)
        assert "neither a private key nor" in (await page.hears("end"))["words"]
        await row_becomes(session, "refused")
        await page.leave()

    run(scene)


def test_a_terminal_that_is_stuck_is_cut_off(
    opened: Opened, worker: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "STUCK_SECONDS", 0.2)
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        terminal = REGISTRY.all()[0]
        freed, entered, shell = threading.Event(), threading.Event(), terminal.shell
        assert shell is not None
        close = shell.close

        def freeing() -> None:
            freed.set()
            close()

        def stuck(data: bytes) -> int:
            entered.set()
            freed.wait(20)
            return len(data)

        monkeypatch.setattr(shell, "write", stuck)
        monkeypatch.setattr(shell, "close", freeing)
        await page.type("stuck\n")
        await until(entered.is_set)
        began = time.monotonic()
        terminal.end("Enough.")
        await row_becomes(session, "ended")
        assert time.monotonic() - began < 10
        await page.leave()

    run(scene)


def test_the_server_says_when_it_ends_and_the_terminals_end_first(
    opened: Opened, worker: User
) -> None:
    session, hello = opened()
    told: list[str] = []

    async def scene() -> None:
        page = await begin(session, worker, hello)
        events = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive() -> dict[str, str]:
            return {"type": next(events)}

        async def send(message: dict[str, str]) -> None:
            told.append(message["type"])

        await ground.lifespan({}, receive, send)
        assert "stopped or restarted" in (await page.hears("end"))["words"]
        assert (await row_of(session)).state == "ended"
        await page.leave()

    run(scene)
    assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.parametrize("seconds", [0.0, 60.0])
def test_a_host_that_closes_without_a_status_keeps_nobody(
    monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    monkeypatch.setattr(ssh_shell, "STATUS_SECONDS", seconds)
    channel: Any = SimpleNamespace(
        closed=False,
        eof_received=True,
        exit_status_ready=lambda: False,
        recv_ready=lambda: False,
        settimeout=lambda _seconds: None,
    )
    connection: Any = SimpleNamespace(alive=True)
    shell = ssh_shell.Shell(connection, channel)
    assert shell.read(10) == (b"" if seconds else None)


def test_after_the_end_no_terminal_begins(opened: Opened, worker: User) -> None:
    session, hello = opened()
    REGISTRY.drain("The portal stops.")

    async def scene() -> None:
        page = Page(session.key, worker)
        await page.open(hello)
        assert "being stopped" in (await page.hears("end"))["words"]
        await page.leave()

    run(scene)
    assert REGISTRY.all() == []


def test_when_it_cannot_be_asked_for_too_long_who_may_go_on_all_end(
    opened: Opened, worker: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TERMINAL_RECHECK_SECONDS = 1
    session, hello = opened()

    def away(*_: Any) -> None:
        raise RuntimeError("the database is away")

    async def scene() -> None:
        page = await begin(session, worker, hello)
        monkeypatch.setattr(recheck, "look", away)
        assert "could not be asked" in (await page.hears("end"))["words"]
        await page.leave()

    run(scene)
