"""From a commit of a real git repository to live files: plan, build, hosts; and a build that fails touches no host."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from adminset.errors import Conflict
from delivery.engine.requesting import request_deploy
from delivery.models import Deploy
from delivery.planning.planning import make_plan
from tasks.models import Run
from tests.delivery.engine.deploy_things import Stage, kinds

pytestmark = pytest.mark.django_db


class Repository:
    """A git repository of a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet", "-b", "main")

    def git(self, *words: str) -> str:
        """Run git in it."""
        who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
        told = subprocess.run(
            ["git", *who, *words],
            cwd=self.folder,
            check=True,
            capture_output=True,
            text=True,
        )
        return told.stdout.strip()

    def commit(self, word: str) -> str:
        """Write the file `word` and commit it; give the commit."""
        (self.folder / "word").write_text(word)
        self.git("add", ".")
        self.git("commit", "--quiet", "-m", f"now it says {word}")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(stage: Stage, settings: Any, tmp_path: Path) -> Repository:
    """A repository that is the source of the project."""
    settings.LIBRARY_GIT_PROTOCOLS = ["file"]
    settings.BUILD_DIR = tmp_path / "builds"
    made = Repository(tmp_path / "repository")
    project = stage.pipeline.project
    project.source_type, project.source_address = "git", f"file://{made.folder}"
    project.save()
    return made


def ask(stage: Stage, ref: str = "main", ref_kind: str = "branch") -> Deploy:
    about: dict[str, Any] = {
        "actor": stage.user,
        "pipeline": stage.pipeline,
        "environment": stage.environment,
        "ref_kind": ref_kind,
        "ref": ref,
    }
    plan = make_plan(**about)
    return request_deploy(**about, plan_hash=plan.hash)


def test_a_commit_is_built_once_and_comes_to_all_hosts(
    stage: Stage, repository: Repository
) -> None:
    loud = {"kind": "build", "command": "tr a-z A-Z < word > loud; mv loud word"}
    stage.way(stages=[loud, *stage.pipeline.stages])
    first = repository.commit("one")
    deploy = stage.drive(ask(stage))
    assert deploy.status == "ok", (deploy.explanation, kinds(deploy))
    assert stage.live() == ["ONE", "ONE", "ONE"]
    assert deploy.artefact is not None
    assert (deploy.artefact.commit, deploy.artefact.number) == (first, 1)
    revision = stage.roots[stage.hosts[0].pk] / "current" / "REVISION"
    assert revision.read_text() == f"{first}\n"
    second = repository.commit("two")
    repository.commit("three")
    plan = make_plan(
        actor=stage.user,
        pipeline=stage.pipeline,
        environment=stage.environment,
        ref_kind="commit",
        ref=second,
    )
    assert [one.subject for one in plan.commits] == ["now it says two"]
    assert plan.rows[0].from_release == deploy.release
    assert plan.commands[0].where == "portal"
    again = stage.drive(ask(stage, second, "commit"))
    assert (again.status, stage.live()) == ("ok", ["TWO", "TWO", "TWO"])


def test_a_build_that_fails_touches_no_host_and_says_why(
    stage: Stage, repository: Repository
) -> None:
    repository.commit("one")
    bad = {"kind": "check", "title": "Tests", "command": "echo bad; exit 3"}
    stage.way(stages=[bad, *stage.pipeline.stages])
    deploy = stage.drive(ask(stage))
    assert deploy.status == "failed"
    assert "Tests ended with exit code 3" in deploy.explanation
    assert not any(root.exists() for root in stage.roots.values())
    purposes = Run.objects.values_list("purpose", flat=True)
    assert list(purposes) == ["delivery.check"]


def test_a_branch_that_moves_is_another_plan(
    stage: Stage, repository: Repository
) -> None:
    repository.commit("one")
    about: dict[str, Any] = {
        "actor": stage.user,
        "pipeline": stage.pipeline,
        "environment": stage.environment,
        "ref": "main",
    }
    plan = make_plan(**about)
    repository.commit("two")
    with pytest.raises(Conflict, match="not the one that you saw"):
        request_deploy(**about, plan_hash=plan.hash)
    assert not Deploy.objects.exists()
