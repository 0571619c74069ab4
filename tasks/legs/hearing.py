"""Takes out of a program's output what it tells the portal: lines that begin with its mark. All of it is hostile text."""

import re
import threading
from typing import Any

from adminset.redaction import redact
from tasks.ssh.terms import OnOutput, Stream

KEY = re.compile(r"[a-z][a-z0-9_.-]{0,63}", re.ASCII)
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
MOST_KEYS = 200
MOST_VALUE_BYTES = 4096
MOST_BYTES = 64 * 1024
# A line that goes on longer than this is none of the program's.
LONGEST_LINE = MOST_VALUE_BYTES + 200
# With this word a program asks for its file from a byte on.
READY = "ready"


class Ear:
    """Listens to one host: marked lines are taken in, all else is handed over as it comes.

    One thread calls it with output; any thread may ask for `report` and `ready`.
    """

    def __init__(
        self, mark: str, on_output: OnOutput, secrets: list[str], size: int = 0
    ) -> None:
        self._prefix = f"@{mark} ".encode()
        self._on_output = on_output
        self._secrets = secrets
        self._lock = threading.Lock()
        self._held = b""
        # Within a line that is handed over; within one that is too long to be taken in.
        self._middle = self._skips = False
        self._said: dict[str, str] = {}
        self._bytes = self._refused = 0
        self._size = size
        self._sent = 0
        self._ready: int | None = None

    @property
    def ready(self) -> int | None:
        """From which byte on the program wants its file; None until it has said so."""
        return self._ready

    def count(self, sent: int) -> None:
        """Keep how many bytes of the file are on their way or there."""
        self._sent = sent

    def report(self) -> dict[str, Any]:
        """Give what is known so far, for RunHost.report."""
        with self._lock:
            told: dict[str, Any] = {
                "said": dict(self._said),
                "refused": self._refused,
                "sent": self._sent,
                "size": self._size,
            }
        return {name: value for name, value in told.items() if value}

    def __call__(self, data: bytes, stream: Stream) -> None:
        """Take a piece of output."""
        if stream == "stdout":
            data = self._without_marked(self._held + data)
        if data:
            self._on_output(data, stream)

    def close(self) -> None:
        """Hand over what was held back; a marked line whose end did not come is not taken in."""
        held, self._held = self._held, b""
        if held and not held.startswith(self._prefix):
            self._on_output(held, "stdout")

    def _without_marked(self, data: bytes) -> bytes:
        plain, self._held = bytearray(), b""
        while data:
            begins_marked = not self._middle and data.startswith(self._prefix)
            if not self._middle and not begins_marked and not self._skips:
                if self._prefix.startswith(data):
                    self._held = data
                    break
                self._middle = True
            line, newline, rest = data.partition(b"\n")
            if self._middle:
                plain += line + newline
                self._middle = not newline
            elif not self._marked(line, ended=bool(newline)):
                self._held = data
                break
            data = rest
        return bytes(plain)

    def _marked(self, line: bytes, *, ended: bool) -> bool:
        """Take a marked line, or what there is of it; False where its rest is to be waited for."""
        if self._skips or len(line) > LONGEST_LINE:
            self._refused += not self._skips
            self._skips = not ended
            return True
        if ended:
            self._take(line[len(self._prefix) :])
        return ended

    def _take(self, line: bytes) -> None:
        key, _space, value = line.decode(errors="replace").partition(" ")
        value = CONTROL.sub("\ufffd", value.rstrip("\r"))
        if key == READY and self._size:
            self._take_ready(value)
            return
        value = redact(value, self._secrets)
        with self._lock:
            if self._fits(key, value):
                self._bytes += len(value.encode()) - len(
                    self._said.get(key, "").encode()
                )
                self._said[key] = value
            else:
                self._refused += 1

    def _fits(self, key: str, value: str) -> bool:
        length, before = len(value.encode()), len(self._said.get(key, "").encode())
        return (
            KEY.fullmatch(key) is not None
            and length <= MOST_VALUE_BYTES
            and self._bytes - before + length <= MOST_BYTES
            and (key in self._said or len(self._said) < MOST_KEYS)
        )

    def _take_ready(self, value: str) -> None:
        """Believe a place within the file, once; another one is none."""
        fits = value.isascii() and value.isdigit() and len(value) < 20
        if fits and int(value) <= self._size and self._ready is None:
            self._ready = int(value)
        else:
            self._refused += 1
