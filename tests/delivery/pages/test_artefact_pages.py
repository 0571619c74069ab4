"""Artefacts: their files, where they are live, two of them beside each other, the mark of a bad one; and the figures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from adminset.models import AuditEntry
from delivery.models import Deploy
from tests.delivery.factories import (
    make_artefact,
    make_deploy,
    make_live,
    make_plan_json,
    store_artefact,
)
from tests.delivery.pages.conftest import Place
from tests.factories import make_host

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


@pytest.fixture
def client(client_of: Signed, deployer: User) -> Client:
    return client_of(deployer)


def test_two_artefacts_are_compared_by_commits_and_files(
    client: Client, here: Place, tmp_path: Path
) -> None:
    older = store_artefact(here.project, tmp_path / "1", app_py="one\n", old_py="x")
    newer = store_artefact(here.project, tmp_path / "2", app_py="two\n", new_py="y")
    told = {
        "commit": "c" * 40,
        "subject": "between",
        "author": "Ann",
        "at": "2026-01-01",
    }
    plan = make_plan_json([], commits=[told])
    make_deploy(here.environment, artefact=newer, plan=plan)
    address = reverse("delivery:artefact_diff", args=[newer.pk])
    text = client.get(address).content.decode()
    for words in ("between", "app.py", "old.py", "new.py", older.release):
        assert words in text, words
    text = client.get(address, {"with": older.pk, "path": "app.py"}).content.decode()
    assert "+1" in text
    assert "-1" in text
    same = client.get(address, {"with": older.pk, "path": "../../etc/passwd"})
    assert same.status_code == 200


def test_files_that_were_cleared_away_are_said_to_be(
    client: Client, here: Place
) -> None:
    make_artefact(here.project)
    newer = make_artefact(here.project)
    address = reverse("delivery:artefact_diff", args=[newer.pk])
    assert "not here any more" in client.get(address).content.decode()
    tab = f"{newer.get_absolute_url()}?tab=files"
    assert "not here any more" in client.get(tab).content.decode()


def test_an_artefact_alone_has_nothing_to_be_compared_with(
    client: Client, here: Place, elsewhere: Place
) -> None:
    mine, other = make_artefact(here.project), make_artefact(elsewhere.project)
    address = reverse("delivery:artefact_diff", args=[mine.pk])
    for query in ({}, {"with": other.pk}, {"with": "x" * 40}):
        assert "Nothing to compare with" in client.get(address, query).content.decode()


def test_the_tabs_of_an_artefact_tell_files_and_where_it_is_live(
    client: Client, here: Place, tmp_path: Path
) -> None:
    artefact = store_artefact(
        here.project, tmp_path / "1", app_py="one\n", lib__a_py="x"
    )
    make_live(here.environment, here.host, artefact.release, artefact=artefact)
    hidden = make_host("hidden-host")
    make_live(here.environment, hidden, artefact.release, artefact=artefact)
    page = artefact.get_absolute_url()
    assert artefact.sha256 in client.get(page).content.decode()
    files = client.get(page, {"tab": "files", "q": "lib"}).content.decode()
    assert "lib/a.py" in files
    assert "app.py" not in files
    live = client.get(page, {"tab": "live"}).content.decode()
    assert "shop-host" in live
    assert "hidden-host" not in live
    assert "1 host outside your scope" in live


def test_an_artefact_is_marked_bad_with_a_reason_and_taken_back(
    client: Client, here: Place, deployer: User
) -> None:
    artefact = make_artefact(here.project)
    mark = reverse("delivery:artefact_mark", args=[artefact.pk])
    assert mark in client.get(artefact.get_absolute_url()).content.decode()
    assert client.post(mark, {"reason": ""}).status_code == 422
    assert client.post(mark, {"reason": "loses orders"}).status_code == 302
    artefact.refresh_from_db()
    assert (artefact.bad, artefact.bad_by) == (True, deployer)
    assert AuditEntry.objects.filter(verb="artefact.mark_bad").exists()
    assert client.post(mark, {"reason": "again"}).status_code == 422
    unmark = reverse("delivery:artefact_unmark", args=[artefact.pk])
    assert client.post(unmark, {"reason": "it was the network"}).status_code == 302
    artefact.refresh_from_db()
    assert not artefact.bad


def test_artefacts_of_others_are_not_there(client: Client, elsewhere: Place) -> None:
    artefact = make_artefact(elsewhere.project)
    for verb in ("detail", "diff", "mark", "unmark"):
        address = reverse(f"delivery:artefact_{verb}", args=[artefact.pk])
        assert client.get(address).status_code == 404, verb


def shipped(place: Place, status: str, hours: float) -> Deploy:
    artefact = make_artefact(place.project)
    moment = timezone.now() - timedelta(hours=hours)
    return make_deploy(
        place.environment, artefact=artefact, status=status, ended_at=moment
    )


def test_the_figures_have_units_and_say_where_nothing_is_known(
    client: Client, here: Place, elsewhere: Place
) -> None:
    shipped(here, "ok", 3)
    text = client.get(reverse("delivery:dora")).content.decode()
    assert "a week" in text
    assert "2 h" in text
    assert "0 %" in text
    assert "nothing failed" in text
    assert "no data" in text


def test_the_figures_are_of_what_one_may_see_and_of_what_one_chose(
    client: Client, here: Place, elsewhere: Place
) -> None:
    shipped(here, "ok", 3)
    shipped(elsewhere, "failed", 3).hosts.update(status="failed")
    text = client.get(reverse("delivery:dora")).content.decode()
    assert "bank" not in text
    assert "0 of 1 that reached hosts" in text
    other = {"kind": "test"}
    assert (
        "No data in this period"
        in client.get(reverse("delivery:dora"), other).content.decode()
    )
    for senseless in (
        {"days": "x"},
        {"project": "-1"},
        {"kind": "'"},
        {"days": "9" * 30},
    ):
        assert client.get(reverse("delivery:dora"), senseless).status_code == 200
