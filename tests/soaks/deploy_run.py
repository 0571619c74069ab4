"""What `make soak deploys` does, in a process of its own: one deploy after the other, each with a fault, each mended."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

from delivery.engine.controlling import retry_deploy
from delivery.engine.rolling_back import request_rollback
from delivery.models import Deploy
from tests.bench.figures import Figure
from tests.farm import SshFarm
from tests.soaks import deploy_faults as faults
from tests.soaks.deploy_ground import HOSTS, Ground, roots_of
from tests.soaks.deploy_many import at_once
from tests.soaks.deploy_watch import Watcher, live_of, untruths
from tests.soaks.record import conclude, say, setting

CLEAN = {
    "policy": "batches",
    "batches": "1",
    "health_kind": "none",
    "health_target": "",
    "health_attempts": 1,
    "before_switch": "",
    "drain": "",
    "restart": "",
    "after_switch": "",
    "back": "",
}


def run(folder: Path) -> int:
    """Do all of it in this process; 0 where nothing that must not be was seen."""
    count = int(setting("DEPLOYS", 100))
    # What is killed here must not be a part of somebody's own start-up files.
    extra = f"SetEnv HOME={folder}"
    farm = SshFarm(HOSTS, folder / "farm", extra=extra)
    with roots_of(folder) as (roots, disk), farm:
        return _all(count, folder, farm, roots, disk)


def _all(
    count: int, folder: Path, farm: SshFarm, roots: list[Path], disk: Path | None
) -> int:
    ground = Ground(folder, farm, roots)
    _plainly(ground)
    watcher = Watcher(roots, folder / "seen")
    ends: Counter[str] = Counter()
    wrong: list[str] = []
    began = time.monotonic()
    for number, case in enumerate(faults.chosen(count, disk=disk is not None), 1):
        found = _one(case, ground, disk, ends, number)
        wrong += found
        say(f"{number}/{count} {case}: {'; '.join(found) or 'well'}")
    wrong += watcher.stop()
    many = int(setting("AT_ONCE", 50))
    say(f"{many} deploys at once ...")
    wrong += at_once(ground, many)
    for words in wrong:
        say(f"FAULT {words}")
    figures = [
        Figure(f"deploys that ended {end}", n, "deploys") for end, n in ends.items()
    ]
    figures.append(Figure("time", time.monotonic() - began, "s"))
    return conclude(f"deploys, {count} faults", figures, len(wrong))


def _plainly(ground: Ground) -> None:
    """Two releases without any fault, so that there is one before."""
    for _number in range(2):
        deploy = ground.stage.ask(ground.release())
        if not ground.finish(deploy.pk, ground.worker(deploy.pk)):
            raise RuntimeError("a plain deploy did not end")
        deploy.refresh_from_db()
        if deploy.status != "ok":
            raise RuntimeError(deploy.explanation)


def _one(
    case: faults.Case,
    ground: Ground,
    disk: Path | None,
    ends: Counter[str],
    number: int,
) -> list[str]:
    by_host = dict(ground.stage.roots)
    before = {pk: live_of(root) for pk, root in by_host.items()}
    ground.stage.way(**{**CLEAN, **dict(case.way)})
    artefact = ground.release()
    faults.before(case, ground, artefact)
    deploy = ground.stage.ask(artefact, reason=str(case))
    worker = ground.worker(deploy.pk)
    faults.strike(case, ground, deploy.pk, worker, disk)
    ended = ground.finish(deploy.pk, worker)
    deploy.refresh_from_db()
    ends[deploy.status] += 1
    wrong = [] if ended else [f"#{deploy.pk} did not end: {_stands(deploy)}"]
    wrong += untruths(deploy, by_host, before)
    faults.mend(ground, disk)
    ground.stage.way(**CLEAN)
    return [*wrong, *_mended(ground, deploy, number)]


def _stands(deploy: Any) -> str:
    steps = deploy.steps.exclude(status__in=("ok", "skipped"))
    told = [f"{one.kind} {one.status}" for one in steps]
    return f"{deploy.status} {deploy.waiting_for} {told}"


def _mended(ground: Ground, deploy: Any, number: int) -> list[str]:
    """Do what a person does then; it must work."""

    stage = ground.stage
    try:
        if deploy.status != "ok" and number % 2:
            again = retry_deploy(actor=stage.user, deploy=deploy, what="stage")
        else:
            again = request_rollback(
                actor=stage.user,
                environment=stage.environment,
                pipeline=stage.pipeline,
                to_artefact=_good(ground),
            )
    except Exception as error:  # noqa: BLE001 - it is told, and the other cases have their turn
        return [f"after #{deploy.pk}: {error}"]
    ground.finish(again.pk, ground.worker(again.pk))
    again.refresh_from_db()
    if again.status != "ok":
        words = f"{again.status} {again.explanation} {_stands(again)}"
        return [f"after #{deploy.pk} the {again.kind} #{again.pk} is {words}"]
    live = {live_of(root) for root in ground.roots}
    return [] if live == {again.release} else [f"#{again.pk}: {live} is live"]


def _good(ground: Ground) -> Any:
    """Give the newest release that ran well everywhere, but for the one that is live everywhere."""

    live = {live_of(root) for root in ground.roots}
    for one in Deploy.objects.filter(status="ok").order_by("-pk"):
        if {one.release} != live:
            return one.artefact
    return None
