"""Many deploys at once, by several workers that all look at all of them: each ends well, and no step of one is done twice."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

from delivery.models import Deploy, Pipeline
from tasks.models import Run
from tests.app_factories import make_environment, make_project
from tests.soaks.deploy_ground import Ground, forked, has_ended, sweep, turn
from tests.soaks.releases import live_of

WORKERS = 3
ORDER = random.Random(7)  # noqa: S311 - no secrets


def at_once(ground: Ground, count: int) -> list[str]:
    """Make so many deploys to environments of their own at the same time; give what is wrong then."""
    deploys = [_asked(ground, number) for number in range(count)]
    workers = [
        forked(lambda: _work([one.pk for one in deploys])) for _ in range(WORKERS)
    ]
    while workers:
        workers = [worker for worker in workers if not has_ended(worker)]
        sweep(deploys[0].pk)
        time.sleep(0.5)
    return [words for one in deploys for words in _wrong(one)]


def _asked(ground: Ground, number: int) -> Any:
    """Ask for a deploy to a folder of its own; two folders of one project wait for nobody either."""
    stage = ground.stage
    project = make_project(f"many{number}")
    environment = make_environment(
        project,
        "live",
        hosts=[stage.hosts[number % len(stage.hosts)]],
        by=stage.user,
        deploy_path=str(ground.folder / "many" / str(number)),
    )
    pipeline = Pipeline.objects.create(project=project, name="main")
    artefact = stage.artefact(f"many {number}", project=project)
    return stage.ask_for(pipeline, environment, artefact)


def _work(keys: list[int]) -> None:
    mine = list(keys)
    while left := [pk for pk in mine if Deploy.objects.get(pk=pk).is_open]:
        ORDER.shuffle(left)
        for pk in left:
            turn(pk)


def _wrong(deploy: Any) -> list[str]:
    deploy.refresh_from_db()
    words = []
    if deploy.status != "ok":
        words.append(f"#{deploy.pk} is {deploy.status}: {deploy.explanation}")
    root = Path(deploy.plan["path"])
    if live_of(root) != deploy.release:
        words.append(f"#{deploy.pk}: {live_of(root)} is live in {root}")
    runs = Run.objects.filter(subject=f"delivery.deploy:{deploy.pk}").count()
    legs = deploy.steps.exclude(run=None).count()
    if runs != legs:
        words.append(f"#{deploy.pk} has {runs} runs for {legs} steps")
    return words
