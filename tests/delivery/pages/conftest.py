"""What the tests of delivery's pages share: two product lines, somebody who delivers in one of them, no worker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from adminset import calling
from appconf.models import Environment, Project
from cmdb.models import Host
from delivery.models import Pipeline
from tests.app_factories import grant_on, make_environment, make_line, make_project
from tests.delivery.factories import make_pipeline
from tests.factories import make_host, make_user

DELIVERS = (
    "appconf.view_project",
    "appconf.view_environment",
    "appconf.deploy_environment",
    "cmdb.view_host",
    "delivery.view_pipeline",
    "delivery.view_deploy",
    "delivery.add_deploy",
    "delivery.cancel_deploy",
    "delivery.control_deploy",
    "delivery.decide_deploy",
    "delivery.view_artefact",
    "delivery.change_artefact",
    "delivery.view_liverelease",
    "delivery.view_deploylock",
    "delivery.add_deploylock",
    "delivery.break_deploylock",
    "delivery.view_build",
    "tasks.view_run",
)


@dataclass
class Place:
    """A project with a pipeline and an environment on a host of its product line."""

    project: Project
    pipeline: Pipeline
    environment: Environment
    host: Host


def make_place(name: str, **fields: Any) -> Place:
    """Make one, in a product line of its own."""
    line = make_line()
    project = make_project(name, product_line=line)
    host = make_host(f"{name}-host", product_line=line)
    environment = make_environment(project, "production", hosts=[host])
    return Place(project, make_pipeline(project, **fields), environment, host)


@pytest.fixture
def here(db: None) -> Place:
    """What the deployer may deliver."""
    return make_place("shop")


@pytest.fixture
def elsewhere(db: None) -> Place:
    """What is none of the deployer's business."""
    return make_place("bank")


@pytest.fixture
def deployer(here: Place) -> User:
    """Delivers in one product line."""
    user = make_user("deployer")
    grant_on(user, DELIVERS, here.project.product_line)
    return user


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What workers were called for: nothing is sent anywhere."""
    told: list[tuple[str, Any]] = []

    class App:
        @staticmethod
        def send_task(name: str, args: Any, **_options: Any) -> None:
            told.append((name, args[0]))

    monkeypatch.setattr(calling, "current_app", App)
    return told


@pytest.fixture(autouse=True)
def _own_folders(settings: Any, tmp_path: Path) -> None:
    settings.ARTEFACTS_DIR = tmp_path / "artefacts"
    settings.BUILD_DIR = tmp_path / "builds"
