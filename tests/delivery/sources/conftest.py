"""Real repositories of projects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from appconf.models import Project
from tests.app_factories import make_project
from tests.tasks.library_things import Repository


@pytest.fixture(autouse=True)
def data(tmp_path: Path, settings: Any) -> Path:
    """Give each test folders of its own."""
    settings.BUILD_DIR = tmp_path / "builds"
    settings.ARTEFACTS_DIR = tmp_path / "artefacts"
    return tmp_path


@pytest.fixture
def repository(tmp_path: Path, settings: Any) -> Repository:
    """A git repository that may be read by its path."""
    settings.LIBRARY_GIT_PROTOCOLS = ["file", "https", "ssh"]
    return Repository(tmp_path / "repository")


@pytest.fixture
def project(repository: Repository, db: None) -> Project:
    """A project whose source it is."""
    return make_project(source_type="git", source_address=repository.url)


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


def names_in(folder: Path) -> set[str]:
    """Name all files and links below a folder."""
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir()}
