"""What a server says is bounded, and what people said yes to is read from where it was found, or not at all."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from adminset.errors import DomainError
from appconf.models import Project
from delivery.sources.face import Ref
from delivery.sources.opening import source_of
from delivery.sources.origins import origin_of
from tasks.library.git_process import GitError
from tests.app_factories import make_project
from tests.delivery.sources.svn_things import SvnRepository, needs_svn
from tests.tasks.library_things import Repository

pytestmark = pytest.mark.django_db
MAIN = Ref("branch", "main")


@pytest.fixture
def svn_project(tmp_path: Path, settings: Any, db: None) -> Project:
    settings.SOURCE_SVN_PROTOCOLS = ["https", "file"]
    svn = SvnRepository(tmp_path / "svn")
    svn.commit({"x.txt": "two\n"}, "second " + "x" * 5000)
    return make_project(source_type="svn", source_address=svn.url)


def test_a_server_that_names_branches_without_end_is_not_believed(
    repository: Repository, project: Project, admin: User, settings: Any
) -> None:
    commit = repository.commit({"a": "1"})
    lines = "".join(f"create refs/heads/b{n} {commit}\n" for n in range(100))
    update = ["git", "update-ref", "--stdin"]
    subprocess.run(update, cwd=repository.folder, input=lines, text=True, check=True)
    assert len(source_of(project, actor=admin).refs().branches) == 101
    settings.SOURCE_ANSWER_BYTES = 2000
    with pytest.raises(GitError, match="answer is larger than 1 KiB"):
        source_of(project, actor=admin).refs()


def test_a_commit_of_a_few_trees_that_hold_each_other_ends(
    repository: Repository, project: Project, admin: User, into: Path, settings: Any
) -> None:
    settings.ARTEFACT_FILES = 100

    def tree(kind: str, name: str, count: int) -> str:
        mode = "100644" if kind == "blob" else "040000"
        lines = "".join(f"{mode} {kind} {name}\tn{n:02}\n" for n in range(count))
        done = subprocess.run(
            ["git", "mktree"],
            cwd=repository.folder, input=lines, text=True, check=True, capture_output=True,
        )  # fmt: skip
        return done.stdout.strip()

    def commit(name: str) -> None:
        made = repository.git("commit-tree", "-m", "x", name)
        repository.git("update-ref", "refs/heads/main", made)

    repository.commit({"a": "1"})
    blob = repository.git("rev-parse", "HEAD:a")
    few = tree("blob", blob, 10)
    commit(tree("tree", few, 9))
    assert source_of(project, actor=admin).fetch(MAIN, into).files == 90
    # Ten files a folder more are one folder too many.
    commit(tree("tree", few, 10))
    with pytest.raises(DomainError, match="more than 100 files"):
        source_of(project, actor=admin).fetch(MAIN, into)
    name = few
    for _level in range(5):
        name = tree("tree", name, 16)
    commit(name)
    with pytest.raises(DomainError, match=r"answer is larger|more than 100 files"):
        source_of(project, actor=admin).fetch(MAIN, into)


@needs_svn
def test_an_svn_server_is_bounded_too(
    svn_project: Project, admin: User, into: Path, settings: Any
) -> None:
    trunk = Ref("branch", "trunk")
    assert source_of(svn_project, actor=admin).commits(until=trunk).total == 2
    settings.SOURCE_ANSWER_BYTES = 4000
    with pytest.raises(GitError, match="answer is larger than 3 KiB"):
        source_of(svn_project, actor=admin).commits(until=trunk)
    settings.SOURCE_ANSWER_BYTES, settings.ARTEFACT_FILES = 2**20, 0
    with pytest.raises(DomainError, match="more than 0 files"):
        source_of(svn_project, actor=admin).fetch(trunk, into)


def test_another_repository_is_not_read_for_what_was_said_yes_to(
    repository: Repository, project: Project, admin: User, into: Path, tmp_path: Path
) -> None:
    commit, origin = repository.commit({"a": "1"}), origin_of(project)
    other = Repository(tmp_path / "other")
    subprocess.run(["git", "pull", "-q", repository.url], cwd=other.folder, check=True)
    project.source_address = other.url
    with pytest.raises(
        DomainError, match="source of the project was changed"
    ) as caught:
        source_of(project, actor=admin).fetch(MAIN, into, at=commit, origin=origin)
    assert (caught.value.code, list(into.iterdir())) == ("source_changed", [])
    project.source_type = "svn"
    assert origin_of(project) != origin
    assert origin_of(project, "upload") == "upload"
    project.source_type, project.source_address = "git", repository.url
    fetched = source_of(project, actor=admin).fetch(
        MAIN, into, at=commit, origin=origin
    )
    assert fetched.commit == commit


def test_only_a_whole_id_says_which_commit_it_was(
    repository: Repository, project: Project, admin: User, into: Path
) -> None:
    commit = repository.commit({"a": "1"})
    short = Ref("commit", commit[:7])
    with pytest.raises(DomainError, match="not the one that was said yes to"):
        source_of(project, actor=admin).fetch(short, into, at=commit[:7])
    assert list(into.iterdir()) == []
    again = source_of(project, actor=admin).fetch(short, into, at=commit)
    assert again.commit == commit


@needs_svn
def test_a_revision_of_another_svn_repository_is_not_read(
    svn_project: Project, admin: User, into: Path, tmp_path: Path
) -> None:
    origin = origin_of(svn_project)
    svn_project.source_address = SvnRepository(tmp_path / "other").url
    with pytest.raises(DomainError, match="source of the project was changed"):
        source_of(svn_project, actor=admin).fetch(
            Ref("commit", "r1"), into, at="1", origin=origin
        )
    assert list(into.iterdir()) == []
