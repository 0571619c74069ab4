"""Builds of deploys, with a hand that holds their steps and no engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from appconf.models import Project
from delivery.building import rooms
from delivery.building.log import BuildLog
from delivery.building.rooms import Room
from delivery.models import Build, Deploy, DeployStep
from tests.app_factories import make_environment, make_project
from tests.delivery.factories import make_deploy, make_pipeline, make_step
from tests.factories import make_host
from tests.tasks.library_things import Repository


class Lost(Exception):
    """The step is somebody else's."""


@dataclass
class Hand:
    """What the engine gives to the work of a step; `lose` says when it is no longer ours."""

    step: DeployStep
    lose: Callable[[], bool] = lambda: False
    told: list[tuple[int, int]] = field(default_factory=list)

    def look(self) -> None:
        if self.lose():
            raise Lost

    def tell(self, done: int, total: int) -> None:
        self.told.append((done, total))


@pytest.fixture(autouse=True)
def data(tmp_path: Path, settings: Any) -> Path:
    """Give each test folders of its own."""
    settings.BUILD_DIR = tmp_path / "builds"
    settings.ARTEFACTS_DIR = tmp_path / "artefacts"
    settings.LIBRARY_GIT_PROTOCOLS = ["file"]
    return tmp_path


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.commit({"word": "one", "docs/a.md": "x" * 1000})
    return made


@pytest.fixture
def project(repository: Repository, db: None) -> Project:
    return make_project(source_type="git", source_address=repository.url)


@pytest.fixture
def hand_for(
    project: Project, repository: Repository, admin: User
) -> Callable[..., Hand]:
    """Make a deploy of the newest commit whose way has some stages, and a hand with its build step."""

    def make(*stages: dict[str, Any], **way: Any) -> Hand:
        commit = repository.git("rev-parse", "HEAD")
        environment = make_environment(project, hosts=[make_host()])
        listed = [*stages, {"kind": "distribute"}, {"kind": "activate"}]
        deploy: Deploy = make_deploy(
            environment,
            pipeline=make_pipeline(project),
            by=admin,
            ref="main",
            commit=commit,
            status="running",
            plan={"way": {"stages": listed, "include": "", "exclude": "", **way}},
        )
        return Hand(make_step(deploy, "build", "running"))

    return make


@pytest.fixture
def room() -> Room:
    """A clean room of a build."""
    made = rooms.room_of("deploy-1", 1)
    rooms.make_clean(made)
    return made


@pytest.fixture
def log(db: None) -> BuildLog:
    return BuildLog(1, ["hunter2-hunter2"])


def build_of(hand: Hand) -> Build:
    """Give the build of a hand's deploy."""
    return Build.objects.filter(deploy=hand.step.deploy).latest("pk")
