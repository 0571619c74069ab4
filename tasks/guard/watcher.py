"""Stands between what is typed and the shell: recognises lines at Enter and holds those that a rule does not let pass."""

import time
from collections.abc import Callable

from tasks.guard import reading
from tasks.guard.keys import CLEAR, INTERRUPT, PASTE_END, Key, first_key, pasted_part
from tasks.guard.line import Line, Pace, Wait
from tasks.guard.memory import Memory
from tasks.guard.tape import Anchor, Tape
from tasks.guard.verdicts import VERDICT_OF, Entered, Held, Judge, Typed

# In bytes: what queues behind a line that is held, and behind one that waits for its echo.
MOST_HELD, MOST_WAITING = 65536, 1 << 20
# With so much output somebody types ahead, and no password was asked for; so much is drawn at once.
FLOOD, DRAWN = 1024, 8192


class Watcher:
    """One terminal's guard. Not for several threads at once.

    `typed`, `output`, `tick` and `release` give what comes of it, to be dealt with alike: `output` too, because an Enter waits
    for the echo of its line. Where `due` is set, `tick` wants to be called at that time (time.monotonic()).
    Nothing is recognised while a full-screen program has the screen, and nothing that the screen does not show.

    Attributes:
        held: a line that waits for the user's word; until `release` everything that is typed queues.
    """

    def __init__(
        self,
        columns: int,
        rows: int,
        judge: Judge,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.held: Held | None = None
        self._judge, self._clock = judge, clock
        self._tape, self._pace, self._line = Tape(columns, rows), Pace(), Line()
        self._queue = bytearray()
        self._wait: Wait | None = None
        self._enter = b""
        self._in_paste = False
        self._begun_at = -1.0
        self._taken_away = ""
        self._answered = True
        self._memory = Memory()

    @property
    def due(self) -> float | None:
        """When `tick` wants to be called."""
        return self._wait.due if self._wait else None

    def output(self, data: bytes) -> Typed:
        """Take output of the shell, before or after the page gets it."""
        self._tape.add(data)
        now, line, wait, out = self._clock(), self._line, self._wait, Typed()
        self._pace.heard(line, now)
        self._answered = True
        if wait and wait.editor:
            self._follow_editor(wait, now)
        elif wait and wait.prompt:
            if self._tape.full or self._prompted():
                self._go_on(out)
        elif wait and not line.exact and not self._tape.full:
            wait.due = min(now + Pace.QUIET, wait.latest)
        elif wait and (self._tape.full or self._shown_soon()):
            self._go_on(out)
        return out

    def tick(self) -> Typed:
        """Do what is due: an Enter has waited long enough."""
        out = Typed()
        if self.due is not None and self._clock() >= self.due:
            self._go_on(out)
        return out

    def resize(self, columns: int, rows: int) -> None:
        """Follow the size of the terminal."""
        self._tape.draw().resize(columns, rows)

    def typed(self, data: bytes) -> Typed:
        """Take what was typed."""
        out = Typed()
        if self.held or self._wait:
            stop = data.rfind(INTERRUPT)
            if stop < 0:
                most = MOST_HELD if self.held else MOST_WAITING
                self._queue += data
                out.dropped = max(len(self._queue) - most, 0)
                del self._queue[most:]
                return out
            self._abandon(out)
            self._wait = None
            data = data[stop:]
        self._queue += data
        self._run(out)
        return out

    def release(self, yes: bool) -> Typed:
        """Give the user's word on the line that is held; without one that waits nothing happens."""
        out = Typed()
        held, self.held = self.held, None
        if held and yes:
            out.send += self._enter
            out.commands.append(Entered(held.text, held.judgement, "confirmed"))
            self._finish(held.text)
            self._run(out)
        elif held:
            self._turn_down(out, Entered(held.text, held.judgement, "declined"))
        return out

    def drop(self) -> Typed:
        """Throw away what waits: a line that is held goes, one whose Enter waits for its echo stands there without it."""
        if self.held:
            return self.release(False)
        out = Typed()
        self._abandon(out)
        return out

    def take_away(self) -> bytes:
        """Give what takes the line away that was turned down last, where it stands behind the prompt still: typed ahead, it comes back."""
        # A host that has said nothing since may have it still on its way: one more would only come too late.
        stands = reading.ends_with(self._tape.draw(), self._taken_away)
        if not stands or not self._answered:
            self._taken_away = ""
            return b""
        away = self._away()
        self._interrupt(away)
        return away

    def _abandon(self, out: Typed) -> None:
        """Somebody interrupts while an Enter waits: the line is thrown away."""
        out.dropped = len(self._queue)
        self._queue.clear()
        if self._wait and not self._wait.editor:
            self._wait = None
        held, self.held = self.held, None
        if held:
            out.commands.append(Entered(held.text, held.judgement, "declined"))

    def _run(self, out: Typed) -> None:
        """Let the keys that wait go to the host, up to an Enter that has to wait."""
        while self._queue and not self._wait and not self.held:
            if self._tape.full:
                out.send += self._queue
                self._queue.clear()
                self._begin()
            elif not self._in_paste or not self._tape.paste:
                self._on_key(out, first_key(self._queue))
            elif not self._paste(out):
                return

    def _paste(self, out: Typed) -> bool:
        """Take a part of a paste that the line editor takes whole; False where only the beginning of its end has come."""
        part = pasted_part(self._queue)
        ended = self._queue.startswith(PASTE_END, len(part))
        taken = len(part) + len(PASTE_END) * ended
        out.send += self._queue[:taken]
        del self._queue[:taken]
        self._start()
        self._line.take_paste(part)
        stopped = self._queue.startswith(INTERRUPT)
        self._in_paste = not ended and not stopped
        return taken > 0 or stopped

    def _on_key(self, out: Typed, key: Key) -> None:
        del self._queue[: len(key.data)]
        if key.kind == "enter":
            self._on_enter(out, key.data)
            return
        out.send += key.data
        if key.kind == "stop":
            self._memory.stop()
            self._begin()
            self._interrupt(key.data)
        elif key.kind != "report" and (key.kind != "end" or self._line.started):
            self._start()
            self._in_paste = key.kind == "paste" and self._tape.paste
            if not self._in_paste:
                self._line.take(key)

    def _start(self) -> None:
        line, now = self._line, self._clock()
        if not line.started:
            self._tape.mark()
            line.started, line.begun_at = True, now
            line.fresh = self._pace.heard_at > self._begun_at
        line.sent_at = now

    def _begin(self) -> None:
        """Wait for the next line."""
        self._line, self._in_paste, self._wait = Line(), False, None
        self._begun_at = self._clock()
        self._tape.unmark()

    def _on_enter(self, out: Typed, enter: bytes) -> None:
        """Decide at once where the line is to be seen, else wait."""
        self._enter, line, now = enter, self._line, self._clock()
        if line.exact and not line.words.strip():
            self._decide(out, self._ready_made())
        elif self._shown() if line.exact else self._pace.settled(line, now):
            self._decide(out, self._read())
        else:
            dangerous = line.exact and self._judge(line.words).stops
            latest = now + self._pace.patience(line, dangerous=dangerous)
            heard = not line.exact and self._pace.heard_at > line.sent_at
            due = min(now + Pace.QUIET, latest) if heard else latest
            self._wait = Wait(due, latest)

    def _ready_made(self) -> str:
        """Give a line that the shell put behind its prompt by itself."""
        heard = self._pace.heard_at > self._begun_at
        return (
            reading.read_rest(self._tape.draw(), self._memory.prompt) if heard else ""
        )

    def _shown_soon(self) -> bool:
        """Say whether the line is shown, where that is cheap to say."""
        return self._tape.waiting <= DRAWN and self._shown()

    def _shown(self) -> bool:
        """Say whether the line that was typed stands before the cursor."""
        line, before = self._line, self._memory.prompt
        screen = self._tape.draw()
        return reading.is_shown(
            screen, self._tape.anchor, line.words, before, line.fresh
        )

    def _read(self) -> str:
        """Give the line: as it was typed where that is what the screen shows, else as the screen shows it."""
        line = self._line
        exact = line.exact and self._shown()
        screen, anchor, before = self._tape.draw(), self._anchor(), self._memory.prompt
        if line.exact and not exact and anchor is None:
            return ""
        text = line.words if exact else reading.read_line(screen, anchor, before)
        return (self._memory.stood_there(anchor) + text).strip()

    def _go_on(self, out: Typed) -> None:
        """End a wait, one way or the other."""
        if self._wait and self._is_stuck(self._wait):
            out.send += INTERRUPT
            self._wait.again, self._wait.due = self._wait.again + 1, self._wait.latest
            self._answered = False
            return
        wait, self._wait = self._wait, None
        if wait and wait.prompt:
            self._pace.prompts = self._tape.full or self._prompted()
        elif not wait or not wait.editor:
            self._decide(out, "" if self._tape.full else self._late())
        self._run(out)

    def _prompted(self) -> bool:
        """Say whether the cursor stands behind what looks like the prompt of before."""
        if self._tape.waiting > DRAWN:
            return False
        before = reading.before_cursor(self._tape.draw(), None, 0)
        return before.endswith(self._memory.prompt[-2:])

    def _late(self) -> str:
        """Give the line whose wait is over; "" for what is not shown."""
        line = self._line
        ahead = not line.fresh or self._tape.during > FLOOD + 2 * len(line.text)
        if line.exact and ahead and not self._shown():
            return line.words.strip() if self._judge(line.words).stops else ""
        text = self._read()
        if not text and not line.exact:
            text = reading.typed_ahead(self._tape.draw(), self._tape.anchor, line.words)
        self._pace.silent = line.exact and not text
        return text

    def _decide(self, out: Typed, text: str) -> None:
        """Let the line pass, hold it, or turn it down."""
        if not text:
            out.send += self._enter
            self._begin()
            return
        judged = self._memory.judged(self._judge, text, self._anchor())
        if judged.action == "confirm":
            self.held = out.held = Held(text, judged)
            return
        entered = Entered(text, judged, VERDICT_OF[judged.action])
        if judged.action == "refuse":
            self._turn_down(out, entered)
            return
        out.send += self._enter
        out.commands.append(entered)
        self._finish(text)
        if self._queue and self._pace.prompts and self._memory.prompt.strip():
            due = self._clock() + Pace.PROMPT
            self._wait = Wait(due, due, prompt=True)

    def _anchor(self) -> Anchor | None:
        """Give where the line began, if it began behind a prompt of its own."""
        return self._tape.anchor if self._line.fresh else None

    def _finish(self, text: str) -> None:
        anchor = self._anchor()
        self._memory.passed(text, anchor)
        self._pace.silent = False
        # Behind a prompt of its own: the next may be waited for again.
        if anchor and anchor.prompt.strip():
            self._pace.prompts = True
        self._begin()

    def _turn_down(self, out: Typed, entered: Entered) -> None:
        """Take the line away at the host, and what was typed behind it."""
        out.commands.append(entered)
        away = self._away()
        out.send += away
        self._taken_away = entered.text
        out.dropped += len(self._queue)
        self._queue.clear()
        self._memory.stop()
        self._begin()
        self._interrupt(away)

    def _interrupt(self, sent: bytes) -> None:
        """Let what is typed wait while a line editor takes an interrupt.

        What reaches bash in the same moment it reads into the line that goes, and may then run that without its first character.
        """
        if sent != INTERRUPT or not self._tape.paste:
            return
        self._tape.interrupted()
        self._answered = False
        latest = self._clock() + Pace.SILENT
        self._wait = Wait(latest, latest, editor=True)

    def _follow_editor(self, wait: Wait, now: float) -> None:
        """Wait on, for as long as it takes by what the line editor has shown of the interrupt."""
        tape, quiet = self._tape, Pace.LEFT
        if tape.ended:
            quiet = Pace.BEGUN if tape.begun and not wait.again else Pace.ENDED
            wait.latest = min(wait.latest, now + Pace.LOUD)
        elif self._is_stuck(wait):
            quiet = Pace.STUCK
        wait.due = now if tape.full else min(now + quiet, wait.latest)

    def _is_stuck(self, wait: Wait) -> bool:
        """Say whether a line editor shows an interrupt and keeps its line: bash, interrupted just before it reads, deals with it at the next key."""
        shown = self._answered and self._tape.paste and not self._tape.ended
        return wait.editor and shown and wait.again < Pace.AGAIN

    def _away(self) -> bytes:
        """A line editor takes an interrupt as "away with the line"; a program that runs would be stopped by it."""
        return INTERRUPT if self._tape.paste else CLEAR
