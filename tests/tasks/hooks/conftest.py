"""A host, a task module with one question, and runs that nobody takes."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from cmdb.models import Host
from tasks.models import InHook, TaskModule
from tests.tasks.hooks.hook_things import make_hook
from tests.tasks.launch_things import make_module
from tests.tasks.run_api.conftest import host, sent

__all__ = ["host", "sent"]


@pytest.fixture
def module(db: None) -> TaskModule:
    """Echoes a word."""
    return make_module({"name": "word"}, run="echo {word}")


@pytest.fixture
def hook(admin: User, host: Host, module: TaskModule) -> InHook:
    """Starts the module on the host with the tag of a release."""
    fields: dict[str, Any] = {
        "does": "task_module",
        "task_module": module,
        "hosts": [host],
        "extract": [{"field": "word", "path": "release.tag_name", "optional": False}],
    }
    return make_hook(admin, **fields)
