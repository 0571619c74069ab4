"""What `make soak deploys` does, in a process of its own: one deploy after the other, each with a fault, each mended."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adminset.errors import Conflict
from delivery.engine.controlling import retry_deploy
from delivery.engine.rolling_back import request_rollback
from delivery.models import Deploy
from tests.bench.figures import Figure
from tests.farm import SshFarm
from tests.soaks.deploy_cases import CLEAN, Case, all_cases, chosen
from tests.soaks.deploy_faults import Fault
from tests.soaks.deploy_ground import HOSTS, Ground, roots_of
from tests.soaks.deploy_many import at_once
from tests.soaks.deploy_watch import Watcher, left_drained, untruths
from tests.soaks.record import conclude, say, setting
from tests.soaks.releases import live_of

# Seconds in which a deploy has to end; where a host says nothing, all its time-outs pass before.
PATIENCE, LONG = 180, 600


def run(folder: Path) -> int:
    """Do all of it in this process; 0 where nothing that must not be was seen."""
    count = int(setting("DEPLOYS", len(all_cases(disk=True))))
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
    cases = _cases(count, disk=disk is not None)
    try:
        for number, case in enumerate(cases, 1):
            start = time.monotonic()
            found = _one(case, ground, disk, ends, number)
            wrong += found
            took = f"{time.monotonic() - start:.0f} s"
            words = "; ".join(found) or "well"
            say(f"{number}/{len(cases)} {case}: {words} ({took})")
    finally:
        wrong += watcher.stop()
    many = int(setting("AT_ONCE", 50))
    if many:
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
        _plain(ground)


def _plain(ground: Ground) -> None:
    deploy = ground.stage.ask(ground.release())
    if not ground.finish(deploy.pk, ground.worker(deploy.pk)):
        raise RuntimeError("a plain deploy did not end")
    deploy.refresh_from_db()
    if deploy.status != "ok":
        raise RuntimeError(deploy.explanation)


def _cases(count: int, *, disk: bool) -> list[Case]:
    """Choose them; those with one of ADMINSET_SOAK_ONLY (a,b) in their words, where that is given."""
    only = os.environ.get("ADMINSET_SOAK_ONLY")
    if not only:
        return chosen(count, disk=disk)
    words = only.split(",")
    cases = all_cases(disk=disk)
    return [one for one in cases if any(word in str(one) for word in words)][:count]


def _one(
    case: Case, ground: Ground, disk: Path | None, ends: Counter[str], number: int
) -> list[str]:
    by_host = dict(ground.stage.roots)
    fault = Fault(case, ground, disk)
    try:
        ground.stage.way(**{**CLEAN, **fault.way()})
        deploy = _asked(case, ground, fault)
        before = {pk: live_of(root) for pk, root in by_host.items()}
        fault.asked()
        worker = ground.worker(deploy.pk)
        fault.strike(deploy.pk, worker)
        ended = ground.finish(deploy.pk, worker, LONG if case.is_long else PATIENCE)
        deploy.refresh_from_db()
        ends[deploy.status] += 1
        wrong = [] if ended else [f"#{deploy.pk} did not end: {_stands(deploy)}"]
        wrong += untruths(deploy, by_host, before)
        wrong += left_drained(deploy, by_host)
    except Exception as error:  # noqa: BLE001 - it is told, and the other cases have their turn
        return [f"{type(error).__name__}: {error}"]
    finally:
        fault.mend()
    ground.stage.way(**{**CLEAN, **dict(case.after)})
    # Back it goes by the way that brought what is live: where that is sick, only a deploy mends it.
    again = _again if number % 2 else _rollback
    sick_back = case.of == "rollback" and case.after != case.way
    wrong += _mended(ground, deploy, _anew if sick_back else again)
    ground.forget_source()
    return wrong


def _asked(case: Case, ground: Ground, fault: Fault) -> Any:
    """Ask for the deploy that gets the fault."""
    if case.of == "git":
        return ground.ask_for_commit(str(case))
    if case.of == "rollback":
        if case.way:
            # It goes back by the way that brought what is live.
            _plain(ground)
        fault.before(None)
        return _rollback(ground)
    artefact = ground.release()
    fault.before(artefact)
    return ground.stage.ask(artefact, reason=str(case))


def _stands(deploy: Any) -> str:
    steps = deploy.steps.exclude(status__in=("ok", "skipped"))
    told = [f"{one.kind} {one.status}" for one in steps]
    return f"{deploy.status} {deploy.waiting_for} {told}"


def _mended(
    ground: Ground, deploy: Any, act: Callable[[Ground, Any], Any]
) -> list[str]:
    """Do what a person does then; it must work."""

    stage = ground.stage
    try:
        again = (_rollback if deploy.status == "ok" else act)(ground, deploy)
    except Exception as error:  # noqa: BLE001 - it is told, and the other cases have their turn
        return [f"after #{deploy.pk}: {error}"]
    ground.finish(again.pk, ground.worker(again.pk))
    again.refresh_from_db()
    if again.status != "ok":
        words = f"{again.status} {again.explanation} {_stands(again)}"
        return [f"after #{deploy.pk} the {again.kind} #{again.pk} is {words}"]
    wrong = left_drained(again, dict(stage.roots))
    live = {live_of(root) for root in ground.roots}
    return (
        wrong if live == {again.release} else [*wrong, f"#{again.pk}: {live} is live"]
    )


def _again(ground: Ground, deploy: Any) -> Any:
    """Retry it; where its way was mended since, that wants a new yes."""
    stage = ground.stage
    try:
        return retry_deploy(actor=stage.user, deploy=deploy, what="stage")
    except Conflict as error:
        if error.code != "plan_changed":
            raise
    if deploy.artefact is None:
        return ground.ask_for_commit("mended")
    return stage.ask(deploy.artefact, reason="mended")


def _anew(ground: Ground, deploy: Any) -> Any:
    """Deploy something else."""
    return ground.stage.ask(ground.release(), reason="mended")


def _rollback(ground: Ground, deploy: Any = None) -> Any:
    stage = ground.stage
    return request_rollback(
        actor=stage.user,
        environment=stage.environment,
        pipeline=stage.pipeline,
        to_artefact=_good(ground),
    )


def _good(ground: Ground) -> Any:
    """Give the newest release that ran well everywhere, but for the one that is live everywhere."""

    live = {live_of(root) for root in ground.roots}
    for one in Deploy.objects.filter(status="ok").order_by("-pk"):
        if {one.release} != live:
            return one.artefact
    return None
