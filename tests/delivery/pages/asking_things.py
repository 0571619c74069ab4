"""A source of two branches for the pages that ask for a deploy, and somebody who asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from delivery.asked import answerers
from delivery.sources.face import Commit, Named, Page, Refs
from tests.delivery.pages.conftest import Place

Signed = Callable[[User], Client]


class Source:
    """A source with two branches, a tag and three commits."""

    def refs(self) -> Refs:
        branches = [Named("dev", "d" * 40), Named("main", "a" * 40)]
        return Refs(branches, [Named("v1.0", "b" * 40)], "main")

    def commits(self, *, until: Any, since: str = "", page: int = 1) -> Page:
        listed = [
            Commit(letter * 40, "Ann", "", None, f"{until.name} {letter}")
            for letter in "abc"
        ]
        new = [one for one in listed if one.id < since] if since else listed
        return Page(new, False, len(new))


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> None:
    answerers.join()
    monkeypatch.setattr(answerers, "source_of", lambda *args, **kwargs: Source())


@pytest.fixture
def client(client_of: Signed, deployer: User) -> Client:
    return client_of(deployer)


def form_of(place: Place) -> str:
    return reverse("delivery:pipeline_deploy", args=[place.pipeline.pk])
