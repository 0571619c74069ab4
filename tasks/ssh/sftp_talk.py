"""Questions and answers of SFTP on a channel: numbered, several on their way, and none taken that nobody asked for."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from tasks.ssh import sftp_wire as wire
from tasks.ssh.connect import FAILURES, Channel
from tasks.ssh.sftp_wire import Answer, SftpError

# All that a transfer may end with.
TROUBLE = (SftpError, *FAILURES)
# No honest answer is longer: servers give no more than is asked for, and OpenSSH never more than 256 KiB.
LONGEST_PACKET = 512 * 1024
TAKE_BYTES = 256 * 1024
# Answers that came before their turn: an honest host gives no more than is on its way at a time.
EARLY_BYTES = 4 * 2**20


class Talk:
    """Asks and listens, for one thread at a time. Any call may raise one of TROUBLE."""

    def __init__(self, channel: Channel, seconds: float) -> None:
        self._channel = channel
        channel.settimeout(seconds)
        self._buffer = bytearray()
        self._number = 0
        # Numbers that are asked and not answered; answers that came while another was waited for.
        self._asked: set[int] = set()
        self._early: dict[int, Answer] = {}
        self._early_bytes = 0
        self._send(wire.INIT, struct.pack(">I", 3))
        self.extensions = self._greeting()

    def close(self) -> None:
        """End the session."""
        self._channel.close()

    def request(self, kind: int, *fields: bytes) -> int:
        """Ask something without waiting; gives the number that the answer will bear."""
        self._number = (self._number + 1) & 0xFFFFFFFF
        self._asked.add(self._number)
        self._send(kind, struct.pack(">I", self._number), *fields)
        return self._number

    def answer_to(self, number: int) -> Answer:
        """Wait for an answer; a refusal is raised."""
        answer = self._early.pop(number, None)
        if answer is None:
            answer = self._next(number)
        else:
            self._early_bytes -= answer.size
        if answer.kind == wire.STATUS:
            code = answer.number()
            words = answer.text() if answer.has_more else b""
            if code != wire.OK:
                raise SftpError(code, words.decode(errors="replace")[:200])
        return answer

    def unless_end(self, number: int) -> Answer | None:
        """Give an answer, None where it says that there is no more."""
        try:
            return self.answer_to(number)
        except SftpError as error:
            if error.code == wire.END:
                return None
            raise

    def forget(self, numbers: Iterable[int]) -> None:
        """Take the answers that nobody wants any more, as far as the connection still gives any."""
        try:
            for number in numbers:
                self.unless_end(number)
        except TROUBLE:
            self.close()

    def nonsense(self) -> EOFError:
        """End a session whose server cannot be trusted with the next answer either; gives what is to be raised."""
        self.close()
        self._early.clear()
        return EOFError(wire.NONSENSE)

    def _next(self, number: int) -> Answer:
        """Read on until an answer comes; those of other questions are kept."""
        while True:
            came = self._packet()
            its = came.number()
            if its not in self._asked:
                raise self.nonsense()
            self._asked.discard(its)
            if its == number:
                return came
            self._early[its] = came
            self._early_bytes += came.size
            if self._early_bytes > EARLY_BYTES:
                raise self.nonsense()

    def _greeting(self) -> dict[bytes, bytes]:
        answer = self._packet()
        if answer.kind != wire.VERSION or answer.number() < 3:
            raise SftpError(wire.FAILED, "The host's SFTP server is too old.")
        found = {}
        while answer.has_more:
            name = answer.text()
            found[name] = answer.text()
        return found

    def _send(self, kind: int, *fields: bytes) -> None:
        length = sum(len(field) for field in fields) + 1
        self._channel.sendall(b"".join((struct.pack(">IB", length, kind), *fields)))

    def _packet(self) -> Answer:
        self._fill(4)
        length = int.from_bytes(self._buffer[:4])
        if not 0 < length <= LONGEST_PACKET:
            raise self.nonsense()
        self._fill(4 + length)
        with memoryview(self._buffer) as seen:
            kind, body = seen[4], bytes(seen[5 : 4 + length])
        del self._buffer[: 4 + length]
        return Answer(kind, body)

    def _fill(self, length: int) -> None:
        while len(self._buffer) < length:
            came = self._channel.recv(TAKE_BYTES)
            if not came:
                raise EOFError("The host ended the SFTP session.")
            self._buffer += came
