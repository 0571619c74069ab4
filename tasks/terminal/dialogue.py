"""What a terminal and its pages say to each other besides bytes: the welcome, the guard's words and questions, the lock."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from adminset import audit_seal
from adminset.command_lines import clean_command
from tasks.guard.verdicts import Entered, Held
from tasks.models import TerminalCommand, TerminalSession
from tasks.ssh.shell import Shell, Size
from tasks.terminal import ledger
from tasks.terminal.judging import OWNER
from tasks.terminal.ring import Backlog
from tasks.terminal.tape import Tape
from tasks.terminal.viewers import Audience, Viewer


class Dialogue:
    """Speaks to the pages of one terminal, from the terminal's own thread; only `write_down` may come from another.

    Attributes:
        commands: those that nobody has written down yet.
        notices: what the trail has to be told of them: verb, reason, and who typed it.
        count: how many there were.
        mark: marks a command in the recording and gives its time there.
    """

    def __init__(self, session: TerminalSession, audience: Audience) -> None:
        self.session = session
        self._audience = audience
        self._writing = threading.Lock()
        self._questions = 0
        self._question: dict[str, Any] | None = None
        self._held: Held | None = None
        self.commands: deque[TerminalCommand] = deque()
        self.notices: deque[tuple[str, str, str]] = deque()
        self.count = 0
        self.mark: Callable[[str], int] = _unmarked

    def reaching(self, viewer: Viewer) -> None:
        """Tell a page that the host is being reached."""
        words = _("%(host)s is being reached.") % {"host": self.session.host_name}
        viewer.tell("state", state=TerminalSession.State.OPENING, words=words)

    def welcome(self, viewer: Viewer, backlog: Backlog, tape: Tape, size: Size) -> None:
        """Let a page have the output, from where it knows it, and tell it how things stand."""
        start = viewer.place(backlog)
        if viewer.role == OWNER:
            self._audience.acked = start
        ready = {
            "from": start,
            # What lies before it was printed earlier: the emulator must not answer to it.
            "until": backlog.end,
            "recording": tape.runs,
            "may_write": viewer.may_type,
            "role": viewer.role,
            "columns": size.columns,
            "rows": size.rows,
            "host": self.session.host_name,
            "login": self.session.login,
        }
        viewer.tell("ready", **ready)
        if tape.problem:
            viewer.tell("say", words=unrecorded(tape))
        if self._question and viewer.may_type:
            viewer.tell("guard", **self._question)
        viewer.begin(start)

    def held(self, held: Held | None) -> None:
        """Ask those who type about a line that the guard holds, or take the question back."""
        if held is self._held:
            return
        if self._question is not None:
            self._tell_typists({"id": self._question["id"], "action": "done"})
        self._held, self._question = held, None
        if held is not None:
            self._questions += 1
            self._question = {
                "id": self._questions,
                "action": held.judgement.action,
                "command": held.text,
                "words": held.words,
            }
            self._tell_typists(self._question)

    def asks(self, number: int) -> bool:
        """Say whether a question is the one that is open."""
        return self._question is not None and self._question["id"] == number

    def entered(self, command: Entered, by: str) -> None:
        """Keep a line that was entered for the ledger, mark it in the recording, and say what the guard says to it."""
        self.count += 1
        # A paste may bring what no database takes.
        text = audit_seal.clean(command.text)
        self.commands.append(
            TerminalCommand(
                session=self.session,
                number=self.count,
                at_ms=self.mark(text),
                entered_at=timezone.now(),
                text=text,
                typed_by=by[:150],
                risk=command.risk,
                verdict=command.verdict,
                rule_name=command.rule_name[:100],
            )
        )
        if command.action in ("notify", "refuse"):
            verb = f"terminal.{command.action}_command"
            # The trail and its web-hooks reach more people than the session does.
            self.notices.append(
                (verb, f"{clean_command(text)} ({command.rule_name})", by)
            )
        if command.action in ("warn", "refuse"):
            told = {"id": 0, "action": command.action, "command": command.text}
            self._tell_typists({**told, "words": command.words})

    def dropped(self, count: int) -> None:
        """Say that what was typed was thrown away."""
        words = ngettext(
            "%(count)s character that you typed was thrown away.",
            "%(count)s characters that you typed were thrown away.",
            count,
        )
        for one in self._audience.all():
            if one.may_type:
                one.tell("say", words=words % {"count": count})

    def write_down(self) -> None:
        """Write down what was entered since the last time; what could not be written stays for the next."""
        with self._writing:
            if rows := list(self.commands):
                ledger.keep_commands(rows)
                for _row in rows:
                    self.commands.popleft()
            while self.notices:
                ledger.tell(self.session, *self.notices[0])
                self.notices.popleft()

    def _tell_typists(self, guard: dict[str, Any]) -> None:
        for one in self._audience.all():
            if one.may_type:
                one.tell("guard", **guard)


def _unmarked(text: str) -> int:
    return 0


def farewell(shell: Shell) -> str:
    """Say how a shell ended."""
    if (code := shell.exit_code) is None:
        return _("The connection to the host ended.")
    return _("The shell ended with %(code)s.") % {"code": code}


def unrecorded(tape: Tape) -> str:
    """Say that a terminal goes on without a recording."""
    words = _("From here on this terminal is not recorded: %(problem)s")
    return words % {"problem": tape.problem}
