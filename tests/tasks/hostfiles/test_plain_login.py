"""As a login that is not root: what the host denies stays denied, whatever the portal's user may do."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User
from cmdb.models import Credential, Host, HostGroup
from tests.factories import make_host
from tests.farm import SshFarm, throw_away_user
from tests.tasks.hostfiles.things import FilesPage, refusal, told

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def farm() -> Iterator[SshFarm]:
    with (
        throw_away_user() as (user, _password),
        tempfile.TemporaryDirectory() as folder,
    ):
        # sshd reads the keys as the user, who has no way into pytest's own folders.
        Path(folder).chmod(0o711)
        with SshFarm(1, Path(folder) / "farm", user=user) as made:
            yield made


@pytest.fixture
def home(farm: SshFarm, settings: object) -> Path:
    settings.FILES_WASTE = "~/.adminset-waste"  # type: ignore[attr-defined]
    return Path(f"~{farm.user}").expanduser()


@pytest.fixture
def page(
    farm: SshFarm,
    group: HostGroup,
    keeper: User,
    client_of: Callable[[User], Client],
) -> FilesPage:
    server = farm.hosts[0]
    # With sudo in the credential, which is not used here.
    credential = Credential.objects.create(
        name="plain",
        username=farm.user,
        private_key=farm.client_key.read_text(),
        become_method="sudo",
    )
    made: Host = make_host(
        "plain",
        groups=[group],
        address=server.address,
        ssh_port=server.port,
        credential=credential,
        host_key=server.host_key,
    )
    return FilesPage(client_of(keeper), made)


def test_what_is_roots_is_denied(page: FilesPage) -> None:
    assert "does not let" in page.rows(Path("/root")).content.decode()
    answer = page.client.get(
        page.url("host_files_download", Path("/etc/shadow")),
        headers={"accept": "application/json"},
    )
    assert refusal(answer) == "host_denies"
    assert refusal(page.begin(Path("/etc/new-file"), b"x")) == "host_denies"
    assert refusal(page.call("host_files_waste", Path("/etc/hostname"))) in {
        "host_denies",
        "host_refuses",
    }
    assert Path("/etc/hostname").exists()
    assert told("delete") == []


def test_a_file_of_somebody_else_is_not_taken_from_its_owner(
    page: FilesPage, home: Path
) -> None:
    file = home / "roots.conf"
    file.write_text("root's")
    answer = page.upload(file, b"mine", replace=True)
    assert refusal(answer) == "other_owner"
    assert file.read_text() == "root's"
    assert file.stat().st_uid == os.getuid()
    begun = page.begin(file, b"mine", replace=True).json()
    assert page.call("host_files_abandon", token=begun["token"]).status_code == 200
    assert not list(home.glob(".adminset-[0-9a-f]*"))
    file.unlink()


def test_the_waste_lies_in_the_home(page: FilesPage, home: Path) -> None:
    file = home / "old.txt"
    assert page.upload(file, b"content").status_code == 200
    assert page.call("host_files_waste", file).status_code == 200
    (lies,) = (home / ".adminset-waste").glob("*/old.txt")
    assert lies.read_bytes() == b"content"
    answer = page.call("host_files_purge", home / ".adminset-waste")
    assert answer.json() == {"count": 2}


def test_the_folder_of_an_upload_that_somebody_else_put_there_is_not_used(
    page: FilesPage, home: Path
) -> None:
    file = home / "file"
    begun = page.begin(file, b"content").json()
    (folder,) = home.glob(".adminset-[0-9a-f]*")
    folder.rmdir()
    # Root's, where it should be the login's.
    folder.mkdir(mode=0o700)
    assert refusal(page.piece(begun["token"], 0, b"content")) == "bad_stage"
    assert refusal(page.begin(file, b"content")) == "bad_stage"
    folder.rmdir()


def test_an_archive_names_what_the_login_may_not_read(
    page: FilesPage, home: Path
) -> None:
    (home / "tree").mkdir(exist_ok=True)
    (home / "tree" / "roots").write_text("secret")
    (home / "tree" / "roots").chmod(0o600)
    (home / "tree" / "open").write_text("open")
    answer = page.get("host_files_download", home / "tree")
    content = b"".join(answer.streaming_content)
    assert b"ADMINSET-INCOMPLETE.txt" in content
    assert b"roots: Permission denied" in content
    assert b"secret" not in content
    assert b"open" in content
