"""A command at the portal behind the switch: with the files of the release, in a room as a build has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from adminset.errors import DomainError
from delivery.artefacts import store
from delivery.artefacts.rules import Rules
from delivery.building import after, log, rooms
from delivery.models import Build
from tests.app_factories import make_environment, make_project
from tests.delivery.building.conftest import Hand, Lost, build_of
from tests.delivery.factories import (
    make_artefact,
    make_deploy,
    make_pipeline,
    make_step,
)
from tests.factories import make_host

pytestmark = pytest.mark.django_db


def hand(folder: Path, by: User, command: str, **options: Any) -> Hand:
    """Give a hand with an `after` step of a deploy that has switched."""
    (folder / "bin").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "bin" / "smoke").write_text("#!/bin/sh\necho smoked\n")
    (folder / "bin" / "smoke").chmod(0o755)
    (folder / "link").symlink_to("bin/smoke")
    kept = store.add(folder, Rules())
    project = make_project("shop")
    artefact = make_artefact(project, sha256=kept.sha256, branch="main", tag="v1")
    deploy = make_deploy(
        make_environment(project, "live", hosts=[make_host()]),
        pipeline=make_pipeline(project),
        by=by,
        artefact=artefact,
        status="running",
        plan={"way": {"stages": [], "build_timeout_seconds": 60}},
    )
    step = make_step(
        deploy, "after", "running", options={"command": command, **options}
    )
    return Hand(step)


def test_it_runs_with_the_files_of_the_release_and_leaves_no_room(
    admin: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADMINSET_SECRET_KEY", "hunter2-hunter2")
    words = (
        './link; test -d empty; echo "$ADMINSET_RELEASE $ADMINSET_TAG"; env; rm -r bin'
    )
    ours = hand(tmp_path / "release", admin, words)
    assert after.run(ours) == {}
    deploy = ours.step.deploy
    made = Build.objects.get()
    assert (made.status, made.exit_code, made.artefact) == ("ok", 0, deploy.artefact)
    ours.step.refresh_from_db()
    assert ours.step.build == made
    text = log.read(made.pk, 0).text
    assert "smoked\n" in text
    assert f"{deploy.release} v1\n" in text
    assert "ADMINSET_ENVIRONMENT=live\n" in text
    assert "hunter2" not in text
    # What it does to its files is done to a copy.
    assert store.verify(deploy.artefact.sha256) == []
    assert not rooms.room_of(f"deploy-{deploy.pk}", 0).root.exists()


def test_a_bad_exit_is_told_with_its_output(admin: User, tmp_path: Path) -> None:
    ours = hand(tmp_path / "release", admin, "echo sick; exit 3")
    with pytest.raises(DomainError, match="ended with exit code 3"):
        after.run(ours)
    made = build_of(ours)
    assert (made.status, made.exit_code) == ("failed", 3)
    assert "sick\n" in log.read(made.pk, 0).text


def test_it_has_its_time_and_ends_with_the_step(admin: User, tmp_path: Path) -> None:
    ours = hand(tmp_path / "release", admin, "sleep 9187", timeout=1)
    with pytest.raises(DomainError, match="took longer than 1 s"):
        after.run(ours)
    began = False

    def lost() -> bool:
        nonlocal began
        was, began = began, Build.objects.filter(command="sleep 9188").exists()
        return was

    ours.step.options = {"command": "sleep 9188"}
    ours.lose = lost
    with pytest.raises(Lost):
        after.run(ours)
    # Whoever has the step now has its room, too.
    assert Build.objects.latest("pk").status == "running"
