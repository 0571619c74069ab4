"""From a commit of a real git repository to live files: plan, build, hosts; and a build that fails touches no host."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from adminset.errors import Conflict
from delivery.engine.controlling import retry_deploy
from delivery.engine.requesting import request_deploy
from delivery.models import Deploy, DeployLock
from delivery.planning.planning import make_plan
from tasks.models import Run
from tests.delivery.engine.deploy_things import Stage, kinds
from tests.delivery.sources.git_things import write_history

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
    stage.way(stages=[loud, *stage.pipeline.stages], shared_paths="site.ini")
    # Nobody knows before the build whether the release brings the shared file.
    for root in stage.roots.values():
        root.mkdir(parents=True)
    (repository.folder / "site.ini").write_text("name=shop")
    first = repository.commit("one")
    deploy = stage.drive(ask(stage))
    assert deploy.status == "ok", (deploy.explanation, kinds(deploy))
    shared = {(root / "shared/site.ini").read_text() for root in stage.roots.values()}
    assert shared == {"name=shop"}
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


def test_a_build_that_failed_is_made_again_where_people_are_asked(
    stage: Stage, repository: Repository, tmp_path: Path
) -> None:
    repository.commit("one")
    whole = tmp_path / "whole"
    build = {"kind": "build", "command": f"echo built >> word; test -e {whole}"}
    stage.way(stages=[build, *stage.pipeline.stages], pause_after="failure")
    deploy = stage.drive(ask(stage))
    assert deploy.status == "paused", kinds(deploy)
    assert "exit code 1" in deploy.waiting_for
    assert DeployLock.objects.get().deploy == deploy
    assert not any(root.exists() for root in stage.roots.values())
    whole.touch()
    retry_deploy(actor=stage.user, deploy=deploy, what="stage")
    deploy = stage.drive(deploy)
    assert deploy.status == "ok", (deploy.explanation, kinds(deploy))
    # The second build began with clean files.
    assert stage.live() == ["onebuilt\n"] * 3
    step = deploy.steps.get(kind="build")
    assert (step.attempt, step.past[0]["status"]) == (2, "failed")
    assert deploy.steps.get(kind="fetch").attempt == 1


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


def test_a_tag_among_a_thousand_commits_comes_to_all_hosts(
    stage: Stage, repository: Repository
) -> None:
    write_history(repository.folder, "word")
    tagged = repository.git("rev-parse", "v1.7")
    deploy = stage.drive(ask(stage, "v1.7", "tag"))
    assert deploy.status == "ok", (deploy.explanation, kinds(deploy))
    assert stage.live() == ["700\n"] * 3
    assert deploy.artefact is not None
    assert (deploy.artefact.commit, deploy.artefact.tag) == (tagged, "v1.7")
    revision = stage.roots[stage.hosts[0].pk] / "current" / "REVISION"
    assert revision.read_text() == f"{tagged}\n"
    plan = make_plan(
        actor=stage.user,
        pipeline=stage.pipeline,
        environment=stage.environment,
        ref_kind="tag",
        ref="v1.8",
    )
    subjects = [commit.subject for commit in plan.commits]
    assert (subjects[0], subjects[-1]) == ("change 800", "change 751")
