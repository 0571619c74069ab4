"""Terminals whose web process is killed: shells that print the time, how much of it the recordings miss, and whether shells stay behind."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from tests.farm import SshFarm
from tests.simulation.terminal_page import Page
from tests.simulation.terminal_portal import Desk

TICK_SECONDS = 0.1
# bash knows the time by itself: the clock of the host, which is this machine's.
CLOCK = f"while :; do printf 'at %s\\n' $EPOCHREALTIME; sleep {TICK_SECONDS}; done\r"
TOLD = re.compile(r"at (\d+\.\d+)\r?\n")
# The recording is written once a second; the rest is how late a busy machine may be with it.
MOST_MISSING = 1.0 + 0.5


async def print_time(pages: Sequence[Page], seconds: float) -> None:
    """Let the shells of some pages print the time, and look on for a while."""
    await asyncio.gather(*(page.plain_shell() for page in pages))
    for page in pages:
        await page.type(CLOCK.encode())
    await asyncio.gather(*(page.listen(seconds) for page in pages))


async def come(desk: Desk, count: int) -> list[Page]:
    """Open so many terminals, a few at a time."""
    found: list[Page] = []
    while len(found) < count:
        some = desk.pages(min(5, count - len(found)))
        await asyncio.gather(*(page.come() for page in some))
        found += some
    return found


def missing(desk: Desk, killed_at: float) -> list[float]:
    """Say how many seconds before the kill each recording ends (all of it, where nothing can be read)."""
    texts = desk.ask("texts").values()
    times = [TOLD.findall(text) for text in texts]
    return [killed_at - float(each[-1]) if each else killed_at for each in times]


def shells(farm: SshFarm) -> int:
    """Count what lives below the servers of a farm: connections, shells, what runs in them."""
    return sum(len(host.children()) for host in farm.hosts)


def wait_for(what: str, answer: Callable[[], Any], seconds: float) -> float:
    """Wait until something is so; give the seconds that it took.

    Raises:
        TimeoutError: it never was.
    """
    began = time.monotonic()
    while not answer():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.1)
    return time.monotonic() - began
