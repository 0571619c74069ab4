"""Uploads in hand: the open file of each, kept for a moment from one piece to the next, so that a piece costs no new session."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, TypeVar

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import Conflict, DomainError
from tasks.hostfiles.door import Files, broken, files_of, transfer_of
from tasks.hostfiles.orders import Order
from tasks.hostfiles.staging import open_staged
from tasks.ssh.sftp import TROUBLE

Found = TypeVar("Found")
# Without a piece for so long the file is closed; the next piece opens it again.
IDLE_SECONDS = 15.0
# A piece that came before the one before it waits for that one.
TURN_SECONDS = 30.0
LOOK_SECONDS = 0.5


class Hand:
    """The open file of one upload.

    Args:
        dropped: called when it broke and is closed.
    """

    def __init__(self, order: Order, dropped: Callable[[], None]) -> None:
        self.order = order
        self.at = 0
        self.used = time.monotonic()
        self._dropped = dropped
        self._stack = ExitStack()
        self._changed = threading.Condition()
        self._busy = False
        self._handle = b""
        self._files: Files | None = None

    def open(self, host: Any) -> None:
        """Open the file; raises DomainError."""
        with ExitStack() as stack:
            stack.enter_context(transfer_of(self.order.user))
            files = stack.enter_context(files_of(host))
            self._handle, self.at = open_staged(files, self.order)
            self._files = files
            self._stack = stack.pop_all()

    def write(
        self, offset: int, parts: Iterable[bytes], is_good: Callable[[], bool]
    ) -> int:
        """Write a piece in its turn; gives how far the file goes now.

        Args:
            parts: of the piece, read as they are written.
            is_good: asked behind the last; where it says no the piece is taken back.

        Raises:
            Conflict: it is not the piece that comes next (code `offset`; `fields["offset"]` says which would be).
            DomainError: the host refuses it.
        """
        with self._turn(offset) as files:
            path = self.order.target
            at = files.on(path, files.sftp.write, self._handle, offset, parts)
            if not is_good():
                files.on(path, files.sftp.cut, self._handle, offset)
                at = offset
            self.at = at
            self.used = time.monotonic()
            return at

    def finish(self, place: Callable[[Files, bytes], Found]) -> Found:
        """Have the content put on the host's disk, and what `place` does with it then, given the files and the open one; raises what that raises."""

        def synced(files: Files) -> Found:
            files.on(self.order.target, files.sftp.sync, self._handle)
            return place(files, self._handle)

        return self.work(synced)

    def work(self, act: Callable[[Files], Found]) -> Found:
        """Do something with the host's files while no piece is written; raises what `act` raises."""
        with self._turn(None) as files:
            return act(files)

    @property
    def is_open(self) -> bool:
        """Whether pieces can be written."""
        return self._files is not None

    def close(self) -> None:
        """Close the file once the piece at hand is written; it may be closed twice."""
        with self._changed:
            done = self._changed.wait_for(lambda: not self._busy, TURN_SECONDS)
            files = self._files
        if done:
            self._release()
        elif files is not None:
            # Whoever writes learns of it, and gives the connection back.
            files.sftp.close()

    def _release(self) -> None:
        with self._changed:
            stack, files = self._stack.pop_all(), self._files
            self._files = None
            self._changed.notify_all()
        with suppress(DomainError, *TROUBLE), stack:
            if files is not None:
                files.sftp.shut(self._handle)

    @contextmanager
    def _turn(self, offset: int | None) -> Iterator[Files]:
        files = self._begin_turn(offset)
        try:
            yield files
        except TROUBLE as error:
            files.sftp.close()
            self._drop()
            raise broken(files.host, error) from error
        except BaseException:
            # What came of it is not known: whoever goes on looks anew.
            self._drop()
            raise
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _begin_turn(self, offset: int | None) -> Files:
        due = time.monotonic() + TURN_SECONDS
        with self._changed:
            while self._files is not None:
                left = due - time.monotonic()
                if not self._busy and offset in (None, self.at):
                    self._busy = True
                    return self._files
                passed = offset is not None and self.at > offset
                if left <= 0 or (passed and not self._busy):
                    break
                self._changed.wait(min(left, LOOK_SECONDS))
                if not self._busy and offset is not None and self.at < offset:
                    self._look()
            raise not_next(self.at)

    def _look(self) -> None:
        """Ask the host how far the file goes: another process of the portal may have written the piece before."""
        if (files := self._files) is None:
            return
        try:
            self.at = files.sftp.look_inside(self._handle).size or 0
        except TROUBLE as error:
            files.sftp.close()
            self._drop()
            raise broken(files.host, error) from error

    def _drop(self) -> None:
        self._release()
        self._dropped()


