"""Which artefacts are cleared away: never one that is live, was live before, is on its way, is on a host, or is kept."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from adminset.models import AuditEntry
from appconf.models import Environment
from delivery.artefacts import keeping, store
from delivery.models import Artefact, Deploy
from tests.app_factories import make_environment, make_project
from tests.delivery.factories import make_deploy, make_live, store_artefact
from tests.factories import make_host

pytestmark = pytest.mark.django_db


@pytest.fixture
def environment(settings: Any) -> Environment:
    settings.ARTEFACT_KEEP = 1
    return make_environment(make_project(), hosts=[make_host()])


@pytest.fixture
def many(environment: Environment, tmp_path: Path) -> list[Artefact]:
    """Ten artefacts, all from two days ago."""
    made = [
        store_artefact(environment.project, tmp_path / f"a{n}", word=str(n))
        for n in range(10)
    ]
    old = time.time() - 2 * 86_400
    for path in store.root().rglob("*"):
        os.utime(path, (old, old))
    return made


def stored(many: list[Artefact]) -> list[int]:
    for artefact in many:
        artefact.refresh_from_db()
        assert store.has(artefact.sha256) == artefact.is_stored
    return [number for number, artefact in enumerate(many) if artefact.is_stored]


def test_without_use_only_the_newest_stays_and_rows_outlive_files(
    many: list[Artefact],
) -> None:
    assert keeping.clean() == 9
    assert stored(many) == [9]
    assert Artefact.objects.count() == 10
    line = AuditEntry.objects.get(verb="artefact.clear")
    assert len(line.changes[0]["new"]) == 9
    assert keeping.clean() == 0
    assert AuditEntry.objects.filter(verb="artefact.clear").count() == 1


def test_what_is_live_before_on_hosts_on_its_way_or_kept_stays(
    many: list[Artefact], environment: Environment
) -> None:
    host = environment.all_hosts().first()
    assert host is not None
    make_live(
        environment,
        host,
        many[1].release,
        artefact=many[1],
        previous=many[2].release,
        kept=[{"release": many[3].release, "good": True, "bad": False}],
    )
    make_deploy(environment, artefact=many[4], status=Deploy.Status.OK)
    make_deploy(environment, artefact=many[5], status=Deploy.Status.OK)
    make_deploy(environment, artefact=many[6], status=Deploy.Status.OK)
    make_deploy(environment, artefact=many[7], status=Deploy.Status.PAUSED)
    make_deploy(environment, artefact=many[0], status=Deploy.Status.FAILED)
    Artefact.objects.filter(pk=many[8].pk).update(kept=True)
    keeping.clean()
    # 4 was live, but neither last nor before that; 0 never was.
    assert stored(many) == [1, 2, 3, 5, 6, 7, 8, 9]


def test_a_bad_newest_does_not_push_out_the_good_one(many: list[Artefact]) -> None:
    Artefact.objects.filter(pk=many[9].pk).update(bad=True)
    keeping.clean()
    assert stored(many) == [8]


def test_numbers_that_no_artefact_has_keep_nothing_and_stop_nothing(
    many: list[Artefact], environment: Environment
) -> None:
    host = environment.all_hosts().first()
    assert host is not None
    forged = [{"release": f"{n}-x", "good": True} for n in ("9" * 20, "²", "٣")]
    make_live(environment, host, f"{'9' * 30}-x", previous=many[2].release, kept=forged)
    assert keeping.clean() == 8
    assert stored(many) == [2, 9]
