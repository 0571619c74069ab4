"""A project's git repository: branches, tags and commits as they are, one commit laid out byte for byte, and nothing of it run."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from adminset.models import AuditEntry
from appconf.models import Project
from cmdb.models import Credential
from delivery.sources import git_mirror
from delivery.sources.face import Ref
from delivery.sources.git import GitRepository
from delivery.sources.opening import source_of
from tasks.library.git_process import GitError
from tests.delivery.sources.conftest import names_in
from tests.delivery.sources.git_things import write_history
from tests.tasks.library_things import Repository

pytestmark = pytest.mark.django_db


def test_a_thousand_commits_are_listed_by_pages_since_the_live_one(
    repository: Repository, project: Project, admin: User, settings: Any
) -> None:
    settings.SOURCE_COMMITS = 100
    write_history(repository.folder, "n.txt")
    source = source_of(project, actor=admin)
    refs = source.refs()
    assert [tag.name for tag in refs.tags] == [f"v1.{n}" for n in range(10, 0, -1)]
    assert (refs.default, [b.name for b in refs.branches]) == ("main", ["main"])
    main = Ref("branch", "main")
    live = next(tag.commit for tag in refs.tags if tag.name == "v1.7")
    since = source.commits(until=main, since=live)
    assert (since.total, since.more, len(since.commits)) == (300, True, 100)
    assert since.commits[0].subject == "change 1000"
    assert since.commits[0].author == "Ann"
    third = source.commits(until=main, since=live, page=3)
    assert (third.more, third.commits[-1].subject) == (False, "change 701")
    everything = source.commits(until=main, page=10)
    assert (everything.total, everything.commits[-1].subject) == (1000, "change 1")
    unknown = source.commits(until=main, since="deadbeef" * 5)
    assert (unknown.since_known, unknown.total) == (False, 1000)


def test_a_commit_is_laid_out_as_it_is_kept(
    repository: Repository, project: Project, admin: User, into: Path
) -> None:
    odd = {
        "a b/ü (1).txt": b"\n\x00\xff",
        ".gitattributes": "*.txt text eol=crlf\nsecret export-ignore\nx filter=evil\n",
        "secret": "$Id$\n",
        "x": "x",
        "run.sh": "#!/bin/sh\n",
    }
    (repository.folder / "run.sh").touch(mode=0o755)
    (repository.folder / "link").symlink_to("run.sh")
    repository.git("config", "filter.evil.clean", "cat")
    first = repository.commit(odd)
    repository.git("tag", "-a", "v1", "-m", "one")
    repository.commit({"x": "changed"})
    fetched = source_of(project, actor=admin).fetch(Ref("tag", "v1"), into)
    assert (fetched.commit, fetched.tag, fetched.files) == (first, "v1", 6)
    assert names_in(into) == {*odd, "link"}
    assert (into / "a b/ü (1).txt").read_bytes() == b"\n\x00\xff"
    assert (into / "secret").read_text() == "$Id$\n"
    assert os.access(into / "run.sh", os.X_OK)
    assert not os.access(into / "x", os.X_OK)
    assert (into / "link").readlink() == Path("run.sh")


def test_what_was_approved_is_fetched_though_the_branch_has_moved(
    repository: Repository, project: Project, admin: User, into: Path
) -> None:
    approved = repository.commit({"x": "one"})
    source = source_of(project, actor=admin)
    assert source.commits(until=Ref("branch", "main")).commits[0].id == approved
    repository.git("commit", "--quiet", "--amend", "-m", "history is rewritten")
    fetched = source.fetch(Ref("branch", "main"), into, at=approved)
    assert (fetched.commit, fetched.branch) == (approved, "main")


def test_submodules_are_left_out_and_told(
    repository: Repository, project: Project, admin: User, into: Path, tmp_path: Path
) -> None:
    other = Repository(tmp_path / "other")
    other.commit({"y": "y"})
    add = ["-c", "protocol.file.allow=always", "submodule", "add", other.url, "sub"]
    repository.git(*add)
    repository.commit({"x": "x"})
    fetched = source_of(project, actor=admin).fetch(Ref("branch", "main"), into)
    assert fetched.skipped == ["sub"]
    assert names_in(into) == {"x", ".gitmodules"}


def test_a_mirror_belongs_to_who_signs_in(repository: Repository) -> None:
    one, two = Credential(pk=1), Credential(pk=2)
    url = repository.url
    folders = {
        git_mirror.folder_of(git_mirror.Repository(url, credential))
        for credential in (None, one, two)
    }
    assert len(folders) == 3


def test_many_read_one_repository_at_once(
    repository: Repository, project: Project, admin: User, tmp_path: Path
) -> None:
    newest = repository.commit({f"f{n}": "x" * n for n in range(30)})
    found, failed = [], []

    def read(number: int) -> None:
        folder = tmp_path / f"copy{number}"
        folder.mkdir()
        try:
            source = GitRepository(project, admin)
            found.append(source.fetch(Ref("branch", "main"), folder).commit)
        except Exception as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [threading.Thread(target=read, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert found == [newest] * 4
    assert all(len(names_in(tmp_path / f"copy{n}")) == 30 for n in range(4))


def test_what_a_killed_worker_left_is_ended_and_the_mirror_works_on(
    repository: Repository, project: Project, admin: User, into: Path
) -> None:
    repository.commit({"x": "x"})
    source = source_of(project, actor=admin)
    source.commits(until=Ref("branch", "main"))
    folder = git_mirror.folder_of(git_mirror.Repository(repository.url))
    left = Path(git_mirror.settings.BUILD_DIR) / "reads" / "read-lost"
    left.mkdir()
    orphan = subprocess.Popen(
        ["sleep", "300"], env={"HOME": str(left), "PATH": os.defpath}
    )
    (folder / "worker").write_text(str(left))
    (folder / "repository" / "packed-refs.lock").touch()
    (folder / "repository" / "objects" / "pack" / "tmp_pack_x").touch()
    newest = repository.commit({"y": "y"})
    assert source.fetch(Ref("branch", "main"), into).commit == newest
    assert orphan.wait(60) != 0
    assert not left.exists()
    assert not list((folder / "repository").rglob("tmp_pack_*"))


def test_a_spoilt_mirror_is_made_anew(
    repository: Repository, project: Project, admin: User, into: Path
) -> None:
    repository.commit({"x": "x"})
    source = source_of(project, actor=admin)
    source.commits(until=Ref("branch", "main"))
    folder = git_mirror.folder_of(git_mirror.Repository(repository.url))
    for pack in (folder / "repository" / "objects" / "pack").iterdir():
        pack.chmod(0o600)
        pack.write_bytes(b"rubbish")
    newest = repository.commit({"y": "y"})
    assert source.fetch(Ref("branch", "main"), into).commit == newest


def test_limits_of_time_and_size_hold(
    repository: Repository, project: Project, admin: User, into: Path, settings: Any
) -> None:
    repository.commit({"x": os.urandom(3_000_000)})
    settings.SOURCE_BYTES = 2**20
    with pytest.raises(GitError, match=r"larger than 1 MiB|ADMINSET_SOURCE") as refused:
        source_of(project, actor=admin).fetch(Ref("branch", "main"), into)
    assert "ADMINSET_SOURCE_BYTES" in refused.value.hint
    assert AuditEntry.objects.filter(verb="credential.use").count() == 0
