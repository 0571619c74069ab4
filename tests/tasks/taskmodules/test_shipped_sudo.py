"""Shipped modules that are playbooks need root: by a login that becomes root with sudo they are root."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tasks.targets import Login
from tests.farm import SshFarm, throw_away_user
from tests.tasks.doors import clean_case

MODULES = Path("tasks/modules")
PLAYBOOKS = sorted(
    path.stem for path in MODULES.glob("*.yml") if "\nplaybook: |" in path.read_text()
)


def _playbook(name: str) -> str:
    text: str = yaml.safe_load((MODULES / f"{name}.yml").read_text())["playbook"]
    return text


@pytest.fixture
def login() -> Iterator[Login]:
    """A login that may become root, with its password."""
    if shutil.which("sudo") is None:
        pytest.skip("sudo is missing: apt-get install sudo")
    with throw_away_user(f"as-{secrets.token_hex(4)}") as (name, password):
        rule = Path(f"/etc/sudoers.d/{name}")
        rule.write_text(f"{name} ALL=(ALL) ALL\n")
        rule.chmod(0o440)
        yield Login(name, password, become_method="sudo", become_password=password)
        rule.unlink()


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_every_play_becomes_root(name: str) -> None:
    assert [play["become"] for play in yaml.safe_load(_playbook(name))] == [True]


def test_a_file_goes_where_only_root_may_write(login: Login, tmp_path: Path) -> None:
    folder = tmp_path / "roots"
    folder.mkdir(mode=0o700)
    path = folder / "motd"
    given = {"path": str(path), "origin": "text", "text": "hello\n", "mode": "0600"}
    given |= {"owner": "root", "group": "root", "after": "nothing"}
    with (
        SshFarm(1, tmp_path / "farm", with_password=True) as farm,
        clean_case(farm) as case,
    ):
        target = farm.target(farm.hosts[0], login=login)
        result = case.playbook(
            _playbook("file-sync"), [target], variables={**given, "backup": True}
        )
        assert result.status == "ok", case.text()
    assert path.read_text() == "hello\n"
    assert (path.stat().st_uid, path.stat().st_mode & 0o777) == (0, 0o600)
