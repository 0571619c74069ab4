"""Nothing in an address, a branch, a path or a repository is taken for an option or a command, and no private network is reached."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.models import User
from cmdb.models import Credential
from tasks.git_checks import check_branch, check_git_path, check_git_url, place_of
from tasks.library import git_access, git_process, repositories
from tasks.library.file_forms import GitSourceForm
from tasks.models import GitSource, Playbook, Script
from tests.factories import make_user
from tests.tasks.library_things import Repository

pytestmark = pytest.mark.django_db

URLS = [
    "--upload-pack=touch /tmp/x",
    "-oProxyCommand=touch /tmp/x",
    "ssh://-oProxyCommand=touch%20x/y",
    "git@-oProxyCommand=x:y",
    "git@host:-x",
    "ssh://git@host/-x",
    "ext::sh -c id",
    "fd::17/x",
    "transport::https://host/x",
    "file:///etc",
    "/etc",
    "../x",
    "http://host/x",
    "git://host/x",
    "https://user:password@host/x",
    "https://user@host/x",
    "ssh://git:password@host/x",
    "https://host/x?y",
    "https://host",
    "https:///x",
    "https://host/x\n--upload-pack=y",
    "https://ho st/x",
    "https://host/\u202ex",
    "https://$(id)/x",
    "ssh://`id`@host/x",
    "",
]
BRANCHES = [
    "--output=x",
    "-x",
    "a..b",
    "a b",
    "a:b",
    "+a",
    "^a",
    "a~1",
    "@",
    "a@{1}",
    "a/.b",
    "a.lock",
    "/a",
    "a/",
    "a//b",
    "a\\b",
    "a\x00b",
    "a*",
    "",
]
PATHS = ["../x", "a/../b", "/etc/passwd", "-x", "a//b", ".git/config", "a\\b", "a\nb"]


@pytest.mark.parametrize("url", URLS)
def test_an_address_that_is_more_than_an_address_is_refused(
    admin: User, url: str
) -> None:
    with pytest.raises(ValidationError):
        check_git_url(url)
    form = GitSourceForm({"name": "n", "url": url, "branch": "main"}, user=admin)
    assert "url" in form.errors


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_branch_that_is_no_name_is_refused(admin: User, branch: str) -> None:
    with pytest.raises(ValidationError):
        check_branch(branch)
    data = {"name": "n", "url": "https://host/x", "branch": branch}
    assert "branch" in GitSourceForm(data, user=admin).errors


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_leads_out_is_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        check_git_path(path)


def test_plain_ones_are_taken() -> None:
    for url, place in (
        ("https://git.example/a/b.git", ("git.example", 443)),
        ("ssh://git@git.example:2222/a", ("git.example", 2222)),
        ("git@git.example:a/b.git", ("git.example", 22)),
        ("https://[2001:db8::1]:8443/a", ("2001:db8::1", 8443)),
    ):
        check_git_url(url)
        assert place_of(url) == place
    for branch in ("main", "v1.0", "feature/x", "refs/heads/main"):
        check_branch(branch)
    for path in ("", "a/b.yml", "roles/web/"):
        check_git_path(path)


@pytest.mark.parametrize(
    "values",
    [
        {"url": "ext::sh -c 'touch {mark}'"},
        {"url": "--upload-pack=touch {mark}"},
        {"url": "ssh://-oProxyCommand=touch {mark}/x"},
        {"branch": "--upload-pack=touch {mark}"},
        {"branch": "--output={mark}"},
    ],
)
def test_a_row_that_came_past_the_form_is_refused_when_it_is_used(
    admin: User, repository: Repository, tmp_path: Path, values: dict[str, str]
) -> None:
    repository.commit({"a": "a"})
    mark = tmp_path / "mark"
    filled = {name: text.format(mark=mark) for name, text in values.items()}
    source = GitSource.objects.create(name="n", **({"url": repository.url} | filled))
    repositories.request_fetch(actor=admin, source=source)
    repositories.fetch_source(pk=source.pk)
    source.refresh_from_db()
    assert source.state == "failed"
    assert not mark.exists()


def test_git_itself_refuses_what_no_check_of_ours_would_catch(
    settings: Any, tmp_path: Path
) -> None:
    settings.LIBRARY_GIT_PROTOCOLS = ["https", "ssh"]
    mark = tmp_path / "mark"
    place = git_process.Workplace(tmp_path, deadline=float("inf"))
    git_process.run(place, ["init", "--quiet", "--bare", "--template="])
    for url in (f"ext::touch {mark}", f"file://{tmp_path}", str(tmp_path)):
        with pytest.raises(git_process.GitError, match="not allowed"):
            git_process.run(place, ["fetch", "--", url, "main"])
    assert not mark.exists()


def test_hooks_filters_and_submodules_of_a_repository_never_run(
    admin: User, repository: Repository, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    evil = f"#!/bin/sh\ntouch {mark}\n"
    modules = '[submodule "x"]\n\tpath = x\n\turl = ext::touch {mark}\n'
    repository.commit(
        {
            ".gitmodules": modules.format(mark=mark),
            ".gitattributes": "* filter=evil\n",
            "run.sh": "echo\n",
        }
    )
    for name in ("post-checkout", "post-merge", "reference-transaction"):
        hook = repository.folder / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(evil)
        hook.chmod(0o755)
    source = GitSource.objects.create(name="n", url=repository.url)
    script = Script.objects.create(name="s", git_path="run.sh", git_source=source)
    repositories.request_fetch(actor=admin, source=source)
    repositories.fetch_source(pk=source.pk)
    assert script.versions.get().text == "echo\n"
    assert not mark.exists()


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/x", "ssh://git@169.254.169.254/x", "git@10.0.0.1:x"]
)
def test_no_private_network_is_reached(admin: User, url: str) -> None:
    source = GitSource.objects.create(name="n", url=url)
    repositories.request_fetch(actor=admin, source=source)
    repositories.fetch_source(pk=source.pk)
    source.refresh_from_db()
    assert "where the portal may not go" in source.message


def test_an_environment_from_nothing_and_secrets_in_private_files(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADMINSET_SECRET_KEY", "a secret of ours")
    monkeypatch.setattr(git_access, "reachable", lambda host, port: "192.0.2.7")
    credential = Credential.objects.create(
        name="c", username="deploy", password="word-of-mouth", private_key="KEY-TEXT"
    )
    # As it comes from the database: sealed.
    credential.refresh_from_db()
    source = GitSource(name="n", url="ssh://git.example/x", credential=credential)
    with git_access.workplace(source) as place:
        environment = git_process._environment(place)
        assert "a secret of ours" not in str(environment)
        assert "word-of-mouth" not in str(environment)
        config = (place.folder / "ssh_config").read_text()
        assert "HostName 192.0.2.7" in config
        assert "HostKeyAlias git.example" in config
        for name in ("password", "key", "ssh_config", "known_hosts"):
            assert (place.folder / name).stat().st_mode & 0o077 == 0
        said = b"fatal: word-of-mouth \x1b[31m\xe2\x80\xae is wrong\n"
        assert git_process.plain_words(said, place.secrets).startswith("fatal: ***")
    assert not place.folder.exists()


def test_a_credential_goes_only_where_somebody_who_may_use_it_sends_it() -> None:
    credential = Credential.objects.create(name="c", username="u", password="word-x")
    source = GitSource.objects.create(
        name="n", url="https://git.example/x", credential=credential
    )
    user = make_user(perms=["tasks.view_gitsource", "tasks.change_gitsource"])
    data = {"name": "n", "url": "https://evil.example/x", "branch": "main"}
    form = GitSourceForm(
        data | {"credential": credential.pk}, user=user, instance=source
    )
    assert form.is_valid(), form.errors
    with pytest.raises(Exception, match="may not use the credential"):
        repositories.save_source(actor=user, form=form)
    source.refresh_from_db()
    assert source.url == "https://git.example/x"


def test_hostile_names_in_a_repository_harm_nobody(
    admin: User, repository: Repository
) -> None:
    hostile = "<script>alert(1)<!-- \u202e.yml"
    repository.commit({hostile: "- hosts: all\n", "--help": "x\n"})
    source = GitSource.objects.create(name="n", url=repository.url)
    playbook = Playbook.objects.create(name="p", git_path=hostile, git_source=source)
    repositories.request_fetch(actor=admin, source=source)
    repositories.fetch_source(pk=source.pk)
    assert playbook.versions.count() == 1
