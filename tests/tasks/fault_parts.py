"""The portal of portal_things with beat and web beside it, and with schedules."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.farm import SshFarm
from tests.services import free_port, wait_for_port
from tests.tasks.portal_things import ROOT, Portal, kill

SCHEDULE = """
from datetime import timedelta
from django.utils import timezone
from accounts.models import User
from cmdb.models import Host
from tasks.models import Schedule
now = timezone.now()
schedule = Schedule(
    name=f"planned {Schedule.objects.count()}", run_as=User.objects.get(), once_at=now + timedelta(seconds=given.pop("seconds")), **given
)
schedule.plan_next(now)
schedule.save()
schedule.hosts.set(Host.objects.all())
print(schedule.pk)
"""
RUNS_OF = """
from tasks.models import Run
print(json.dumps(list(Run.objects.filter(schedule=given["pk"]).values_list("pk", flat=True))))
"""


class WholePortal(Portal):
    """A portal whose clock and web are processes of their own."""

    def __init__(self, folder: Path, farm: SshFarm) -> None:
        super().__init__(folder, farm)
        self._log = (folder / "parts.log").open("ab")
        self.beat: subprocess.Popen[bytes] | None = None
        self.web: subprocess.Popen[bytes] | None = None
        self.web_port = free_port()

    def start_beat(self) -> None:
        """Start the clock."""
        own = self.folder / "beat.pid"
        own.unlink(missing_ok=True)
        self.beat = self._start(
            "celery", "-A", "adminset", "beat", "--pidfile", str(own)
        )

    def start_web(self) -> None:
        """Start the web and wait until it answers."""
        words = ("adminset.asgi:application", "--port", str(self.web_port))
        self.web = self._start("uvicorn", *words, "--lifespan", "off")
        wait_for_port(self.web_port, self.web, 60)

    def schedule(self, seconds: float, **wanted: object) -> int:
        """Plan one run on all hosts in so many seconds."""
        return int(self.do(SCHEDULE, seconds=seconds, **wanted))

    def runs_of(self, schedule: int) -> list[int]:
        """Give the runs of a schedule."""
        return list(json.loads(self.do(RUNS_OF, pk=schedule)))

    def stop(self) -> None:
        """End all."""
        for part in (self.beat, self.web):
            if part is not None:
                kill(part)
        super().stop()
        self._log.close()

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=ROOT,
            env=self.env,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
