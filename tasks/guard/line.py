"""The line that somebody types, as far as the keys tell; and an Enter that waits for it to be seen."""

from dataclasses import dataclass, field

from tasks.guard.keys import Key

# So many bytes of a line are kept; a longer one is read off the screen.
LONGEST = 65536


@dataclass
class Line:
    """The line at hand.

    Attributes:
        exact: all keys were text, so that it is known without a look at the screen.
        fresh: the host had said something since the line before, so that this one begins behind a prompt of its own.
        begun_at, sent_at: when its first and its last key went to the host. answered: the host echoed since.
    """

    text: bytearray = field(default_factory=bytearray)
    exact: bool = True
    started: bool = False
    fresh: bool = False
    begun_at: float = 0.0
    sent_at: float = 0.0
    answered: bool = False

    @property
    def words(self) -> str:
        """The text as far as it is known."""
        return self.text.decode("utf-8", "replace")

    def take(self, key: Key) -> None:
        """Follow a key."""
        if key.kind == "text":
            self._add(key.data)
        elif key.kind == "erase":
            self._erase()
        elif key.kind == "kill" and b"\n" not in self.text:
            self.text.clear()
        else:
            self.exact = False

    def take_paste(self, data: bytes) -> None:
        """Take a part of what was pasted whole: its line ends are text."""
        self._add(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))

    def _add(self, data: bytes) -> None:
        room = LONGEST - len(self.text)
        self.exact = self.exact and len(data) <= room
        self.text += data[:room]

    def _erase(self) -> None:
        while self.text and self.text[-1] & 0xC0 == 0x80:
            self.text.pop()
        if self.text:
            self.text.pop()


@dataclass
class Wait:
    """What waits: until when, and until when at the most.

    Attributes:
        prompt: what was pasted behind a line waits for the next prompt. editor: what was typed behind an interrupt waits until
            the line editor has taken that. Else an Enter waits for its line to be seen.
        again: how often the line editor was interrupted once more, because it had only shown that it was.
    """

    due: float
    latest: float
    prompt: bool = False
    editor: bool = False
    again: int = 0


class Pace:
    """How late the host's echo is, and how long a line may therefore be late on the screen.

    Attributes:
        silent: the line before was not shown: something reads without an echo.
        prompts: behind the line before there was a prompt soon.
    """

    # Behind keys that change the line the screen must be quiet for so long.
    QUIET = 0.02
    PATIENCE, LONGEST, SHORTEST, PROMPT = 0.3, 3.0, 0.05, 0.1
    ECHOES = 4
    # Behind an interrupt that goes to a line editor it must be quiet for so long: once the editor has begun anew; once the line has
    # ended; where it has only shown the interrupt, which is sent again then, so often; where it has left and nothing else.
    BEGUN, ENDED, STUCK, AGAIN, LEFT = 0.15, 0.5, 0.3, 4, 5.0
    # So long it may say nothing; and so long it may be loud once the line has ended.
    SILENT, LOUD = 30.0, 2.0

    def __init__(self) -> None:
        self.heard_at = 0.0
        self.silent, self.prompts = False, True
        self._echo = 0.0

    def heard(self, line: Line, now: float) -> None:
        """The host printed something."""
        self.heard_at = now
        if not line.started or line.answered:
            return
        line.answered = True
        late = min(now - line.begun_at, self.LONGEST)
        self._echo = late if late > self._echo else 0.8 * self._echo + 0.2 * late

    def settled(self, line: Line, now: float) -> bool:
        """Say whether the host has answered the last key, and is quiet."""
        return self.heard_at > line.sent_at and now - self.heard_at >= self.QUIET

    def patience(self, line: Line, *, dangerous: bool) -> float:
        """Say for how long a line may be late on the screen, in seconds."""
        if dangerous:
            return self.LONGEST
        if line.exact and self.silent:
            return self.SHORTEST
        return min(max(self.ECHOES * self._echo, self.PATIENCE), self.LONGEST)
