"""All terminals of this process: begun, found, kept alive in the database, given orders, and ended with the process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext as _

from adminset.errors import Conflict, NotFound, Unavailable
from tasks.models import TerminalSession
from tasks.terminal import ledger
from tasks.terminal.keeper import Keeper
from tasks.terminal.live import LiveTerminal
from tasks.terminal.orders import Ear
from tasks.terminal.strictest import StrictestJudge
from tasks.terminal.viewers import Viewer

# The process manager is patient for little longer.
DRAIN_SECONDS = 3.0
# So many are written down in one transaction then: each for itself would take too long, and what is written stays written.
TOGETHER = 20
State = TerminalSession.State
logger = logging.getLogger(__name__)


class Registry:
    """The terminals of one process; threads may call it at the same time."""

    def __init__(self) -> None:
        self._live: dict[str, LiveTerminal] = {}
        # Those that are being begun, by their keys.
        self._coming: set[str] = set()
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._closed = False
        self._keeper: Keeper | None = None

    def all(self) -> list[LiveTerminal]:
        """Give all terminals."""
        with self._lock:
            return list(self._live.values())

    def find(self, session: TerminalSession) -> LiveTerminal:
        """Give the terminal of a session.

        Raises:
            NotFound: it is over, or another process holds it.
        """
        with self._arrived:
            self._arrived.wait_for(lambda: session.key not in self._coming)
        return self._find(session)

    def _find(self, session: TerminalSession) -> LiveTerminal:
        found = self._live.get(session.key)
        if found is not None and found.ending is None:
            return found
        held = session.state in TerminalSession.OPEN and session.process
        if held and held != ledger.process_name():
            raise NotFound(
                _("Another process of the portal holds this terminal."),
                _("Open a new one."),
                code="elsewhere",
            )
        raise NotFound(
            session.end_reason or _("This terminal is not open any more."),
            _("Open a new one."),
            code="terminal_over",
        )

    def begin(self, session: TerminalSession, viewer: Viewer) -> LiveTerminal:
        """Begin a session whose page has come.

        Raises:
            Conflict: this process holds as many as it may.
            NotFound: another page was quicker, or it is over.
            Unavailable: the portal is being stopped, or has no thread for it.
        """
        with self._place(session.key):
            if not ledger.claim(session):
                session.refresh_from_db()
                terminal = self._find(session)
                terminal.attach(viewer)
                return terminal
            judge = StrictestJudge(session)
            terminal = LiveTerminal(session, judge, self._finish)
            judge.typist = lambda: terminal.keyboard.typist
            terminal.attach(viewer)
            self._start(terminal)
            return terminal

    def _start(self, terminal: LiveTerminal) -> None:
        try:
            with self._lock:
                self._check_open()
                self._live[terminal.session.key] = terminal
                self._attend()
                terminal.start()
        except RuntimeError as error:
            # No more threads.
            words = _("The terminal broke in the portal.")
            self._give_back(terminal, words)
            raise Unavailable(words, _("Open a new one."), code="broke") from error
        except Unavailable as error:
            self._give_back(terminal, str(error.message))
            raise

    def _give_back(self, terminal: LiveTerminal, words: str) -> None:
        """Forget one that did not begin: nobody would ever end it, and its lease would be renewed for ever."""
        self._forget(terminal)
        ledger.end(terminal.session, ledger.Ending(State.ENDED, words))

    @contextmanager
    def _place(self, key: str) -> Iterator[None]:
        """Hold a place for one that is being begun, raises Conflict where there is none; who comes for the same one waits."""
        with self._arrived:
            self._arrived.wait_for(lambda: key not in self._coming)
            self._check_open()
            others = (self._live.keys() | self._coming) - {key}
            if len(others) >= settings.TERMINAL_PROCESS_MOST:
                raise _full()
            self._coming.add(key)
        try:
            yield
        finally:
            with self._arrived:
                self._coming.discard(key)
                self._arrived.notify_all()

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable(_("The portal is being stopped."), code="stopping")

    def obey(self, key: str, order: dict[str, Any]) -> None:
        """Do what was ordered (orders.py); of terminals of other processes nothing."""
        terminal = self._live.get(key)
        if terminal is None:
            return
        do, by = order.get("do"), str(order.get("by", ""))
        if do == "kill":
            terminal.end(str(order.get("words", "")))
        elif do == "lock":
            terminal.lock(by)
        elif do == "unlock":
            terminal.lock("")
        elif do == "say":
            terminal.audience.tell("say", words=f"{by}: {order.get('words', '')}")
        elif do == "invite" and self._keeper is not None:
            self._keeper.look_soon()

    def drain(self, words: str, seconds: float = DRAIN_SECONDS) -> None:
        """End all terminals and begin no more, for the end of the process; waits until their recordings are sealed."""
        began = time.monotonic()
        deadline = began + seconds
        with self._lock:
            self._closed = True
            terminals = list(self._live.values())
        for terminal in terminals:
            terminal.end(words)
        # First all hang up and keep what was printed, each in its thread; that is quick, and writing it down is not.
        stuck = _joined(terminals, began + seconds / 3)
        for terminal in stuck:
            terminal.hang_up()
        self._write_down([one for one in terminals if one not in stuck])
        lost = _joined(stuck, deadline)
        self._write_down([one for one in stuck if one not in lost])
        for terminal in lost:
            logger.warning("terminal %s was cut off", terminal.session.pk)
        keeper = self._keeper
        if keeper is not None:
            keeper.look_soon()
            keeper.join(max(deadline - time.monotonic(), 0))

    def reopen(self) -> None:
        """Begin terminals again, after a drain."""
        self._closed = False

    def _write_down(self, terminals: list[LiveTerminal]) -> None:
        # What ended by itself in the same moment is written down already.
        left = [one for one in terminals if one.session.key in self._live]
        for at in range(0, len(left), TOGETHER):
            some = left[at : at + TOGETHER]
            try:
                with transaction.atomic():
                    for terminal in some:
                        terminal.write_down()
            except DatabaseError:
                logger.exception("the ends of %s terminals are not written", len(some))
            for terminal in some:
                self._forget(terminal)

    def _finish(self, terminal: LiveTerminal) -> None:
        """Write down the end of one whose shell is gone; at the end of the process that is done for all together."""
        if self._closed:
            return
        try:
            terminal.write_down()
            connection.close()
        finally:
            self._forget(terminal)

    def _forget(self, terminal: LiveTerminal) -> None:
        with self._lock:
            self._live.pop(terminal.session.key, None)

    def _attend(self) -> None:
        """Have somebody keep and somebody hear, as long as there are terminals. The lock is held."""
        if self._keeper is None:
            keeper = Keeper(self.all, self._retire)
            keeper.start()
            self._keeper = keeper
            Ear(keeper.gone.is_set, self.obey).start()

    def _retire(self) -> bool:
        with self._lock:
            if not self._live:
                self._keeper = None
            return not self._live


def _full() -> Conflict:
    return Conflict(
        _("The portal holds as many terminals as it may."),
        _("Try again when others are closed, or raise ADMINSET_TERMINAL_PROCESS_MOST."),
        code="too_many_terminals",
    )


def _joined(terminals: list[LiveTerminal], deadline: float) -> list[LiveTerminal]:
    """Wait for the threads of terminals until a moment (time.monotonic); give those that are still there."""
    for terminal in terminals:
        terminal.join(max(deadline - time.monotonic(), 0))
    return [terminal for terminal in terminals if terminal.is_alive()]


REGISTRY = Registry()
