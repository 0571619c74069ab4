"""The client on a bad line, and interrupted: nothing is lost, nothing is shown or started twice."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks import tasks
from tasks.models import Run
from tests.tasks.run_api.client_things import (
    Cli,
    Line,
    speaking,
    until,
    wrote,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def line(live_server: Any) -> Iterator[Line]:
    made = Line(live_server.url)
    yield made
    made.close()


def test_a_lost_connection_loses_and_repeats_nothing(
    cli: Cli, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    monkeypatch.setattr(tasks, "send", begun.append)
    cli.url = line.url
    process = cli.start("run", "command", "id", "--host", "web1", "--host", "web2")
    run = until(lambda: Run.objects.first())
    run.hosts.update(status="running")
    Run.objects.update(status="running")
    told: list[str] = []
    reader = threading.Thread(target=lambda: told.extend(process.stdout))  # type: ignore[arg-type]
    reader.start()
    for number in range(6):
        wrote(run, "web1", f"line {number}\n")
        if number % 2:
            line.cut()
            wrote(run, "web2", f"dark {number}\n")
            time.sleep(0.3)
            line.mend()
        time.sleep(0.3)
    run.hosts.update(status="ok", exit_code=0)
    Run.objects.update(status="ok")
    code = process.wait(30)
    assert code == 0, process.stderr and process.stderr.read()
    reader.join(10)
    mine = [text for text in told if " | " in text]
    assert [t for t in mine if "line" in t] == [f"web1 | line {n}\n" for n in range(6)]
    assert [t for t in mine if "dark" in t] == [f"web2 | dark {n}\n" for n in (1, 3, 5)]
    assert (line.cuts, len(begun), Run.objects.count()) == (3, 1, 1)


WHOLE = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"count":4}'


@pytest.mark.parametrize(
    "end",
    [
        b"200",
        b" OK",
        b"OK\r\n",
        b"Content-Ty",
        b"Content-Type:",
        b"appli",
        b"/json\r\n",
        b"Content-Length: 1",
        b'{"count"',
    ],
)
def test_an_answer_that_is_cut_anywhere_is_asked_for_again(
    tmp_path: Path, end: bytes
) -> None:
    with speaking(WHOLE[: WHOLE.index(end) + len(end)], WHOLE) as (url, asked):
        done = Cli(url, "a.b", tmp_path)("login-check", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["runs"] == 4
    assert len(asked) == 2


def test_what_answers_but_is_no_portal_is_said_at_once(tmp_path: Path) -> None:
    page = b"HTTP/1.1 200 OK\r\n%bContent-Length: 5\r\n\r\nHello"
    for kind in (b"Content-Type: text/html\r\n", b""):
        with speaking(page % kind) as (url, asked):
            done = Cli(url, "a.b", tmp_path)("login-check")
        assert (done.returncode, "not as a portal" in done.stderr) == (5, True)
        assert len(asked) == 1


def test_an_answer_that_is_lost_starts_no_second_run(
    cli: Cli, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begun(pk: int) -> None:
        line.cut()
        threading.Timer(0.3, line.mend).start()

    monkeypatch.setattr(tasks, "send", begun)
    cli.url = line.url
    done = cli("run", "command", "id", "--host", "web1", "--detach")
    assert done.returncode == 0, done.stderr
    assert (line.cuts, Run.objects.count()) == (1, 1)


def test_an_interrupt_leaves_or_stops_the_run(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "send", lambda pk: None)
    for how, code in (("ask", 130), ("cancel", 3)):
        process = cli.start(
            "run", "command", "id", "--host", "web1", "--on-interrupt", how
        )
        assert process.stderr is not None
        assert process.stderr.readline().startswith("#")
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == code
    first, second = Run.objects.order_by("pk")
    assert (first.status, second.status) == ("queued", "cancelled")


def test_on_a_terminal_an_interrupt_asks_once(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "send", lambda pk: None)
    typed, terminal = os.openpty()
    words = ("run", "command", "id", "--host", "web1")
    for answer, code in (("n", 130), ("y", 3)):
        process = cli.start(*words, stdin=terminal)
        assert process.stderr is not None
        assert process.stderr.readline().startswith("#")
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        asked = ""
        while not asked.endswith("[y/N] "):
            asked += process.stderr.read(1)
        assert "Stop run #" in asked
        os.write(typed, f"{answer}\n".encode())
        assert process.wait(30) == code
    os.close(typed)
    os.close(terminal)
    first, second = Run.objects.order_by("pk")
    assert (first.status, second.status) == ("queued", "cancelled")
