"""The steps of a deploy, made from the stages that were frozen into its plan."""

from collections.abc import Iterator
from typing import Any

from delivery.models import Deploy, DeployStep
from delivery.planning.one_host import KEY
from delivery.stages import AT_PORTAL, is_for_one
from delivery.way_models import Way

Kind = DeployStep.Kind
Made = tuple[str, dict[str, Any]]
# In the options of a step: the row of the only host on which its command runs.
ONE = "one"


def make_steps(deploy: Deploy, batches: int) -> list[DeployStep]:
    """Write the steps of a deploy down, all of them waiting.

    Args:
        batches: how many batches its hosts are in.
    """
    way = _back(batches) if deploy.is_rollback else _forward(deploy, batches)
    return DeployStep.objects.bulk_create(
        DeployStep(deploy=deploy, position=number, kind=kind, **values)
        for number, (kind, values) in enumerate(way, 1)
    )


def add_steps(deploy: Deploy, kinds: list[str]) -> None:
    """Put further steps behind those that are there: what is to be done after something went wrong."""
    last = deploy.steps.order_by("-position").first()
    start = last.position + 1 if last else 1
    DeployStep.objects.bulk_create(
        DeployStep(deploy=deploy, position=number, kind=kind)
        for number, kind in enumerate(kinds, start)
    )


def _back(batches: int) -> Iterator[Made]:
    # Taking the lock says what is live too: seconds count here.
    yield Kind.CLAIM, {}
    for batch in range(batches):
        yield Kind.ACTIVATE, {"batch": batch if batches > 1 else None}
    yield Kind.FINISH, {}


def _forward(deploy: Deploy, batches: int) -> Iterator[Made]:
    stages = deploy.way["stages"]
    yield Kind.CHECK, {}
    if deploy.artefact_id is None:
        yield Kind.FETCH, {}
        yield Kind.BUILD, {}
    # Read once the lock is held: from then on nobody else changes what is there.
    yield Kind.CLAIM, {}
    yield Kind.READ, {}
    for stage in stages:
        if stage["kind"] in AT_PORTAL:
            continue
        if stage["kind"] == "distribute":
            yield Kind.PACK, {}
        if stage["kind"] == "activate":
            yield from _activate(deploy.way, batches, stage)
        else:
            yield stage["kind"], _of(deploy, stage)
    yield Kind.FINISH, {}


def _of(deploy: Deploy, stage: dict[str, Any]) -> dict[str, Any]:
    options = {key: stage[key] for key in ("command", "timeout") if stage.get(key)}
    if is_for_one(stage):
        row = deploy.hosts.filter(host=deploy.plan.get(KEY) or 0).first()
        # Its row stays, whatever becomes of the host; without one it runs nowhere.
        options[ONE] = row.pk if row else 0
    # Without a title it is named by its kind, in the language of whoever looks.
    return {"title": str(stage.get("title", ""))[:100], "options": options}


def _activate(
    way: dict[str, Any], batches: int, stage: dict[str, Any]
) -> Iterator[Made]:
    title = {"title": str(stage.get("title", ""))[:100]}
    for batch in range(batches):
        yield Kind.ACTIVATE, {**title, "batch": batch if batches > 1 else None}
        more = batch + 1 < batches
        if batch == 0 and way["policy"] == Way.Policy.CANARY:
            yield Kind.WATCH, {"batch": batch}
        if more and way["pause_after"] == Way.Pause.ALWAYS:
            yield Kind.CONFIRM, {"batch": batch}
