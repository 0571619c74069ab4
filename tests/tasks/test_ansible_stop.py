"""Hosts of an Ansible run are told to end what runs there: a few at a time, those at work first, and never for long."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks import ansible_stop

Note = dict[str, str]


@pytest.fixture
def notes(tmp_path: Path) -> list[Note]:
    """What is known of 60 hosts with a connection each, and of one without."""
    made = [{"host": f"h{n}", "socket": str(tmp_path / str(n))} for n in range(61)]
    for note in made[:60]:
        Path(note["socket"]).touch()
    return made


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[tuple[str, int]]]:
    """Let a script stand for ssh; give who was asked, and how many others were being asked then."""

    def standing(script: str) -> list[tuple[str, int]]:
        asked: list[tuple[str, int]] = []
        alive: list[subprocess.Popen[bytes]] = []

        def begin(note: Note) -> subprocess.Popen[bytes]:
            others = sum(one.poll() is None for one in alive)
            asked.append((note["host"], others))
            alive.append(
                subprocess.Popen(["/bin/sh", "-c", script], stdout=subprocess.PIPE)
            )
            return alive[-1]

        monkeypatch.setattr(ansible_stop, "_ask", begin)
        return asked

    return standing


def test_few_are_asked_at_a_time_and_those_at_work_first(
    notes: list[Note], ask: Callable[[str], list[tuple[str, int]]]
) -> None:
    asked = ask("echo nothing left")
    working = ["h5", "h50", "h59"]
    lines = [f"ssh -o ControlPath={notes[int(n[1:])]['socket']} x" for n in working]
    assert ansible_stop._stop_remote(notes, lines) == []
    hosts = [host for host, _others in asked]
    assert hosts[:3] == working
    assert sorted(hosts) == sorted(f"h{number}" for number in range(60))
    assert max(others for _host, others in asked) < ansible_stop.AT_ONCE


def test_hosts_that_do_not_answer_are_named_and_hold_nobody_up(
    notes: list[Note],
    ask: Callable[[str], list[tuple[str, int]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ansible_stop, "REMOTE_SECONDS", 1.0)
    asked = ask("exec sleep 300")
    begun = time.monotonic()
    doubtful = ansible_stop._stop_remote(notes, [])
    assert time.monotonic() - begun < 5
    assert len(asked) == ansible_stop.AT_ONCE
    assert sorted(doubtful) == sorted(f"h{number}" for number in range(60))


def test_a_host_that_refuses_is_named(
    notes: list[Note], ask: Callable[[str], list[tuple[str, int]]]
) -> None:
    ask("echo no /proc; exit 1")
    assert len(ansible_stop._stop_remote(notes[:3], [])) == 3
