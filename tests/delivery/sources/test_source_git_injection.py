"""Nothing in an address, a reference, a repository or the portal's environment makes git do anything else than read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from adminset.errors import DomainError
from appconf.models import Project
from delivery.sources import git_mirror
from delivery.sources.face import Ref
from delivery.sources.opening import source_of
from tests.delivery.sources.conftest import names_in
from tests.tasks.library_things import Repository

pytestmark = pytest.mark.django_db

EVIL_REFS = [
    Ref("branch", "--upload-pack=touch {mark}"),
    Ref("tag", "-c core.sshCommand=touch {mark}"),
    Ref("branch", "main\n--output={mark}"),
    Ref("branch", "a..b"),
    Ref("branch", "../../HEAD"),
    Ref("branch", "@{{-1}}"),
    Ref("branch", "main^{{/x}}"),
    Ref("branch", "a\0b"),
    Ref("branch", "$(touch {mark})"),
    Ref("tag", ":/change"),
    Ref("commit", "--all"),
    Ref("commit", "main"),
    Ref("commit", "HEAD"),
    Ref("commit", "abcdef1^{{tree}}"),
    Ref("commit", "x" * 5000),
    Ref("upload-pack", "main"),
]


@pytest.mark.parametrize("ref", EVIL_REFS, ids=lambda ref: ref.name[:20])
def test_no_name_of_a_reference_is_an_option_or_another_object(
    ref: Ref,
    repository: Repository,
    project: Project,
    admin: User,
    into: Path,
    tmp_path: Path,
) -> None:
    repository.commit({"x": "x"})
    mark = tmp_path / "mark"
    asked = Ref(ref.kind, ref.name.format(mark=mark))
    source = source_of(project, actor=admin)
    with pytest.raises(DomainError):
        source.fetch(asked, into)
    with pytest.raises(DomainError):
        source.commits(until=asked)
    assert source.commits(until=Ref("branch", "main"), since=asked.name).total == 1
    assert not mark.exists()
    assert names_in(into) == set()


@pytest.mark.parametrize(
    "address",
    [
        "--upload-pack=touch x",
        "ext::sh -c id",
        "ext::https://host/x",
        "file:///etc",
        "https://host/x\n",
        "-c core.sshCommand=id",
        "ssh://-oProxyCommand=id/x",
        "http://host/x",
        "https://user:password@host/x",
    ],
)
def test_no_address_leads_elsewhere(
    address: str, admin: User, settings: Any, into: Path
) -> None:
    settings.LIBRARY_GIT_PROTOCOLS = ["https", "ssh"]
    project = Project(pk=1, source_type="git", source_address=address)
    source = source_of(project, actor=admin)
    for ask in (
        source.refs,
        lambda: source.commits(until=Ref("branch", "main")),
        lambda: source.fetch(Ref("branch", "main"), into),
    ):
        with pytest.raises(DomainError):
            ask()


def test_hooks_and_settings_of_repositories_do_not_count(
    repository: Repository, project: Project, admin: User, into: Path, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    repository.commit({"x": "x"})
    source = source_of(project, actor=admin)
    source.refs()
    source.commits(until=Ref("branch", "main"))
    mirror = git_mirror.folder_of(git_mirror.Repository(repository.url)) / "repository"
    for folder in (repository.folder / ".git", mirror):
        for name in ("post-checkout", "reference-transaction", "post-update"):
            hook = folder / "hooks" / name
            hook.parent.mkdir(exist_ok=True)
            hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
            hook.chmod(0o755)
    repository.commit({"y": "y"})
    source.fetch(Ref("branch", "main"), into)
    mark.unlink(missing_ok=True)  # the commit itself was made by a git that has hooks
    (into.parent / "again").mkdir()
    source.fetch(Ref("branch", "main"), into.parent / "again")
    assert not mark.exists()


def test_nothing_of_the_portals_environment_reaches_git(
    repository: Repository,
    project: Project,
    admin: User,
    into: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    newest = repository.commit({"x": "x"})
    mark = tmp_path / "mark"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {mark}\nexit 1\n")
    script.chmod(0o755)
    (tmp_path / "gitconfig").write_text(f"[core]\n\tfsmonitor = {script}\n")
    for name, value in {
        "GIT_DIR": "/nowhere",
        "GIT_WORK_TREE": "/nowhere",
        "GIT_TRACE": str(mark),
        "GIT_SSH_COMMAND": str(script),
        "GIT_ASKPASS": str(script),
        "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "uploadpack.packObjectsHook",
        "GIT_CONFIG_VALUE_0": str(script),
        "GIT_EXEC_PATH": "/nowhere",
        "HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    fetched = source_of(project, actor=admin).fetch(Ref("branch", "main"), into)
    assert fetched.commit == newest
    assert not mark.exists()
