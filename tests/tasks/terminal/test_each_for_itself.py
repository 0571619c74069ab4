"""What goes wrong with one terminal stays with that one; what changes elsewhere disturbs none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts.models import User
from adminset.errors import Unavailable
from adminset.models import AuditEntry
from cmdb.models import Host
from tasks.guard.verdicts import Entered, Judgement
from tasks.models import TerminalCommand, TerminalSession
from tasks.terminal import keeper, ledger
from tasks.terminal.dialogue import Dialogue
from tasks.terminal.judging import OWNER
from tasks.terminal.live import LiveTerminal
from tasks.terminal.registry import Registry
from tasks.terminal.viewers import Audience, Viewer
from tests.factories import make_host
from tests.tasks.recording.recordings import new_session

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def host() -> Host:
    return make_host("db1")


@pytest.fixture
def session(admin: User, host: Host) -> TerminalSession:
    return new_session(admin, host)


def command(session: TerminalSession, number: int, **fields: Any) -> TerminalCommand:
    return TerminalCommand(
        session=session,
        number=number,
        entered_at=timezone.now(),
        **{"at_ms": 0, "text": "ls", **fields},
    )


def test_what_no_database_takes_is_replaced(session: TerminalSession) -> None:
    dialogue = Dialogue(session, Audience())
    dialogue.entered(Entered("a\0b\ud800", Judgement(), "passed"), "me")
    dialogue.write_down()
    assert TerminalCommand.objects.get().text == "a\N{REPLACEMENT CHARACTER}b?"


def test_a_row_that_does_not_fit_is_left_out(session: TerminalSession) -> None:
    rows = [command(session, 1), command(session, 2, at_ms="?"), command(session, 3)]
    ledger.keep_commands(rows)
    kept = TerminalCommand.objects.order_by("number")
    assert list(kept.values_list("number", flat=True)) == [1, 3]


@pytest.mark.parametrize(
    "text",
    [
        'curl -H "Authorization: Bearer abcdefgh12345678" http://x',
        "mysql -uroot -pabcdefgh12345678 -e 'select \"curl\"'",
        "sudo sh -c 'sshpass -p abcdefgh12345678 scp curl web1:'",
    ],
)
def test_the_trail_gets_no_passwords(session: TerminalSession, text: str) -> None:
    dialogue = Dialogue(session, Audience())
    dialogue.entered(Entered(text, Judgement("notify"), "passed"), "me")
    dialogue.write_down()
    line = AuditEntry.objects.get(verb="terminal.notify_command")
    assert "curl" in line.reason
    assert "abcdefgh12345678" not in line.reason
    assert TerminalCommand.objects.get().text == text


def test_one_that_breaks_does_not_stop_the_look_at_the_others() -> None:
    one = keeper.Keeper(list, lambda: True)
    done: list[Any] = []

    def work(terminal: Any) -> None:
        if terminal == 2:
            raise ValueError("poison")
        done.append(terminal)

    one._each([1, 2, 3], work)  # type: ignore[list-item]
    assert done == [1, 3]
    assert one._failed


def test_a_database_that_is_away_is_away_for_all() -> None:
    def away(_terminal: Any) -> None:
        raise OperationalError("away")

    with pytest.raises(OperationalError):
        keeper.Keeper(list, lambda: True)._each([1], away)  # type: ignore[list-item]


def test_only_those_that_could_not_be_asked_about_end(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TERMINAL_RECHECK_SECONDS = 60
    monkeypatch.setattr("tasks.terminal.keeper.time.monotonic", lambda: 1000.0)
    ended: list[str] = []

    def terminal(key: str) -> Any:
        return SimpleNamespace(
            session=SimpleNamespace(key=key), end=lambda _words: ended.append(key)
        )

    one = keeper.Keeper(list, lambda: True)
    one._asked = {"old": 1000.0 - 181, "asked": 1000.0 - 100}
    one._give_up([terminal("old"), terminal("asked"), terminal("new")])
    assert ended == ["old"]


def test_a_terminal_that_gets_no_thread_is_forgotten(
    admin: User, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_thread: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(LiveTerminal, "start", full)
    monkeypatch.setattr(Registry, "_attend", lambda _self: None)
    session = new_session(admin, host, state="opening")
    registry = Registry()
    with pytest.raises(Unavailable):
        registry.begin(session, Viewer(admin, OWNER, True, None, lambda: None, None))
    assert registry.all() == []
    session.refresh_from_db()
    assert session.state == "ended"


@pytest.mark.parametrize(
    ("role", "name", "yes", "goes"),
    [
        (OWNER, "chief", True, True),
        ("guest", "anna", True, True),
        ("guest", "bob", True, False),
        ("guest", "bob", False, True),
    ],
)
def test_a_guest_lets_only_a_line_of_his_own_go(
    session: TerminalSession,
    monkeypatch: pytest.MonkeyPatch,
    role: str,
    name: str,
    yes: bool,
    goes: bool,
) -> None:
    terminal = LiveTerminal(session, lambda _line: Judgement(), lambda _one: None)
    answers: list[bool] = []
    monkeypatch.setattr(terminal.dialogue, "asks", lambda _number: True)
    monkeypatch.setattr(terminal.keyboard, "answer", answers.append)
    terminal.keyboard._by = "anna"
    viewer: Any = SimpleNamespace(role=role, user=SimpleNamespace(username=name))
    terminal._answer(viewer, 1, yes)
    assert answers == ([yes] if goes else [])
