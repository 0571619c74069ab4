"""Builds and the disk: caches count whatever becomes of the build, something stays free; and only what was said yes to is built."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adminset.errors import DomainError
from delivery.building import rooms, tidying, work
from delivery.building.commands import BuildError, check_disk, run_command
from delivery.building.log import BuildLog
from delivery.building.rooms import Room
from delivery.models import Artefact, Deploy, DeployStep
from delivery.sources.origins import origin_of
from tests.delivery.building.conftest import Hand, build_of
from tests.tasks.library_things import Repository

MIB = 2**20
FILL = "head -c 3000000 /dev/urandom >$XDG_CACHE_HOME/x"


def run(room: Room, log: BuildLog, command: str) -> int:
    return run_command(room, command, {}, log, seconds=50, look=lambda: None)


def test_what_a_build_that_failed_left_in_its_cache_counts_and_goes(
    room: Room, log: BuildLog, settings: Any
) -> None:
    settings.BUILD_CACHE_BYTES = settings.BUILD_DISK_BYTES = MIB
    assert run(room, log, f"{FILL}; exit 3") == 3
    with pytest.raises(BuildError, match="took more than 1 MiB"):
        check_disk(room)
    rooms.make_clean(room)
    assert not room.caches.exists()
    check_disk(room)


def test_caches_that_are_too_large_go_in_the_night(
    room: Room, log: BuildLog, settings: Any
) -> None:
    assert run(room, log, FILL) == 0
    small = rooms.room_of("deploy-2", 2)
    (small.caches / "tools").mkdir(parents=True)
    assert tidying.clear_caches() == 0
    settings.BUILD_CACHE_BYTES = MIB
    assert tidying.clear_caches() == 1
    assert (room.caches.exists(), small.caches.exists()) == (False, True)


def test_folders_count_for_the_disk(room: Room, settings: Any) -> None:
    settings.BUILD_DISK_BYTES, settings.BUILD_CACHE_BYTES = MIB, 0
    for number in range(300):
        (room.source / str(number)).mkdir()
    with pytest.raises(BuildError, match="took more than 1 MiB"):
        check_disk(room)


def test_a_build_leaves_something_of_the_disk_free(
    room: Room, log: BuildLog, settings: Any
) -> None:
    settings.BUILD_FREE_BYTES = 2**60
    with pytest.raises(BuildError, match="of the disk are free"):
        run(room, log, "sleep 9187")


def deploy_of(hand: Hand, **values: Any) -> Deploy:
    Deploy.objects.filter(pk=hand.step.deploy_id).update(**values)
    hand.step = DeployStep.objects.get(pk=hand.step.pk)
    return hand.step.deploy


def test_a_source_that_was_changed_since_the_yes_is_not_built(
    hand_for: Callable[..., Hand], repository: Repository
) -> None:
    hand = hand_for()
    deploy = hand.step.deploy
    project = deploy.pipeline.project
    plan = deploy.plan | {"origin": origin_of(project)}
    deploy_of(hand, plan=plan)
    work.build(hand)
    assert Artefact.objects.count() == 1
    other = hand_for()
    deploy_of(other, plan=plan)
    type(project).objects.update(source_address=f"{repository.url}/.git")
    with pytest.raises(DomainError, match="source of the project was changed"):
        work.build(other)
    assert (build_of(other).status, Artefact.objects.count()) == ("failed", 1)


def test_the_commit_of_the_plan_is_built_whatever_its_digits_stand_for(
    hand_for: Callable[..., Hand], repository: Repository
) -> None:
    hand = hand_for()
    planned = hand.step.deploy.commit
    later = repository.commit({"word": "two"})
    deploy_of(hand, ref_kind="commit", ref=later[:7])
    work.build(hand)
    assert Artefact.objects.get().commit == planned
