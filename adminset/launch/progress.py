"""Lines that show the progress of a start: `[2/7] Python packages ... 4.1 s`."""

import sys
import time
from collections.abc import Callable


def say(line: str) -> None:
    """Write one line at once, also into a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def step(number: int, total: int, title: str, work: Callable[[], bool | None]) -> None:
    """Run one step; `work` returns False when there was nothing to do."""
    sys.stdout.write(f"[{number}/{total}] {title} ... ")
    sys.stdout.flush()
    started = time.monotonic()
    try:
        did = work()
    except BaseException:
        say("failed")
        raise
    took = f"{time.monotonic() - started:.1f} s"
    say("kept" if did is False else took)
