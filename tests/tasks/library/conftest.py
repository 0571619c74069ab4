"""A folder of its own for the bytes of each test, people of the library, and a repository that may be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from tests.factories import make_user
from tests.tasks.library_things import Repository

EVERY = ("script", "playbook", "role", "storedfile")


def _perms(*actions: str) -> list[str]:
    return [f"tasks.{action}_{kind}" for action in actions for kind in EVERY]


@pytest.fixture(autouse=True)
def _library_dir(settings: Any, tmp_path: Path) -> None:
    settings.LIBRARY_DIR = tmp_path / "library"


@pytest.fixture
def author(db: None) -> User:
    """Writes, and approves what others wrote."""
    return make_user(
        "author",
        perms=[*_perms("view", "add", "change", "approve"), "tasks.view_version"],
    )


@pytest.fixture
def approver(db: None) -> User:
    """Approves, writes nothing."""
    return make_user(
        "approver", perms=[*_perms("view", "approve"), "tasks.view_version"]
    )


@pytest.fixture
def writer(db: None) -> User:
    """Writes, approves nothing."""
    return make_user("writer", perms=_perms("view", "add", "change"))


@pytest.fixture
def repository(settings: Any, tmp_path: Path) -> Repository:
    """A git repository; addresses with file:// are allowed in this test."""
    settings.LIBRARY_GIT_PROTOCOLS = ["https", "ssh", "file"]
    return Repository(tmp_path / "repository")
