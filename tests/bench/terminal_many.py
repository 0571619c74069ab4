"""Two hundred terminals open in one process: their memory, what they cost while nobody types, and the echo while everybody does."""

import asyncio
import os
import random
import time
from pathlib import Path

import psutil

from tests.bench.figures import Figure, percentile
from tests.farm import SshFarm
from tests.simulation.terminal_page import Page
from tests.simulation.terminal_portal import Desk, LoneWeb

COUNT = int(os.environ.get("ADMINSET_BENCH_TERMINALS", "200"))
# So many come at once: a ticket is good for a minute, and two cores share sshd, portal and pages.
AT_ONCE = 20
IDLE_SECONDS = 10.0
TYPING_SECONDS = 20.0
# Everybody types a key a second.
KEY_SECONDS = 1.0
MIB = 2**20
ROOM = {
    "ADMINSET_TERMINAL_USER_MOST": str(COUNT + 1),
    "ADMINSET_TERMINAL_PROCESS_MOST": str(COUNT + 1),
}
CHANCE = random.Random(7)  # noqa: S311 - no secrets


def run(folder: Path, farm: SshFarm) -> list[Figure]:
    """Start a fresh web process, whose memory is nobody else's, and measure."""
    folder.mkdir()
    # More than any of them keeps of its output.
    full = write_log(folder.parent / "full.txt", 3 * 10**6)
    web = LoneWeb(folder, **ROOM)
    try:
        desk = web.prepare(farm)
        assert web.web
        return asyncio.run(_measure(desk, psutil.Process(web.web.pid), full))
    finally:
        web.stop()


def write_log(path: Path, size: int) -> Path:
    """Make a text like a log, which anybody may read."""
    with path.open("w") as file:
        for number in range(size // 100):
            word = f"{number * 2654435761 % 2**32:08x}"
            line = f"2026-11-21 12:{number // 60 % 60:02}:{number % 60:02} web{number % 9} request {word} of user {number % 977}"
            file.write(f"{line} took {number % 701} ms".ljust(98, ".") + "\n")
    path.chmod(0o644)
    return path


async def _measure(desk: Desk, web: psutil.Process, full: Path) -> list[Figure]:
    empty = _memory(web)
    began = time.perf_counter()
    pages = await _open(desk)
    took = time.perf_counter() - began
    idle = await _idle(pages, web)
    memory = _memory(web)
    keys = await _type(pages)
    for first in range(0, COUNT, AT_ONCE):
        some = pages[first : first + AT_ONCE]
        await asyncio.gather(*(_fill(page, full) for page in some))
    after = _memory(web)
    again = await _type(pages)
    await asyncio.gather(*(page.bye() for page in pages))
    title = f"{COUNT} terminals in one process"
    return [
        Figure(
            f"{title}, memory",
            memory,
            "MiB",
            "400 MB (issue 7)",
            f"{empty:.0f} MiB with none; {(memory - empty) * 1024 / COUNT:.0f} KiB each",
        ),
        Figure(
            f"{title}, memory when each has printed 3 MB",
            after,
            "MiB",
            "400 MB (issue 7)",
        ),
        _echo(f"{title}, echo p95 while all type", keys),
        _echo(f"{title}, echo p95 after that output", again),
        Figure(f"{title}, CPU while nobody types", idle, "% of a core"),
        Figure(f"{title}, opened within", took, "s", "", f"{AT_ONCE} at once"),
    ]


def _echo(title: str, keys: list[float]) -> Figure:
    told = f"p50 {percentile(keys, 0.5):.1f} ms, p99 {percentile(keys, 0.99):.0f} ms, {len(keys)} keys"
    return Figure(title, percentile(keys, 0.95), "ms", "50 ms (issue 7)", told)


def _memory(web: psutil.Process) -> float:
    return float(web.memory_info().rss / MIB)


async def _open(desk: Desk) -> list[Page]:
    found: list[Page] = []
    while len(found) < COUNT:
        some = desk.pages(min(AT_ONCE, COUNT - len(found)))
        await asyncio.gather(*(page.come() for page in some))
        await asyncio.gather(*(page.plain_shell() for page in some))
        found += some
    return found


async def _idle(pages: list[Page], web: psutil.Process) -> float:
    """Give the share of a core that they cost while their pages are there and nobody types."""
    await asyncio.gather(*(page.settle() for page in pages))
    before = web.cpu_times()
    await asyncio.sleep(IDLE_SECONDS)
    after = web.cpu_times()
    used = after.user + after.system - before.user - before.system
    return used / IDLE_SECONDS * 100


async def _type(pages: list[Page]) -> list[float]:
    """Let everybody type for a while, nobody at the same moment as the others."""
    until = time.monotonic() + TYPING_SECONDS
    found = await asyncio.gather(*(_typist(page, until) for page in pages))
    return [each for keys in found for each in keys]


async def _typist(page: Page, until: float) -> list[float]:
    keys: list[float] = []
    await asyncio.sleep(CHANCE.uniform(0, KEY_SECONDS))
    while time.monotonic() < until:
        keys.append(await page.echo(bytes([ord("a") + len(keys) % 26])))
        await asyncio.sleep(max(KEY_SECONDS - keys[-1] / 1000, 0))
    await page.type(b"\x15")
    await page.settle()
    return keys


async def _fill(page: Page, full: Path) -> None:
    """Let the portal keep as much of its output as it keeps at the most."""
    await page.type(f"cat {full}; echo over$((1+1))\r".encode())
    await page.passes(b"over2")
    await page.settle()
