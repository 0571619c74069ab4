"""Terminals over real web sockets, beside a bare paramiko shell on the same host in the same run: keys, floods, two hundred at once.

ADMINSET_BENCH_TERMINAL_MB (100) is what a flood prints, ADMINSET_BENCH_TERMINAL_LINES (20) how many lines of 60 keys are typed,
ADMINSET_BENCH_TERMINALS (200) how many are open at once (0: none). Portal, host and pages share the machine's cores.
"""

import asyncio
import os
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import psutil

from tests.bench import terminal_many
from tests.bench.figures import Figure, percentile
from tests.bench.terminal_bare import Bare
from tests.bench.terminal_many import write_log
from tests.farm import SshFarm, throw_away_user
from tests.simulation.terminal_page import PROMPT, Page
from tests.simulation.terminal_portal import Desk, LoneWeb

FLOOD_BYTES = int(os.environ.get("ADMINSET_BENCH_TERMINAL_MB", "100")) * 10**6
LINES = int(os.environ.get("ADMINSET_BENCH_TERMINAL_LINES", "20"))
KEYS = 60
ROUNDS = 3
WARM_BYTES = 10**7
# Somebody who types fast needs ten times as long.
PAUSE_SECONDS = 0.01
LOOK_SECONDS = 0.02
MIB = 2**20
ISSUE = "(issue 7)"


class Peak:
    """Use as a context: the most memory that a process has meanwhile, above what it had before, in MiB."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        self.before = self.most = process.memory_info().rss / MIB

    @property
    def growth(self) -> float:
        """How much it grew."""
        return self.most - self.before

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _look_on(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self.most = max(self.most, self._process.memory_info().rss / MIB)


def run(folder: Path) -> list[Figure]:
    """Start a host and a web process for each part, and measure."""
    folder.chmod(0o711)
    with throw_away_user() as (user, _password):
        extra = "MaxStartups 1000\nLogLevel QUIET"
        with SshFarm(1, folder / "farm", extra=extra, user=user) as farm:
            figures = [*_one(folder / "one", farm)]
            if terminal_many.COUNT:
                figures += terminal_many.run(folder / "many", farm)
    return figures


def _one(folder: Path, farm: SshFarm) -> list[Figure]:
    folder.mkdir()
    log = write_log(folder.parent / "log.txt", FLOOD_BYTES)
    write_log(folder.parent / "warm.txt", WARM_BYTES)
    web = LoneWeb(folder)
    try:
        desk = web.prepare(farm)
        assert web.web
        return asyncio.run(_measure(desk, farm, psutil.Process(web.web.pid), log))
    finally:
        web.stop()


async def _measure(
    desk: Desk, farm: SshFarm, web: psutil.Process, log: Path
) -> list[Figure]:
    page, other = desk.pages(2)
    bare = Bare(farm, farm.hosts[0])
    for one in (page, other):
        await one.come()
        await one.plain_shell()
    bare.plain_shell()
    try:
        figures = [*await _typing(page, bare)]
        figures += await _floods(page, other, bare, web, log)
    finally:
        bare.close()
    # All that was measured was recorded, and nothing of it skipped.
    assert page.said == other.said == [], (page.said, other.said)
    await page.bye()
    await other.bye()
    return figures


async def _typing(page: Page, bare: Bare) -> Iterator[Figure]:
    """Type the same line on both, key by key in turn, so that both meet the same machine."""
    ours, bares, enters, bare_enters = [], [], [], []
    for line in range(LINES + 1):
        for start in b": ":
            bare.echo(bytes([start]))
            await page.echo(bytes([start]))
        for number in range(KEYS):
            key = bytes([ord("a") + number % 26])
            await asyncio.sleep(PAUSE_SECONDS)
            bares.append(bare.echo(key))
            ours.append(await page.echo(key))
        began = time.perf_counter()
        bare.type(b"\r")
        bare.passes(PROMPT)
        bare_enters.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        await page.type(b"\r")
        await page.passes(PROMPT)
        enters.append((time.perf_counter() - began) * 1000)
        if line == 0:
            # The first line warms both up.
            for times in (ours, bares, enters, bare_enters):
                times.clear()
    return _above(ours, bares, enters, bare_enters)


def _above(
    ours: list[float], bares: list[float], enters: list[float], bare_enters: list[float]
) -> Iterator[Figure]:
    for share, name, goal in ((0.5, "p50", "5 ms"), (0.99, "p99", "30 ms")):
        here, there = percentile(ours, share), percentile(bares, share)
        told = f"{here:.1f} ms; {there:.1f} ms bare paramiko; {len(ours)} keys"
        title = f"terminal, keystroke echo {name} above bare SSH"
        yield Figure(title, here - there, "ms", f"{goal} {ISSUE}", told)
    told = f"{statistics.median(bare_enters):.1f} ms bare paramiko"
    title = "terminal, Enter to the next prompt p50"
    yield Figure(title, statistics.median(enters), "ms", "", told)


async def _floods(
    page: Page, other: Page, bare: Bare, web: psutil.Process, log: Path
) -> list[Figure]:
    """`cat` on both in turn, then on one page while somebody types on another."""
    await _flood(page, log.with_name("warm.txt"))
    ours, bares = [], []
    with Peak(web) as peak:
        for _round in range(ROUNDS):
            bares.append(await asyncio.to_thread(_bare_flood, bare, log))
            ours.append(await _flood(page, log))
        keys = await _beside(page, other, log)
    mine, theirs = statistics.median(ours), statistics.median(bares)
    passed = f"{(ROUNDS + 1) * FLOOD_BYTES / 1e6:.0f} MB"
    told = f"{theirs:.1f} MB/s bare paramiko"
    memory = f"from {peak.before:.0f} to {peak.most:.0f} MiB at the most"
    return [
        Figure("terminal, bulk output", mine, "MB/s", "", told),
        Figure(
            "terminal, bulk output against bare paramiko",
            mine / theirs,
            "x",
            f"0.5 x {ISSUE}",
            told,
        ),
        Figure(
            f"terminal, growth of memory while {passed} pass",
            peak.growth,
            "MiB",
            f"flat {ISSUE}",
            memory,
        ),
        Figure(
            "terminal, echo p95 beside a flood on another",
            percentile(keys, 0.95),
            "ms",
            "",
            f"p50 {percentile(keys, 0.5):.1f} ms, the longest {max(keys):.0f} ms",
        ),
    ]


async def _flood(page: Page, log: Path) -> float:
    """Print a file on a page; give MB/s."""
    began = time.perf_counter()
    await page.type(f"cat {log}; echo over$((1+1))\r".encode())
    size = await page.passes(b"over2", 600)
    took = time.perf_counter() - began
    await page.settle()
    return size / 1e6 / took


def _bare_flood(bare: Bare, log: Path) -> float:
    began = time.perf_counter()
    bare.type(f"cat {log}; echo over$((1+1))\r".encode())
    size = bare.passes(b"over2")
    took = time.perf_counter() - began
    bare.settle()
    return size / 1e6 / took


async def _beside(page: Page, other: Page, log: Path) -> list[float]:
    """Type on one page for as long as the other is flooded."""
    flood = asyncio.create_task(_flood(page, log))
    keys = []
    while not flood.done():
        for number in range(KEYS):
            await asyncio.sleep(PAUSE_SECONDS)
            keys.append(await other.echo(bytes([ord("a") + number % 26])))
            if flood.done():
                break
        await other.type(b"\x15")
        await other.settle()
    await flood
    return keys
