"""What several parts of the room's tests begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from delivery.models import Pipeline
from tests.app_factories import make_environment, make_project
from tests.delivery.safety.safety_things import Paper
from tests.factories import make_host


@pytest.fixture
def paper(admin: User, settings: Any, tmp_path: Path) -> Paper:
    """A project with three hosts that nobody ever reaches."""
    settings.RUN_DIR = tmp_path / "runs"
    settings.ARTEFACTS_DIR = tmp_path / "artefacts"
    hosts = [make_host(f"paper{number}") for number in range(3)]
    project = make_project("paper", deploy_path="/srv/paper")
    environment = make_environment(project, "live", hosts=hosts, by=admin)
    pipeline = Pipeline.objects.create(project=project, name="main")
    return Paper(admin, pipeline, environment, hosts)
