"""What the lines before tell of the one at hand: their prompt, whether they go on in it, what `!!` stands for."""

from tasks.guard.shell_lines import is_unfinished
from tasks.guard.tape import Anchor
from tasks.guard.verdicts import ACTIONS, NOTHING, Judge, Judgement

# So many characters of lines that go on are judged together.
MOST = 4096
# So often `!!` is put in, up to one character more than the judge reads.
MOST_BANGS, LONGEST = 8, 65537


class Memory:
    """Remembers the lines that passed.

    Attributes:
        prompt: of the newest line that had one of its own.
    """

    def __init__(self) -> None:
        self.prompt = ""
        self._last = self._unfinished = ""

    def judged(self, judge: Judge, text: str, anchor: Anchor | None) -> Judgement:
        """Judge a line, with what it goes on from and with what the shell will put for `!!`: the strictest word counts.

        Args:
            anchor: where it began, if it began behind a prompt of its own.
        """
        readings = [judge(line) for line in self._alone(text, anchor)]
        if self._unfinished:
            whole, known = judge(self._unfinished + text), judge(self._unfinished)
            # What was said to the lines before is not said again.
            stricter = ACTIONS.index(whole.action) > ACTIONS.index(known.action)
            readings.append(whole if stricter else NOTHING)
        return max(readings, key=lambda each: ACTIONS.index(each.action))

    def _alone(self, text: str, anchor: Anchor | None) -> list[str]:
        """Give what is judged without the lines before; that a line goes on is certain only behind another prompt than theirs."""
        prompt = anchor.prompt if anchor else ""
        if self._unfinished and prompt.strip() and self.prompt.strip():
            if not prompt.startswith(self.prompt):
                return []
            self._unfinished = ""
        if "!!" not in text:
            return [text]
        return [text, text.replace("!!", self._last, MOST_BANGS)[:LONGEST]]

    def passed(self, text: str, anchor: Anchor | None) -> None:
        """Remember a line that went to the host."""
        own = anchor and anchor.prompt.strip() and not self.stood_there(anchor)
        if anchor and own and not self._unfinished:
            self.prompt = anchor.prompt
        whole = self._unfinished + text
        goes_on = len(whole) < MOST and is_unfinished(whole)
        self._unfinished = whole + "\n" if goes_on else ""
        self._last = text

    def stop(self) -> None:
        """The line does not go on: it was interrupted, or taken away."""
        self._unfinished = ""

    def stood_there(self, anchor: Anchor | None) -> str:
        """Give what stood behind the prompt already when the first key came."""
        before = self.prompt
        if anchor is None or not before.strip() or not anchor.prompt.startswith(before):
            return ""
        return anchor.prompt[len(before) :]
