"""What the guard says: to a command (Judgement), to what was typed (Typed), to a line that was entered (Entered, Held)."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tasks.guard_models import GuardRule
from tasks.terminal_models import TerminalCommand

# From the mildest to the strictest.
ACTIONS = ("", *GuardRule.Action.values)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules say to a line.

    Attributes:
        action: "" (nothing), notify, warn, confirm or refuse.
        risk: TerminalCommand.Risk.
        rule_name: the strictest rule that fits.
        words: what the user reads.
    """

    action: str = ""
    risk: int = 0
    rule_name: str = ""
    words: str = ""

    @property
    def stops(self) -> bool:
        """Whether the line must not go on by itself."""
        return self.action in ("confirm", "refuse")


NOTHING = Judgement()
Judge = Callable[[str], Judgement]


@dataclass(frozen=True, slots=True)
class Entered:
    """A line that was entered, whole.

    Attributes:
        verdict: TerminalCommand.Verdict: what became of it.
    """

    text: str
    judgement: Judgement
    verdict: str

    @property
    def action(self) -> str:
        """What the rules say."""
        return self.judgement.action

    @property
    def risk(self) -> int:
        """How much one may break with it."""
        return self.judgement.risk

    @property
    def rule_name(self) -> str:
        """The rule that fits."""
        return self.judgement.rule_name

    @property
    def words(self) -> str:
        """What the user reads."""
        return self.judgement.words


@dataclass(frozen=True, slots=True)
class Held:
    """A line that waits for the user's word: `Watcher.release(yes)` goes on."""

    text: str
    judgement: Judgement

    @property
    def words(self) -> str:
        """What the user is asked."""
        return self.judgement.words


@dataclass(slots=True)
class Typed:
    """What comes of what was typed.

    Attributes:
        send: what goes to the host now.
        commands: lines that were entered by it.
        held: a line that waits for the user's word now.
        dropped: bytes that were thrown away: they stood behind a line that was refused, or did not fit into the queue.
    """

    send: bytes = b""
    commands: list[Entered] = field(default_factory=list)
    held: Held | None = None
    dropped: int = 0

    def __bool__(self) -> bool:
        return bool(self.send or self.commands or self.held or self.dropped)


VERDICT_OF = {
    "": TerminalCommand.Verdict.PASSED,
    "notify": TerminalCommand.Verdict.PASSED,
    "warn": TerminalCommand.Verdict.WARNED,
    "refuse": TerminalCommand.Verdict.REFUSED,
}
