"""The faults of `make soak deploys`: what is done to a deploy, in which step, at which moment of it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from adminset.errors import Conflict
from delivery.artefacts.packs import pack_for
from delivery.engine.controlling import cancel_deploy
from delivery.models import Deploy, DeployStep, LiveRelease
from tests.small_disk import fill

if TYPE_CHECKING:
    from pathlib import Path

    from tests.soaks.deploy_ground import Ground

STEPS = ("check", "claim", "read", "pack", "distribute", "activate", "finish")
ON_HOSTS = ("check", "claim", "read", "distribute", "activate", "finish")
MENDING = ("look", "switch_back", "unlock")
MOMENTS = (0.05, 0.4, 0.9)
SICK = "exit 1"
# Only the release that is new is sick.
NEW_SICK = 'test "$ADMINSET_ROLLBACK" = 1'
ONE_SICK = f'{NEW_SICK} || test "$ADMINSET_HOST" != host1'


@dataclass(frozen=True)
class Case:
    """One fault: what, in which step, when (seconds after that began); `way` changes the pipeline for it."""

    fault: str
    step: str = ""
    moment: float = 0.0
    way: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        told = " ".join(f"{name}={value}" for name, value in self.way)
        where = f" in {self.step} after {self.moment} s" if self.step else ""
        return f"{self.fault}{where} {told}".strip()


def all_cases(*, disk: bool) -> list[Case]:
    """List every fault."""
    return [*_timed(disk=disk), *_commands()]


def chosen(count: int, *, disk: bool) -> list[Case]:
    """Choose so many faults, spread over all kinds; more than there are begin anew."""
    cases = all_cases(disk=disk)
    if count >= len(cases):
        return [cases[number % len(cases)] for number in range(count)]
    return [cases[number * len(cases) // count] for number in range(count)]


def _timed(*, disk: bool) -> Iterator[Case]:
    bad = (("restart", NEW_SICK),)
    for moment in MOMENTS:
        yield from (Case("kill worker", step, moment) for step in STEPS)
        yield from (Case("kill worker", step, moment, bad) for step in MENDING)
        yield from (Case("cut network", step, moment) for step in ON_HOSTS)
        yield from (Case("kill program", step, moment) for step in ON_HOSTS)
        yield from (Case("cancel", step, moment) for step in STEPS)
        yield Case("cut network", "switch_back", moment, bad)
        yield Case("kill program", "switch_back", moment, bad)
        if disk:
            steps = ("claim", "distribute", "activate", "finish")
            yield from (Case("fill disk", step, moment) for step in steps)


def _commands() -> Iterator[Case]:
    for name in ("before_switch", "drain", "restart", "after_switch", "back"):
        yield Case("bad exit", way=((name, NEW_SICK),))
        yield Case("bad exit", way=((name, ONE_SICK),))
    health = (("health_kind", "command"), ("health_attempts", 1))
    for target in (NEW_SICK, ONE_SICK, SICK):
        yield Case("health down", way=(*health, ("health_target", target)))
    yield Case("wrong hash")
    yield Case("wrong hash", way=(("policy", "direct"),))


def strike(case: Case, ground: Ground, pk: int, worker: int, disk: Path | None) -> None:
    """Do what a case does, when its moment has come; where the step never comes nothing is done."""
    if case.step and not _await(pk, case.step):
        return
    time.sleep(case.moment)
    STRIKES.get(case.fault, lambda *given: None)(ground, pk, worker, disk)


def _await(pk: int, kind: str, seconds: float = 60) -> bool:

    until = time.monotonic() + seconds
    steps = DeployStep.objects.filter(deploy=pk, kind=kind, started_at__isnull=False)
    while time.monotonic() < until:
        if steps.exists():
            return True
        if not Deploy.objects.get(pk=pk).is_open:
            return False
        time.sleep(0.02)
    return False


def _kill_worker(ground: Ground, pk: int, worker: int, disk: Path | None) -> None:
    with suppress(ProcessLookupError):
        os.kill(worker, signal.SIGKILL)


def _kill_programs(ground: Ground, pk: int, worker: int, disk: Path | None) -> None:
    for host in ground.farm.hosts:
        for process in host.children():
            with suppress(psutil.NoSuchProcess):
                process.kill()


def _cut(ground: Ground, pk: int, worker: int, disk: Path | None) -> None:
    ground.farm.halt(ground.farm.hosts[-1])


def _fill(ground: Ground, pk: int, worker: int, disk: Path | None) -> None:
    if disk is not None:
        fill(disk)


def _cancel(ground: Ground, pk: int, worker: int, disk: Path | None) -> None:

    with suppress(Conflict):
        cancel_deploy(actor=ground.stage.user, deploy=Deploy.objects.get(pk=pk))


STRIKES: dict[str, Callable[[Ground, int, int, Path | None], None]] = {
    "kill worker": _kill_worker,
    "kill program": _kill_programs,
    "cut network": _cut,
    "fill disk": _fill,
    "cancel": _cancel,
}


def before(case: Case, ground: Ground, artefact: object) -> None:
    """Arrange what lies there before a deploy begins: bytes on a host that are no part of its pack."""
    if case.fault != "wrong hash":
        return

    live = LiveRelease.objects.select_related("artefact").first()
    base = live.artefact.sha256 if live and live.artefact else None
    pack = pack_for(artefact.sha256, base)  # type: ignore[attr-defined]
    part = ground.roots[0] / ".adminset" / "incoming" / f"{pack.sha256}.part"
    part.write_bytes(b"x" * (pack.size // 2))


def mend(ground: Ground, disk: Path | None) -> None:
    """Take away what stood in the way."""
    host = ground.farm.hosts[-1]
    if host.process is None:
        ground.farm.restart(host)
    if disk is not None:
        (disk / "ballast").unlink(missing_ok=True)
