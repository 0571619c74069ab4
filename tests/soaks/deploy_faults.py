"""What the faults of `make soak deploys` do to a deploy, to its hosts and to the portal; and how it is mended."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from django.db import connections

from adminset.errors import Conflict
from cmdb.models import Host
from delivery.artefacts.packs import pack_for
from delivery.engine.controlling import cancel_deploy
from delivery.models import Deploy, DeployStep, LiveRelease
from delivery.onhost import legs
from tests.small_disk import fill
from tests.soaks.answering import Relay, Service
from tests.soaks.record import setting

if TYPE_CHECKING:
    from tests.soaks.deploy_cases import Case
    from tests.soaks.deploy_ground import Ground

# Where a host says nothing, a leg waits for its time-out: so long in these cases, and not for minutes.
QUICK_SECONDS, MARGIN_SECONDS = 12, 5


class Fault:
    """One fault at one deploy: what lies there before it, the stroke, and mending it."""

    def __init__(self, case: Case, ground: Ground, disk: Path | None) -> None:
        self.case, self.ground, self.disk = case, ground, disk
        self._ends: list[Callable[[], object]] = []
        self._relay: Relay | None = None
        self._pk = self._worker = 0

    def way(self) -> dict[str, Any]:
        """Give what changes in the pipeline; the service of the hosts is started where its health is asked."""
        way = dict(self.case.way)
        if "{port}" not in str(way.get("health_target")):
            return way
        service = Service(self.ground.folder)
        self._ends.append(service.end)
        for name in ("health_target", "restart"):
            text = str(way.get(name, ""))
            text = text.replace("{port}", str(service.port))
            way[name] = text.replace("{flag}", str(service.flag))
        # Its host needs a moment until it listens, or no longer does.
        return way | {"health_wait_seconds": 1}

    def before(self, artefact: Any) -> None:
        """Arrange what lies there before a deploy is asked for."""
        if self.case.fault == "wrong hash":
            self._half_a_pack(artefact)
        if self.case.is_silent:
            self._put_relay()

    def _half_a_pack(self, artefact: Any) -> None:
        """Put bytes on a host that are no part of its pack."""
        live = LiveRelease.objects.select_related("artefact").first()
        base = live.artefact.sha256 if live and live.artefact else None
        pack = pack_for(artefact.sha256, base)
        incoming = self.ground.roots[0] / ".adminset" / "incoming"
        (incoming / f"{pack.sha256}.part").write_bytes(b"x" * (pack.size // 2))

    def _put_relay(self) -> None:
        """Let the last host be reached over a relay only."""
        server, host = self.ground.farm.hosts[-1], self.ground.stage.hosts[-1]
        self._relay = Relay(server.address, server.port)
        rows = Host.objects.filter(pk=host.pk)
        rows.update(ssh_port=self._relay.port)
        self._ends.append(lambda: rows.update(ssh_port=server.port))
        was = legs.QUICK_SECONDS, legs.MARGIN_SECONDS
        legs.QUICK_SECONDS, legs.MARGIN_SECONDS = QUICK_SECONDS, MARGIN_SECONDS
        self._ends.append(lambda: _set_patience(*was))

    def asked(self) -> None:
        """Do what happens between the wish for a deploy and its first step."""
        if self.case.fault == "source gone":
            source = self.ground.repository.folder
            away = source.rename(source.with_name("away"))
            self._ends.append(lambda: away.rename(source))

    def strike(self, pk: int, worker: int) -> None:
        """Do what the case does, when its moment has come; where the step never comes nothing is done."""
        self._pk, self._worker = pk, worker
        if self.case.step and not _await(pk, self.case.step):
            return
        time.sleep(self.case.moment)
        stroke = STRIKES.get(self.case.fault)
        if stroke is not None:
            stroke(self)

    def mend(self) -> None:
        """Take away what stood in the way."""
        server = self.ground.farm.hosts[-1]
        if server.process is None:
            self.ground.farm.restart(server)
        if self.disk is not None:
            (self.disk / "ballast").unlink(missing_ok=True)
        for root in self.ground.roots:
            (root / "ill").unlink(missing_ok=True)
        if self._relay is not None:
            if self.case.fault == "late packets":
                self._relay.go_on()
                time.sleep(1)
            self._relay.end()
        while self._ends:
            self._ends.pop()()

    def kill_worker(self) -> None:
        """Kill whoever moves the deploy on."""
        with suppress(ProcessLookupError):
            os.kill(self._worker, signal.SIGKILL)

    def kill_programs(self) -> None:
        """Kill what runs on the hosts."""
        for host in self.ground.farm.hosts:
            _kill(host.children())

    def kill_build(self) -> None:
        """Kill the commands of a build, and not who waits for them."""
        with suppress(psutil.NoSuchProcess):
            _kill(psutil.Process(self._worker).children(recursive=True))

    def cut(self) -> None:
        """End the last host's sshd: each connection is reset, new ones are refused."""
        self.ground.farm.halt(self.ground.farm.hosts[-1])

    def silence(self) -> None:
        """Let no packet pass to the last host and from it."""
        assert self._relay is not None
        self._relay.fall_silent()

    def fill_disk(self) -> None:
        """Leave no byte on the last host's disk."""
        if self.disk is not None:
            fill(self.disk)

    def cancel(self) -> None:
        """Cancel it as a person does."""
        with suppress(Conflict):
            deploy = Deploy.objects.get(pk=self._pk)
            cancel_deploy(actor=self.ground.stage.user, deploy=deploy)

    def fall_ill(self) -> None:
        """Let the new release fall ill while it is watched."""
        for root in self.ground.roots:
            (root / "ill").touch()

    def take_database(self) -> None:
        """Hold the database for ADMINSET_SOAK_AWAY (30) seconds: nobody can read or write it."""
        name = connections["default"].settings_dict["NAME"]
        with closing(sqlite3.connect(name, timeout=60)) as held:
            held.isolation_level = None
            held.execute("BEGIN EXCLUSIVE")
            time.sleep(setting("AWAY", 30))
            held.execute("ROLLBACK")


STRIKES: dict[str, Callable[[Fault], None]] = {
    "kill worker": Fault.kill_worker,
    "kill program": Fault.kill_programs,
    "kill build": Fault.kill_build,
    "cut network": Fault.cut,
    "silent cut": Fault.silence,
    "late packets": Fault.silence,
    "fill disk": Fault.fill_disk,
    "cancel": Fault.cancel,
    "falls ill": Fault.fall_ill,
    "database away": Fault.take_database,
}


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _set_patience(quick: int, margin: int) -> None:
    legs.QUICK_SECONDS, legs.MARGIN_SECONDS = quick, margin


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
