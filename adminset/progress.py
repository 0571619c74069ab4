"""A progress bar for commands that take long, on a terminal; into a file or a pipe nothing is drawn."""

import time
from types import TracebackType
from typing import Any, Self

WIDTH = 30
EVERY_SECONDS = 0.2


class Bar:
    """Draws `[#####.....]  50 %  1,000 of 2,000 lines` over itself; used as a context.

    Args:
        out: where to, normally the command's standard error.
        total: how many there are; more than that is fine.
        noun: what is counted.
    """

    def __init__(self, out: Any, total: int, noun: str) -> None:
        self._out, self._total, self._noun = out, total, noun
        self._shown = bool(getattr(out, "isatty", lambda: False)())
        self._done, self._drawn_at = 0, 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the last state standing, on a line of its own."""
        if self._shown and self._drawn_at:
            self._draw()
            self._out.write("\n")

    def advance(self, count: int = 1) -> None:
        """Count some more; drawn a few times a second at most."""
        self._done += count
        if self._shown and time.monotonic() - self._drawn_at >= EVERY_SECONDS:
            self._draw()

    def _draw(self) -> None:
        self._drawn_at = time.monotonic()
        share = min(1.0, self._done / self._total) if self._total else 1.0
        filled = round(share * WIDTH)
        bar = "#" * filled + "." * (WIDTH - filled)
        counts = f"{self._done:,} of {max(self._total, self._done):,}"
        self._out.write(f"\r[{bar}] {share:4.0%}  {counts} {self._noun}", ending="")
        self._out.flush()
