"""Writes down what the terminals of a process have become, renews their leases, and looks whether they may go on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils.translation import gettext as _

from tasks.ssh.shell import Size
from tasks.terminal import heap, ledger, recheck
from tasks.terminal.live import LiveTerminal

LOOK_SECONDS = 1.0
RENEW_SECONDS = 10.0
# A terminal that should end and does not is stuck in its connection.
STUCK_SECONDS = 3.0
# Behind so much output the C library keeps more free memory than the terminals use.
MUCH_OUTPUT = 8 * 2**20
# Looks for rights that may fail in a row: the database is away.
LOOKS_MISSED = 3
NOT_LOOKED_AFTER = "a terminal is not looked after"
logger = logging.getLogger(__name__)


class Keeper(threading.Thread):
    """One thread for all terminals: so many of them need one connection to the database only.

    Args:
        terminals: gives those that there are.
        retires: says whether it may go: there are none, and the next one gets a keeper of its own.

    Attributes:
        gone: set when it goes.
    """

    def __init__(
        self, terminals: Callable[[], list[LiveTerminal]], retires: Callable[[], bool]
    ) -> None:
        super().__init__(name="terminal-keeper", daemon=True)
        self.gone = threading.Event()
        self._terminals = terminals
        self._retires = retires
        self._hurry = threading.Event()
        self._renewed = self._looked = time.monotonic()
        self._away: dict[str, bool] = {}
        self._sizes: dict[str, Size] = {}
        self._trail: recheck.Trail | None = None
        # When it was asked last whether a terminal may go on, by its key.
        self._asked: dict[str, float] = {}
        self._look_now = self._failing = self._failed = False
        self._printed = 0

    def look_soon(self) -> None:
        """Have everybody's rights looked at anew."""
        self._look_now = True
        self._hurry.set()

    def run(self) -> None:
        """Look once a second, for as long as there are terminals."""
        while not self._retires():
            self._hurry.wait(LOOK_SECONDS)
            self._hurry.clear()
            terminals = self._terminals()
            self._failed = False
            try:
                self._look(terminals)
            except Exception:
                logger.log(self._level, NOT_LOOKED_AFTER, exc_info=True)
                self._note_failure()
            if self._failed:
                self._give_up(terminals)
            self._failing = self._failed
        self.gone.set()
        connection.close()

    @property
    def _level(self) -> int:
        """What goes wrong is told once, not each second."""
        return logging.DEBUG if self._failing else logging.ERROR

    def _note_failure(self) -> None:
        self._failed = True
        connection.close()

    def _each(
        self, terminals: list[LiveTerminal], work: Callable[[LiveTerminal], None]
    ) -> None:
        """Do something for each terminal; what goes wrong with one stays with that one."""
        for terminal in terminals:
            try:
                work(terminal)
            except (OperationalError, InterfaceError):
                # The database is away: for all.
                raise
            except Exception:
                logger.log(self._level, NOT_LOOKED_AFTER, exc_info=True)
                self._note_failure()

    def _give_up(self, terminals: list[LiveTerminal]) -> None:
        """End those of which it could not be asked for too long whether they may go on."""
        now, most = time.monotonic(), LOOKS_MISSED * settings.TERMINAL_RECHECK_SECONDS
        for terminal in terminals:
            if now - self._asked.setdefault(terminal.session.key, now) > most:
                terminal.end(_("It could not be asked whether you may go on."))

    def _look(self, terminals: list[LiveTerminal]) -> None:
        now = time.monotonic()
        for terminal in terminals:
            since = terminal.ending_since
            if since is not None and now - since > STUCK_SECONDS:
                terminal.hang_up()
        if now - self._renewed >= RENEW_SECONDS:
            self._renewed = now
            self._renew(terminals)
        lives = [terminal for terminal in terminals if terminal.ending is None]
        self._each(lives, self._write)
        self._look_at_rights(terminals, now)

    def _look_at_rights(self, terminals: list[LiveTerminal], now: float) -> None:
        """Ask anew who may go on: all when it is time or rights changed, else those that began since."""
        self._trail = self._trail or recheck.Trail()
        asked, self._look_now = self._look_now, False
        due = asked or recheck.is_due(self._looked)
        eyes, since = recheck.Eyes(), self._looked
        changed = self._trail.changed(terminals)
        if changed or due:
            # Once more: what a line of the trail tells of may come about a moment after it, such as the end of a session.
            self._look_now = self._look_now or changed
            self._looked = now
            for terminal in terminals:
                terminal.looked_at = False

        def look(terminal: LiveTerminal) -> None:
            recheck.look(terminal, eyes, since)
            terminal.looked_at = True
            self._asked[terminal.session.key] = now

        # The others: what changed between their judgement and the last line that the trail had then, and what failed before.
        self._each([one for one in terminals if not one.looked_at], look)

    def _write(self, terminal: LiveTerminal) -> None:
        """Write down what was entered, and whether the page is there."""
        terminal.dialogue.write_down()
        if terminal.tape is None:
            return
        key, away = terminal.session.key, terminal.audience.away_since is not None
        if self._away.get(key, False) != away:
            ledger.went_away(terminal.session, away)
            self._away[key] = away
        size = terminal.size
        if self._sizes.get(key, size) != size:
            ledger.resized(terminal.session, *size)
        self._sizes[key] = size

    def _renew(self, terminals: list[LiveTerminal]) -> None:
        counts = {terminal.session.pk: terminal.count() for terminal in terminals}
        seen = ledger.renew(counts)
        printed = sum(count.bytes_out for count in counts.values())
        if abs(printed - self._printed) > MUCH_OUTPUT:
            self._printed = printed
            heap.give_back()
        for terminal in terminals:
            row = seen.get(terminal.session.pk, ledger.Seen())
            if not row.open or row.end_reason:
                terminal.end(row.end_reason)
            elif row.locked_by != terminal.keyboard.locked_by:
                # Read once more: an order may have come between.
                terminal.lock(ledger.locked_by(terminal.session))
        keys = {terminal.session.key for terminal in terminals}
        self._away = {key: away for key, away in self._away.items() if key in keys}
        self._sizes = {key: size for key, size in self._sizes.items() if key in keys}
        self._asked = {key: when for key, when in self._asked.items() if key in keys}
