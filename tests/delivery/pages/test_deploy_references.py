"""What can be chosen in the form of a deploy: environments, references that a worker asks the source for, kept artefacts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminset.errors import DomainError
from delivery.asked import answerers, keeping
from delivery.asked.answering import answer
from tests.app_factories import make_environment
from tests.delivery.factories import make_artefact, make_live
from tests.delivery.pages.asking_things import Signed, client, form_of, source
from tests.delivery.pages.conftest import Place

__all__ = ["client", "source"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("source")]


def refs_of(client: Client, place: Place, **asked: Any) -> str:
    """Ask for references as the form does, with a worker that answers between two looks."""
    address = reverse("delivery:pipeline_refs", args=[place.pipeline.pk])
    first = client.get(address, asked).content.decode()
    key = re.search(r"\?key=([\w-]+)", first)
    assert key, first
    answer(key[1])
    return client.get(address, {**asked, "key": key[1]}).content.decode()


def test_the_form_offers_the_environments_that_one_may_deploy_to(
    client: Client, here: Place, elsewhere: Place, admin: User
) -> None:
    make_environment(here.project, "staging", position=0, kind="staging")
    text = client.get(form_of(here)).content.decode()
    assert "staging (staging)" in text.lower()
    assert "production (production)" in text.lower()
    assert client.get(form_of(elsewhere)).status_code == 404


def test_without_an_environment_the_form_says_what_to_do(
    client: Client, here: Place
) -> None:
    here.environment.delete()
    assert "No environment to deploy to" in client.get(form_of(here)).content.decode()


def test_branches_are_asked_of_a_worker_and_the_default_is_chosen(
    client: Client, here: Place, sent: list[Any]
) -> None:
    text = refs_of(client, here, ref_kind="branch")
    assert [name for name, _key in sent] == ["delivery.answer_question"]
    assert '<option value="main" selected>' in text
    assert '<option value="dev">' in text


def test_commits_of_a_branch_tell_which_one_is_live(
    client: Client, here: Place
) -> None:
    artefact = make_artefact(here.project, commit="b" * 40)
    make_live(here.environment, here.host, artefact.release, artefact=artefact)
    text = refs_of(
        client, here, ref_kind="commit", branch="dev", environment=here.environment.pk
    )
    assert "dev a" in text
    assert text.count("· live") == 1
    assert "1 commit since what is live there" in text


def test_what_a_source_refuses_is_said_and_can_be_asked_again(
    client: Client, here: Place, monkeypatch: Any
) -> None:
    def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise DomainError("The server says no.", "Look at the credential.")

    monkeypatch.setattr(answerers, "source_of", refuse)
    text = refs_of(client, here, ref_kind="branch")
    for words in ("The server says no.", "Look at the credential.", "Ask again"):
        assert words in text
    assert 'name="ref"' in text


def test_an_error_of_ours_does_not_keep_the_page_waiting(
    client: Client, here: Place, monkeypatch: Any
) -> None:
    monkeypatch.setattr(answerers, "source_of", lambda *a, **k: 1 / 0)
    text = refs_of(client, here, ref_kind="tag")
    assert "could not be answered" in text
    assert "division" not in text


def test_nobody_reads_the_question_of_somebody_else(
    client: Client, here: Place, client_of: Signed, admin: User
) -> None:
    question = keeping.new(admin, "plan", {"pipeline": here.pipeline.pk}, "en")
    address = reverse("delivery:pipeline_plan", args=[here.pipeline.pk, question.key])
    assert client.get(address).status_code == 302


def test_kept_artefacts_are_offered_and_bad_ones_cannot_be_chosen(
    client: Client, here: Place
) -> None:
    good, bad = make_artefact(here.project), make_artefact(here.project, bad=True)
    address = reverse("delivery:pipeline_refs", args=[here.pipeline.pk])
    text = client.get(address, {"ref_kind": "artefact"}).content.decode()
    assert good.release in text
    assert f'value="{bad.pk}" disabled' in text
