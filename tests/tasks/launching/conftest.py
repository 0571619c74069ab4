"""A host with all it needs, and a way to fill in the launch page, look at the preview and start."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from cmdb.models import Credential, Host, HostGroup
from tasks import tasks
from tasks.models import Run
from tests.factories import make_host

ADD = "/tasks/runs/add/"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"


@pytest.fixture(autouse=True)
def sent(monkeypatch: Any, settings: Any, tmp_path: Any) -> list[int]:
    """The runs for which a worker was called."""
    settings.RUN_DIR = tmp_path / "runs"
    pks: list[int] = []
    door = SimpleNamespace(delay=pks.append, apply_async=lambda *a, **k: pks.append(1))
    monkeypatch.setattr(tasks, "run_run", door, raising=False)
    return pks


@pytest.fixture
def host(group: HostGroup) -> Host:
    """A host of the operator's group, ready to be reached."""
    credential = Credential.objects.create(name="root", username="root")
    return make_host(
        "web1", groups=[group], credential=credential, host_key=KEY, owner="ann"
    )


def filled(*hosts: Host, **more: Any) -> dict[str, Any]:
    """Give what a person would send: a command on some hosts, unless said otherwise."""
    return {
        "kind": "command",
        "command": "uptime",
        "hosts": [host.pk for host in hosts],
        "timeout_seconds": 60,
        "forks": 5,
        "pause_after": "never",
        "together": "allow",
        "language": "sh",
    } | more


def carried(page: Any) -> dict[str, Any]:
    """Give the hidden inputs of a preview, as the browser sends them again."""
    found: dict[str, Any] = {}
    for name, value in page.context["values"]:
        found.setdefault(name, []).append(value)
    return found


@pytest.fixture
def launch(client_of: Any, admin: User) -> Callable[..., Run]:
    """Fill in, look, start; gives the run."""

    def launched(
        values: dict[str, Any], *, user: User | None = None, url: str = ADD
    ) -> Run:
        client: Client = client_of(user or admin)
        page = client.post(url, values | {"action": "preview"})
        assert page.status_code == 200, page.context["form"].errors
        assert not page.context["preview"].problem, page.context["preview"].problem
        seal = page.context["preview"].seal
        answer = client.post(url, carried(page) | {"action": "launch", "seal": seal})
        assert answer.status_code == 302, answer.content.decode()[-3000:]
        return Run.objects.latest("pk")

    return launched
