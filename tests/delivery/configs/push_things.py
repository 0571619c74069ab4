"""Short ways for tests of pushes: work that is done in this process, and what lies in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.utils import timezone

from accounts.models import User
from appconf.models import ConfigFile, Environment
from cmdb.models import Host
from delivery.configs.ending import run_ended
from delivery.configs.planning import ConfigPlan
from delivery.configs.pushing import Wanted, request_push
from delivery.models import ConfigDrift, ConfigPush
from tasks.services.execute import execute_run


def ask(
    actor: User, environment: Environment, plan: ConfigPlan, **wanted: Any
) -> ConfigPush:
    """Say yes to a plan."""
    wanted.setdefault("reason", "as planned")
    asked = Wanted(plan_hash=plan.hash, **wanted)
    return request_push(actor=actor, environment=environment, wanted=asked)


def done(push: ConfigPush) -> ConfigPush:
    """Let a worker do what was asked for, in this process."""
    execute_run(pk=push.run_id, worker="test")
    run_ended(push.run_id)
    push.refresh_from_db()
    return push


def names_in(folder: Path) -> list[str]:
    """List the names in a folder, sorted."""
    return sorted(path.name for path in folder.iterdir())


def make_pushed(host: Host, environment: Environment) -> dict[str, int]:
    """Make a push that has ended, and a file that was read back; give their keys by the name of the model."""
    file = ConfigFile.objects.create(
        project=environment.project, name="pushed", path="/etc/pushed.conf"
    )
    push = ConfigPush.objects.create(environment=environment, status="ok")
    drift = ConfigDrift.objects.create(environment=environment, file=file, host=host)
    return {"configpush": push.pk, "configdrift": drift.pk}


def ended(push: ConfigPush, said: dict[str, str], status: str = "ok") -> ConfigPush:
    """Let the run of a push have ended on all its hosts, which no worker ever reached, with these words of theirs."""
    push.refresh_from_db()
    assert push.run is not None
    now = timezone.now()
    report = {"said": said}
    push.run.hosts.update(status=status, report=report, ended_at=now)
    push.run.parts.update(status="done", ended_at=now)
    type(push.run).objects.filter(pk=push.run.pk).update(status=status, ended_at=now)
    return push
