"""Rules tried on the source as it is now: counted by a worker, shown on the pipeline's form, with nothing left behind."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminset import calling
from appconf.models import Project
from delivery.artefacts.rules import Rules
from delivery.asked import answerers
from delivery.asked.answering import answer
from delivery.building.trying import try_on_source
from tests.factories import grant, make_user
from tests.tasks.library_things import Repository

pytestmark = pytest.mark.django_db


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let questions wait until the test answers them."""
    monkeypatch.setattr(calling, "send", lambda *args, **kwargs: True)
    answerers.join()


def test_rules_count_what_the_default_branch_has(
    project: Project, repository: Repository, admin: User, data: Path
) -> None:
    rules = Rules(exclude=("*.md",))
    told = try_on_source(actor=admin, project=project, rules=rules, seconds=60)
    assert (told.files, told.size, told.left_files, told.left_size) == (1, 3, 1, 1000)
    assert list((data / "builds" / "work").iterdir()) == []


def test_the_form_shows_it_once_a_worker_has_counted(
    project: Project, admin: User, client_of: Callable[..., Client], no_worker: None
) -> None:
    client = client_of(admin)
    address = reverse("delivery:pipeline_rules")
    sent: dict[str, Any] = {"project": project.pk, "exclude": "*.md"}
    first = client.post(address, sent).content.decode()
    assert "no artefact yet" in first
    asked = client.post(f"{address}?on=source", sent).content.decode()
    key = re.search(r"key=([\w-]+)", asked)
    assert key
    answer(key[1])
    told = client.post(f"{address}?on=source&key={key[1]}", sent).content.decode()
    assert "they take 1 files (3 B)" in told
    assert "1 (1000 B) are left out" in told


def test_nobody_has_a_source_read_whose_project_is_not_seen(
    project: Project,
    client_of: Callable[..., Client],
    no_worker: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user = make_user("changer")
    grant(user, ["delivery.change_pipeline"])
    client = client_of(user)
    address = f"{reverse('delivery:pipeline_rules')}?on=source"
    text = client.post(address, {"project": project.pk}).content.decode()
    key = re.search(r"key=([\w-]+)", text)
    assert key
    read: list[Callable[..., Any]] = []
    monkeypatch.setattr(answerers, "try_on_source", read.append)
    answer(key[1])
    text = client.post(f"{address}&key={key[1]}", {"project": project.pk})
    assert "no such project" in text.content.decode()
    assert read == []
