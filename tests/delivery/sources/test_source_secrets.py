"""Secrets of sources reach git and svn, and nobody else: no command line, no environment, no file that stays, no log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import User
from adminset.errors import DomainError
from adminset.models import AuditEntry
from appconf.models import Project
from cmdb.models import Credential
from delivery.models import SourceKey
from delivery.sources.face import Ref
from delivery.sources.keys import forget_keys
from delivery.sources.opening import source_of
from tests.app_factories import make_project
from tests.delivery.sources.proc_watch import ProcWatch
from tests.delivery.sources.svn_things import SvnServer, needs_svn, svn_server
from tests.factories import grant, make_user
from tests.farm import SshFarm, make_key
from tests.tasks.library_things import Repository

pytestmark = pytest.mark.django_db

WORDS = "words-of-mine-7c1f"


@pytest.fixture
def farm(tmp_path: Path, settings: Any) -> Iterator[SshFarm]:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8", "::1/128"]
    with SshFarm(1, tmp_path / "farm") as farm:
        yield farm


@pytest.fixture
def behind_ssh(farm: SshFarm, repository: Repository, tmp_path: Path) -> Project:
    """The repository behind a server that wants a key, and a key that wants its words."""
    repository.commit({"x": "one"})
    locked = make_key(tmp_path / "locked", passphrase=WORDS)
    farm.authorize(locked)
    credential = Credential.objects.create(
        name="deploy",
        username=farm.user,
        private_key=locked.read_text(),
        passphrase=WORDS,
    )
    host = farm.hosts[0]
    address = f"ssh://{host.address}:{host.port}{repository.folder}"
    return make_project(
        source_type="git", source_address=address, source_credential=credential
    )


@pytest.fixture
def svn(tmp_path: Path, settings: Any) -> Iterator[SvnServer]:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8", "::1/128"]
    settings.SOURCE_SVN_PROTOCOLS = ["https", "svn"]
    with svn_server(tmp_path / "svn", user="ann", password=WORDS) as server:
        yield server


def files_with(words: str, *folders: Path) -> list[Path]:
    found = [p for folder in folders for p in folder.rglob("*") if p.is_file()]
    return [path for path in found if words.encode() in path.read_bytes()]


def read_all(project: Project, actor: User, into: Path) -> str:
    into.mkdir()
    source = source_of(project, actor=actor)
    refs = source.refs()
    source.commits(until=Ref("branch", refs.default))
    return source.fetch(Ref("branch", refs.default), into).commit


def test_git_by_ssh_shows_no_secret_and_keeps_the_servers_key(
    behind_ssh: Project, farm: SshFarm, admin: User, tmp_path: Path, settings: Any
) -> None:
    key = (tmp_path / "locked").read_text().splitlines()[2]
    with ProcWatch(WORDS, key) as watch:
        read_all(behind_ssh, admin, tmp_path / "into")
    assert watch.leaks == []
    assert {"git", "ssh"} <= watch.seen
    assert files_with(WORDS, settings.BUILD_DIR) == []
    host = farm.hosts[0]
    kept = SourceKey.objects.get(project=behind_ssh)
    assert kept.key == f"[{host.address}]:{host.port} {host.host_key}"
    assert AuditEntry.objects.get(verb="source.accept_key").actor == admin
    used = AuditEntry.objects.filter(verb="credential.use", actor=admin)
    assert used.count() == 1


def test_another_key_of_the_server_is_refused_until_somebody_forgets_the_first(
    behind_ssh: Project, farm: SshFarm, admin: User, tmp_path: Path
) -> None:
    read_all(behind_ssh, admin, tmp_path / "one")
    farm.restart_with_new_key(farm.hosts[0])
    with pytest.raises(DomainError, match="Host key verification failed"):
        read_all(behind_ssh, admin, tmp_path / "two")
    assert not list((tmp_path / "two").iterdir())
    with pytest.raises(DomainError, match="may not change"):
        forget_keys(actor=make_user("reader"), project=behind_ssh)
    assert forget_keys(actor=admin, project=behind_ssh) == 1
    assert AuditEntry.objects.filter(verb="source.forget_key").count() == 1
    read_all(behind_ssh, admin, tmp_path / "three")


@needs_svn
def test_svn_gets_its_password_by_standard_input(
    svn: SvnServer, admin: User, tmp_path: Path, settings: Any
) -> None:
    credential = Credential.objects.create(name="c", username="ann", password=WORDS)
    project = make_project(
        source_type="svn", source_address=svn.url, source_credential=credential
    )
    with ProcWatch(WORDS) as watch:
        assert read_all(project, admin, tmp_path / "into") == "1"
    assert watch.leaks == []
    assert "svn" in watch.seen
    assert (tmp_path / "into/x.txt").read_text() == "one\n"
    assert files_with(WORDS, settings.BUILD_DIR, tmp_path / "into") == []


@needs_svn
def test_a_wrong_password_is_a_sentence_without_it(
    svn: SvnServer, admin: User, tmp_path: Path
) -> None:
    credential = Credential.objects.create(
        name="c", username="ann", password="wrong-password-91"
    )
    project = make_project(
        source_type="svn", source_address=svn.url, source_credential=credential
    )
    with pytest.raises(DomainError) as refused:
        read_all(project, admin, tmp_path / "into")
    assert "svn could not read it" in refused.value.message
    assert "wrong-password-91" not in refused.value.message + refused.value.hint


@needs_svn
def test_svn_by_ssh_shows_the_servers_key_too(
    farm: SshFarm, svn: SvnServer, admin: User, tmp_path: Path, settings: Any
) -> None:
    settings.SOURCE_SVN_PROTOCOLS = ["svn+ssh"]
    credential = Credential.objects.create(
        name="c", username=farm.user, private_key=farm.client_key.read_text()
    )
    host = farm.hosts[0]
    address = f"svn+ssh://{farm.user}@{host.address}:{host.port}{svn.folder}"
    project = make_project(
        source_type="svn", source_address=address, source_credential=credential
    )
    read_all(project, admin, tmp_path / "into")
    assert (tmp_path / "into/x.txt").read_text() == "one\n"
    kept = SourceKey.objects.get(project=project)
    assert kept.key == f"[{host.address}]:{host.port} {host.host_key}"
    farm.restart_with_new_key(host)
    with pytest.raises(DomainError):
        read_all(project, admin, tmp_path / "again")


@needs_svn
def test_places_where_the_portal_may_not_go_are_not_asked(
    svn: SvnServer, admin: User, settings: Any
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    project = make_project(source_type="svn", source_address=svn.url)
    with pytest.raises(DomainError, match="may not go"):
        source_of(project, actor=admin).refs()


def test_the_page_of_a_project_shows_its_keys_to_who_may_forget_them(
    project: Project, admin: User, client_of: Any
) -> None:
    SourceKey.objects.create(
        project=project, server="git.example", key="git.example ssh-ed25519 AAAA"
    )
    address = reverse("delivery:project_forget_keys", args=[project.pk])
    reader = make_user("reader")
    grant(reader, ["appconf.view_project", "delivery.view_pipeline"])
    page = f"{project.get_absolute_url()}?tab=delivery"
    assert "ssh-ed25519" in client_of(admin).get(page).content.decode()
    assert "ssh-ed25519" not in client_of(reader).get(page).content.decode()
    assert client_of(reader).post(address).status_code == 403
    assert SourceKey.objects.count() == 1
    client = client_of(admin)
    assert client.get(address).status_code == 405
    assert client.post(address).status_code == 302
    assert SourceKey.objects.count() == 0
    assert AuditEntry.objects.get(verb="source.forget_key").actor == admin
