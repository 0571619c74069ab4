"""A repository behind a real sshd: the key signs in, the server's key is kept at first and asked for from then on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import Credential
from tasks.library import repositories
from tasks.models import GitSource, Script
from tests.farm import SshFarm, make_key
from tests.tasks.library_things import Repository

pytestmark = pytest.mark.django_db


@pytest.fixture
def farm(tmp_path: Path) -> Any:
    """One sshd, with keys of its own."""
    with SshFarm(1, tmp_path / "farm") as farm:
        yield farm


@pytest.fixture
def source(farm: SshFarm, repository: Repository, settings: Any) -> GitSource:
    """The repository as that server shows it."""
    settings.LIBRARY_GIT_PROTOCOLS = ["https", "ssh"]
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    repository.commit({"run.sh": "echo one\n"})
    host = farm.hosts[0]
    credential = Credential.objects.create(
        name="deploy", username=farm.user, private_key=farm.client_key.read_text()
    )
    return GitSource.objects.create(
        name="ops",
        url=f"ssh://{host.address}:{host.port}{repository.folder}",
        credential=credential,
    )


def _fetch(user: User, source: GitSource) -> GitSource:
    repositories.request_fetch(actor=user, source=source)
    repositories.fetch_source(pk=source.pk)
    source.refresh_from_db()
    return source


def test_the_key_of_the_server_is_kept_and_asked_for(
    admin: User, farm: SshFarm, source: GitSource
) -> None:
    script = Script.objects.create(name="s", git_path="run.sh", git_source=source)
    _fetch(admin, source)
    assert source.state == "ok", source.message
    assert script.versions.get().text == "echo one\n"
    host = farm.hosts[0]
    assert source.host_key == f"[{host.address}]:{host.port} {host.host_key}"
    assert AuditEntry.objects.get(verb="gitsource.accept_key").actor == admin
    assert _fetch(admin, source).state == "ok"
    used = AuditEntry.objects.filter(verb="credential.use", actor=admin)
    assert used.count() == 2
    farm.restart_with_new_key(host)
    _fetch(admin, source)
    assert source.state == "failed"
    assert "Host key verification failed" in source.message
    assert AuditEntry.objects.filter(verb="gitsource.accept_key").count() == 1


def test_a_key_with_a_passphrase_opens_and_a_wrong_key_is_a_sentence(
    admin: User, farm: SshFarm, source: GitSource, tmp_path: Path
) -> None:
    locked = make_key(tmp_path / "locked", passphrase="words of mine")
    farm.authorize(locked)
    credential = source.credential
    assert credential is not None
    credential.private_key, credential.passphrase = locked.read_text(), "words of mine"
    credential.save()
    assert _fetch(admin, source).state == "ok", source.message
    credential.private_key = make_key(tmp_path / "unknown").read_text()
    credential.passphrase = None
    credential.save()
    _fetch(admin, source)
    assert source.state == "failed"
    assert "ermission denied" in source.message
    assert "PRIVATE KEY" not in source.message


def test_without_a_credential_nobody_is_asked(admin: User, source: GitSource) -> None:
    source.credential = None
    source.save()
    _fetch(admin, source)
    assert source.state == "failed"
    assert "git could not read it" in source.message
