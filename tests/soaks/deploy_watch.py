"""Watches the deploy paths while deploys go wrong: `current` leads to a whole release at every moment, and none that matters goes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from delivery.models import LiveRelease
from tests.soaks.releases import is_whole, live_of

LOOK_SECONDS = 0.002
MOST_TOLD = 20


class Watcher:
    """A process that looks all the time and writes down what must not be."""

    def __init__(self, roots: list[Path], report: Path) -> None:
        self._report = report
        self._pid = os.fork()
        if self._pid == 0:
            try:
                _watch(roots, report)
            finally:
                os._exit(0)

    def stop(self) -> list[str]:
        """End it; give what it saw."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        return self._report.read_text().splitlines() if self._report.exists() else []


def _watch(roots: list[Path], report: Path) -> None:
    seen: dict[Path, list[str]] = {root: [] for root in roots}
    told: set[str] = set()
    while len(told) < MOST_TOLD:
        for root in roots:
            for words in _look(root, seen[root]):
                if words not in told:
                    told.add(words)
                    with report.open("a") as file:
                        file.write(f"{words}\n")
        time.sleep(LOOK_SECONDS)


def _look(root: Path, seen: list[str]) -> list[str]:
    live = live_of(root)
    if not live:
        return [f"{root}: current is gone"] if seen else []
    if not seen or seen[-1] != live:
        seen.append(live)
    wrong = [] if is_whole(root, live) else [f"{root}: {live} is live and not whole"]
    if len(seen) > 1 and not is_whole(root, seen[-2]) and live_of(root) == live:
        wrong.append(f"{root}: {seen[-2]}, which was live before {live}, is gone")
    return wrong


def untruths(deploy: Any, roots: dict[int, Path], before: dict[int, str]) -> list[str]:
    """Compare what the page says of a deploy that ended with what is on the hosts.

    Args:
        before: host -> what was live when it was asked for.
    """
    wrong = []
    known = {
        row.host_id: row
        for row in LiveRelease.objects.filter(environment=deploy.environment_id)
    }
    for row in deploy.hosts.all():
        live = live_of(roots[row.host_id])
        name = f"#{deploy.pk} {deploy.status} {row.host_name} {row.status}"
        if row.status == "unreachable" or row.touched:
            # It says that it does not know, or that somebody has to look.
            continue
        if row.has_said and row.now_release != live:
            wrong.append(f"{name}: says {row.now_release!r}, {live!r} is live")
        if row.has_said and known[row.host_id].said != live:
            wrong.append(f"{name}: live list says {known[row.host_id].said!r}")
        wanted = deploy.release if row.status == "ok" else before[row.host_id]
        if live != wanted:
            wrong.append(f"{name}: {live!r} is live and not {wanted!r}")
    if deploy.status == "ok" and deploy.hosts.exclude(status="ok").exists():
        wrong.append(f"#{deploy.pk} is ok and one of its hosts is not")
    return wrong


def left_drained(deploy: Any, roots: dict[int, Path]) -> list[str]:
    """Say which hosts were taken out of the balancer and not brought back, and are not said to need somebody who looks."""
    wrong = []
    for row in deploy.hosts.all():
        if row.status == "unreachable" or (row.touched and row.status != "ok"):
            continue
        root = roots[row.host_id]
        marks = (root / "out", root / ".adminset" / "drained")
        left = [str(mark) for mark in marks if mark.exists()]
        if left:
            name = f"#{deploy.pk} {deploy.status} {row.host_name} {row.status}"
            wrong.append(f"{name}: it is still drained ({', '.join(left)})")
    return wrong