def not_next(at: int) -> Conflict:
    """Say which piece would be the next one."""
    return Conflict(
        _("This is not the piece that comes next."),
        _("Go on at byte %(offset)s.") % {"offset": at},
        code="offset",
        fields={"offset": str(at)},
    )


class Slot:
    """The place of one upload in this process: at most one hand, opened by one thread while the others wait."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.gate = threading.Lock()
        # Threads that are in it or wait for it; while there are any it stays the place of its upload.
        self.users = 0
        self.hand: Hand | None = None

    @property
    def is_idle(self) -> bool:
        """Whether it holds nothing, or a file that nobody wrote to for a while."""
        if self.users:
            return False
        hand = self.hand
        before = time.monotonic() - IDLE_SECONDS
        return hand is None or not hand.is_open or hand.used < before


class Hands:
    """All open uploads of this process."""

    def __init__(self) -> None:
        self._slots: dict[str, Slot] = {}
        self._lock = threading.Lock()
        self._janitor: threading.Thread | None = None

    @contextmanager
    def hand_of(self, order: Order, host: Any) -> Iterator[Hand]:
        """Give the hand of an upload, opened where it is not; raises DomainError."""
        slot = self._enter(order)
        try:
            with slot.gate:
                hand = slot.hand
                if hand is None or not hand.is_open:
                    hand = Hand(order, lambda: self._forget(slot))
                    hand.open(host)
                    slot.hand = hand
            yield hand
        finally:
            self._leave(slot)

    def let_go(self, order: Order) -> None:
        """Close the file of an upload, where it is open; those of earlier begins of the same upload too."""
        with self._lock:
            same = [s for s in self._slots.values() if s.order.is_same(order)]
        for slot in same:
            self._close(slot)

    def close(self) -> None:
        """Close all."""
        with self._lock:
            slots = list(self._slots.values())
        for slot in slots:
            self._close(slot)

    def __len__(self) -> int:
        return len(self._slots)

    def _enter(self, order: Order) -> Slot:
        with self._lock:
            slot = self._slots.setdefault(order.key, Slot(order))
            slot.users += 1
            if self._janitor is None:
                self._janitor = threading.Thread(
                    target=self._sweep, name="uploads", daemon=True
                )
                self._janitor.start()
            return slot

    def _leave(self, slot: Slot) -> None:
        with self._lock:
            slot.users -= 1
        self._forget(slot)

    def _forget(self, slot: Slot) -> None:
        """Take an empty slot out, if nobody is in it or waits for it."""
        with self._lock:
            is_empty = slot.hand is None or not slot.hand.is_open
            is_in = self._slots.get(slot.order.key) is slot
            if is_in and is_empty and not slot.users:
                del self._slots[slot.order.key]

    def _close(self, slot: Slot) -> None:
        if (hand := slot.hand) is not None:
            hand.close()
        self._forget(slot)

    def _sweep(self) -> None:
        """Close what nobody writes to; end with the last one."""
        while True:
            time.sleep(min(IDLE_SECONDS, settings.FILES_STALL_SECONDS) / 3)
            with self._lock:
                idle = [slot for slot in self._slots.values() if slot.is_idle]
                for slot in idle:
                    # Whoever comes now opens it anew.
                    del self._slots[slot.order.key]
                is_last = not self._slots
                if is_last:
                    self._janitor = None
            for slot in idle:
                self._close(slot)
            if is_last:
                return


HANDS = Hands()
hand_of, let_go = HANDS.hand_of, HANDS.let_go
