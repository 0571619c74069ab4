"""A terminal that lives in this process: its shell, recording, guard and pages, held together by a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import translation
from django.utils.translation import gettext as _

from adminset import context
from adminset.errors import DomainError
from tasks.guard.verdicts import Judge
from tasks.guard.watcher import Watcher
from tasks.models import TerminalSession
from tasks.ssh.jumps import dial
from tasks.ssh.shell import Shell, Size, open_shell
from tasks.ssh.ways import Patience
from tasks.targets import HostRefusedError
from tasks.terminal import endings, ledger
from tasks.terminal.dialogue import Dialogue, farewell, unrecorded
from tasks.terminal.endings import OverError
from tasks.terminal.judging import OWNER
from tasks.terminal.keyboard import Keyboard
from tasks.terminal.ledger import Count
from tasks.terminal.limits import Limits
from tasks.terminal.opening import bounded, target_of
from tasks.terminal.ring import CHUNK_BYTES, Backlog
from tasks.terminal.tape import NoRecordingError, Tape
from tasks.terminal.viewers import WELL, Audience, Viewer

TICK_SECONDS = 1.0
State = TerminalSession.State
logger = logging.getLogger(__name__)


class LiveTerminal(threading.Thread):
    """One session from the moment its page came until its row says how it ended.

    What stands before `run` may be called from any thread and never wait.

    Args:
        judge: what the guard asks about each line (tasks/guard).
        finish: is told, in its thread, once its shell is gone: `write_down` is still to come.
    """

    def __init__(
        self, session: TerminalSession, judge: Judge, finish: Callable[[Any], None]
    ) -> None:
        super().__init__(name=f"terminal-{session.pk}", daemon=True)
        self.session = session
        self.size = Size(session.columns, session.rows)
        self.audience = Audience()
        # What is taken last may go beyond what is to be on its way.
        most = settings.TERMINAL_UNACKED_BYTES + CHUNK_BYTES
        self.backlog = Backlog(settings.TERMINAL_BACKLOG_BYTES, most)
        self.limits = Limits()
        self.watcher = Watcher(*self.size, judge)
        self.dialogue = Dialogue(session, self.audience)
        self.keyboard = Keyboard(self.watcher, self.dialogue)
        self.keyboard.locked_by = self._told_locked = session.locked_by
        self.shell: Shell | None = None
        self.tape: Tape | None = None
        # The portal's session of the owner's page: it has to last, also while the page is away.
        self.owner_session: str | None = None
        self.looked_at = False
        self.ending: OverError | None = None
        self.ending_since: float | None = None
        self._finish = finish
        self._woken = threading.Event()
        self._asked: deque[Any] = deque()
        self._ticked = time.monotonic()
        self._confessed = False

    # ---- From pages and orders, in any thread

    def attach(self, viewer: Viewer) -> None:
        """Let a page in, and tell it how things stand."""
        if viewer.role == OWNER:
            self.owner_session = viewer.session_key
        self._asked.append((self._welcome, (viewer,)))
        self.audience.enter(viewer)
        if self.tape is None:
            self.dialogue.reaching(viewer)
        self._woken.set()

    def detach(self, viewer: Viewer) -> None:
        """Let a page go; the owner's may come back."""
        self.audience.leave(viewer)
        self._woken.set()

    def press(self, viewer: Viewer, data: bytes) -> None:
        """Take in what somebody typed."""
        if viewer.types:
            self.keyboard.press(viewer.user.username, data)
            self._woken.set()

    def resize(self, viewer: Viewer, columns: int, rows: int) -> None:
        """Take the size of the owner's page."""
        if viewer.role == OWNER and viewer.goodbye is None:
            self._ask(self._resize, bounded(columns, rows))

    def ack(self, viewer: Viewer, count: int) -> None:
        """Take the word of a page how far it has shown the output."""
        if self.audience.ack(viewer, count):
            self._woken.set()

    def answer(self, viewer: Viewer, number: int, yes: bool) -> None:
        """Take the answer to what the guard asked."""
        if viewer.types:
            self._ask(self._answer, viewer, number, yes)

    def discard(self) -> None:
        """Throw away what was typed and nobody reads."""
        self._ask(self.keyboard.discard)

    def lock(self, by: str) -> None:
        """Let nobody type, from this moment on; "" lets people type again."""
        self.keyboard.locked_by = by
        self._ask(self._lock, by)

    def end(self, words: str, code: int = WELL) -> None:
        """Have it end, for a reason; the first one counts."""
        if self.ending is None:
            self.ending = OverError(State.ENDED, words, code)
            self.ending_since = time.monotonic()
        self._woken.set()

    def hang_up(self) -> None:
        """Cut the connection where its thread is stuck in it."""
        if self.shell is not None:
            self.shell.close()

    def write_down(self) -> None:
        """Seal its recording and write down its end; in any thread, once its own is done."""
        over = self.ending or OverError(State.ENDED, "")
        endings.write_down(self.dialogue, self.tape, over, self.count())

    def count(self) -> Count:
        """Say what went through it."""
        board = self.keyboard
        return Count(
            board.count, self.backlog.end, self.dialogue.count, board.last_input_at
        )

    def _ask(self, work: Any, *values: Any) -> None:
        self._asked.append((work, values))
        self._woken.set()

    # ---- In its own thread

    def run(self) -> None:
        """Open the shell, serve it, and leave."""
        address = self.session.client_address or ""
        context.current.set(context.RequestContext(address=address))
        over = OverError(State.ENDED, "")
        language = getattr(self.session.user, "language", "") or settings.LANGUAGE_CODE
        with translation.override(language):
            try:
                self.shell = self._open()
                self.tape = Tape(self.session, self.size)
                self.dialogue.mark = self.tape.mark
                self._serve(self.shell, self.tape)
            except OverError as ended:
                over = ended
            except NoRecordingError as problem:
                over = OverError(State.ENDED, str(problem))
            except Exception:
                logger.exception("terminal %s broke", self.session.pk)
                over = OverError(State.ENDED, _("The terminal broke in the portal."))
            finally:
                self._close(over)

    def _open(self) -> Shell:
        patience = Patience(
            settings.TERMINAL_CONNECT_SECONDS, lambda: self.ending is not None
        )
        become, kind = self.session.become, settings.TERMINAL_CHARACTER_TYPE
        try:
            target = target_of(self.session)
            shell = open_shell(target, patience, dial, self.size, become, kind)
        except HostRefusedError as error:
            raise self.ending or OverError(State.REFUSED, str(error)) from error
        except DomainError as error:
            words = f"{error.message} {error.hint}".strip()
            raise OverError(State.REFUSED, words) from error
        if not ledger.went_live(self.session):
            shell.close()
            raise self.ending or OverError(State.ENDED, "")
        connection.close()
        shell.on_ready(self._woken.set)
        return shell

    def _serve(self, shell: Shell, tape: Tape) -> None:
        while True:
            # What was printed is on record within a second, also where nothing else wakes it.
            left = self._ticked + TICK_SECONDS - time.monotonic()
            self._woken.wait(max(min(self.keyboard.wait, left), 0.0))
            self._woken.clear()
            moved = True
            while moved:
                if self.ending is not None:
                    raise self.ending
                while self._asked:
                    work, values = self._asked.popleft()
                    work(*values)
                moved = self.keyboard.work(shell)
                moved = self._pass_on(shell, tape) or moved
                if time.monotonic() - self._ticked >= TICK_SECONDS:
                    self._tick(tape)

    def _pass_on(self, shell: Shell, tape: Tape) -> bool:
        """Hand one piece of output to recording, pages and guard; not while the page that types is too far behind."""
        room = settings.TERMINAL_UNACKED_BYTES - self.backlog.end + self.audience.acked
        # A page whose input waits cannot say how far it is: then only the network holds the output back.
        if room <= 0 and not self.keyboard.full:
            return False
        data = shell.read(CHUNK_BYTES)
        if data is None:
            raise OverError(State.ENDED, farewell(shell))
        if not data:
            return False
        tape.output(data)
        self.backlog.add(data, self.audience.acked)
        self.audience.wake()
        self.keyboard.shown(data)
        return True

    def _tick(self, tape: Tape) -> None:
        """Do what is due once a second."""
        self._ticked = time.monotonic()
        tape.flush()
        if tape.problem and not self._confessed:
            self._confessed = True
            self.audience.tell("say", words=unrecorded(tape))
        last, away = self.keyboard.last_input, self.audience.away_since
        if words := self.limits.over(last, away):
            self.end(words)
        elif words := self.limits.warning(last):
            self.audience.tell("say", words=words)
        # Opened by the guard's rules or by a recording that failed: nothing here keeps one for long.
        connection.close()

    def _welcome(self, viewer: Viewer) -> None:
        if self.tape is not None:
            self.dialogue.welcome(viewer, self.backlog, self.tape, self.size)
        if self._told_locked:
            viewer.tell("locked", by=self._told_locked)

    def _resize(self, size: Size) -> None:
        if self.shell is None or self.tape is None or size == self.size:
            return
        self.size = size
        self.shell.resize(*size)
        self.watcher.resize(*size)
        self.tape.resize(size)
        self.audience.tell("size", columns=size.columns, rows=size.rows)

    def _lock(self, by: str) -> None:
        if by != self._told_locked:
            self._told_locked = by
            self.audience.tell("locked", by=by)
        self.keyboard.lock(by)

    def _answer(self, viewer: Viewer, number: int, yes: bool) -> None:
        # It would go out under the name of who typed it: a guest lets only a line of his or her own go.
        typed = viewer.user.username == self.keyboard.typist
        may = not yes or typed or viewer.role == OWNER
        if may and self.dialogue.asks(number):
            self.keyboard.answer(yes)

    def _close(self, over: OverError) -> None:
        """Hang up, tell the pages, and keep what was printed."""
        self.ending = over
        self.hang_up()
        self.audience.close(over.code, str(over))
        try:
            if self.tape is not None:
                # It ends anyway; why it is not whole stands in its row.
                with suppress(NoRecordingError):
                    self.tape.flush()
        except Exception:
            logger.exception("the recording of %s is not flushed", self.session.pk)
        finally:
            connection.close()
            self._finish(self)
