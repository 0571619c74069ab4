"""Repositories are read at a commit: what is new becomes versions, what cannot be read is a sentence on the page."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from adminset.errors import Conflict, Forbidden
from adminset.models import AuditEntry
from tasks.library import git_process, repositories
from tasks.library.choosing import content_of, newest_runnable
from tasks.library.judging import approve_version, may_judge
from tasks.models import GitSource, Playbook, Role, Schedule, Script, StoredFile
from tasks.services.vouching import ChangedError, ensure_vouched, vouch
from tests.factories import make_user
from tests.tasks.library_things import PLAYBOOK, Repository, make_script

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(repository: Repository) -> GitSource:
    """The repository in the library, not read yet."""
    return GitSource.objects.create(name="ops", url=repository.url)


def _fetch(user: User, source: GitSource) -> GitSource:
    repositories.request_fetch(actor=user, source=source)
    repositories.fetch_source(pk=source.pk)
    source.refresh_from_db()
    return source


FILES: dict[str, Any] = {
    "bin/deploy.sh": "echo one\n",
    "site.yml": PLAYBOOK,
    "roles/web/tasks/main.yml": "- ping:\n",
    "roles/web/templates/a.j2": "x\n",
    "logo.bin": b"\x00\x01",
}


def test_each_kind_of_item_is_read_with_its_commit(
    admin: User, repository: Repository, source: GitSource
) -> None:
    commit = repository.commit(FILES)
    shared = {"git_source": source}
    script = Script.objects.create(name="s", git_path="bin/deploy.sh", **shared)
    playbook = Playbook.objects.create(name="p", git_path="site.yml", **shared)
    role = Role.objects.create(name="web", git_path="roles/web", **shared)
    file = StoredFile.objects.create(name="f", git_path="logo.bin", **shared)
    _fetch(admin, source)
    assert (source.state, source.commit) == ("ok", commit), source.message
    assert "4 new versions" in source.message
    versions = [newest_runnable(item) for item in (script, playbook, role, file)]
    assert {v.commit for v in versions} == {commit}
    assert {v.author for v in versions} == {admin}
    assert [content_of(v) for v in versions[:3]] == [
        "echo one\n",
        PLAYBOOK,
        {"tasks/main.yml": "- ping:\n", "templates/a.j2": "x\n"},
    ]
    assert content_of(versions[3]).read_bytes() == b"\x00\x01"  # type: ignore[union-attr]
    playbook.refresh_from_db()
    assert playbook.content == PLAYBOOK
    assert AuditEntry.objects.get(verb="gitsource.fetched").actor == admin


def test_a_new_commit_makes_versions_only_of_what_it_changed(
    admin: User, repository: Repository, source: GitSource
) -> None:
    repository.commit(FILES)
    script = Script.objects.create(
        name="s", git_path="bin/deploy.sh", git_source=source, needs_approval=True
    )
    other = Playbook.objects.create(name="p", git_path="site.yml", git_source=source)
    _fetch(admin, source)
    second = repository.commit({"bin/deploy.sh": "echo two\n"})
    _fetch(admin, source)
    assert source.message.startswith("1 new version ")
    assert other.versions.count() == 1
    newest = script.versions.order_by("-number").first()
    assert newest is not None
    assert (newest.commit, newest.state) == (second, "waiting")


def test_a_tag_is_read_too(
    admin: User, repository: Repository, source: GitSource
) -> None:
    first = repository.commit(FILES)
    repository.git("tag", "-a", "v1", "-m", "one")
    repository.commit({"bin/deploy.sh": "echo two\n"})
    source.branch = "v1"
    source.save()
    assert _fetch(admin, source).commit == first


def test_what_somebody_else_fetched_is_not_vouched_for(
    admin: User, repository: Repository, source: GitSource
) -> None:
    repository.commit(FILES)
    script = make_script("s", git_path="bin/deploy.sh", git_source=source)
    schedule = Schedule.objects.create(
        name="n", kind="script", script=script, every_minutes=5, run_as=make_user()
    )
    vouch(schedule)
    repository.commit({"bin/deploy.sh": "echo two\n"})
    _fetch(admin, source)
    with pytest.raises(ChangedError, match="script s"):
        ensure_vouched(schedule)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("nowhere.sh", "no plain file"),
        ("bin", "no plain file"),
        ("link", "no plain file"),
        ("logo.bin", "no text in UTF-8"),
        ("long.sh", "larger than"),
    ],
)
def test_what_cannot_be_taken_is_said_and_the_rest_is_taken(
    admin: User, repository: Repository, source: GitSource, path: str, says: str
) -> None:
    (repository.folder / "link").symlink_to("/etc/passwd")
    long = "#" * 300_000
    repository.commit(FILES | {"long.sh": long, "logo.bin": b"\xff\xfe"})
    bad = Script.objects.create(name="bad", git_path=path, git_source=source)
    good = Playbook.objects.create(name="p", git_path="site.yml", git_source=source)
    _fetch(admin, source)
    assert source.state == "failed"
    assert says in source.message
    assert bad.versions.count() == 0
    assert good.versions.count() == 1


def test_a_role_with_a_link_or_broken_yaml_is_refused(
    admin: User, repository: Repository, source: GitSource
) -> None:
    repository.commit({"a/tasks/main.yml": "- : [\n", "b/tasks/main.yml": ""})
    (repository.folder / "b/files").symlink_to("/etc")
    repository.commit({})
    for name in ("a", "b"):
        Role.objects.create(name=name, git_path=name, git_source=source)
    _fetch(admin, source)
    assert "a: tasks/main.yml: Line 1" in source.message
    assert "b/files is a link" in source.message
    assert not any(role.versions.exists() for role in Role.objects.all())


def test_a_branch_that_is_not_there_is_a_sentence_with_what_git_said(
    admin: User, repository: Repository, source: GitSource
) -> None:
    repository.commit(FILES)
    source.branch = "nowhere"
    source.save()
    _fetch(admin, source)
    assert source.state == "failed"
    assert "git could not read it: fatal:" in source.message
    assert AuditEntry.objects.filter(verb="gitsource.fail").exists()


def test_git_that_is_missing_is_said_plainly(
    admin: User, source: GitSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_process.shutil, "which", lambda *args, **kwargs: None)
    assert "git is not installed" in _fetch(admin, source).message


def test_limits_of_time_and_disk_stop_it(repository: Repository, settings: Any) -> None:
    place = git_process.Workplace(repository.folder, deadline=0.0)
    with pytest.raises(git_process.GitError, match="longer than"):
        git_process.run(place, _wait())
    settings.LIBRARY_GIT_BYTES = 1
    place.limits = git_process.limits_of_library()
    place.deadline = float("inf")
    with pytest.raises(git_process.GitError, match="larger than"):
        git_process.run(place, _wait())


def _wait() -> list[str]:
    """Arguments with which git itself takes a while."""
    return ["-c", "alias.wait=!sleep 20", "wait"]


def test_only_one_reading_at_a_time_and_only_by_who_may(
    admin: User, source: GitSource, repository: Repository
) -> None:
    repository.commit(FILES)
    with pytest.raises(Forbidden):
        repositories.request_fetch(
            actor=make_user(perms=["tasks.change_gitsource"]), source=source
        )
    source.refresh_from_db()
    assert source.state == "never"
    repositories.request_fetch(actor=admin, source=source)
    with pytest.raises(Conflict):
        repositories.request_fetch(actor=admin, source=source)
    repositories.fetch_source(pk=source.pk)
    repositories.fetch_source(pk=source.pk)
    assert AuditEntry.objects.filter(verb="gitsource.fetched").count() == 1


def test_nothing_is_left_behind(
    admin: User, source: GitSource, repository: Repository, settings: Any
) -> None:
    repository.commit(FILES)
    _fetch(admin, source)
    assert source.state == "ok"
    assert list((settings.LIBRARY_DIR / "git").iterdir()) == []


def test_nobody_approves_what_the_commit_says_is_the_own(
    admin: User, approver: User, repository: Repository, source: GitSource
) -> None:
    repository.commit(FILES)
    fields = {"git_path": "bin/deploy.sh", "git_source": source}
    script = make_script("s", "echo zero\n", needs_approval=True, **fields)
    _fetch(admin, source)
    version = script.versions.get(number=2)
    assert version.author == admin
    assert version.commit_people == [{"name": "t", "email": "t@t.example"}]
    approver.email = "T@t.example"
    approver.save()
    assert may_judge(approver, version) == ["retire"]
    with pytest.raises(Forbidden, match="own version"):
        approve_version(actor=approver, version=version)
    approver.email = ""
    approver.save()
    assert approve_version(actor=approver, version=version).state == "approved"
