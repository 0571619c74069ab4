"""Shipped modules that change a host: for real on things of our own, with stand-ins or in check mode where this machine would suffer."""

from __future__ import annotations

import os
import pwd
import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adminset.errors import DomainError
from adminset.models import AuditEntry
from tests.tasks.taskmodules.conftest import Result, Server

pytestmark = pytest.mark.django_db
Run = Callable[..., Result]
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="makes a user")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJk it's $(id) me@home"


@pytest.fixture
def new_user() -> Iterator[str]:
    """A name that no user has; whoever gets it is gone afterwards."""
    name = f"asm-{secrets.token_hex(4)}"
    yield name
    subprocess.run(["userdel", "-r", name], capture_output=True, check=False)


def shadow(name: str) -> list[str]:
    """Give the fields of a user's line in /etc/shadow."""
    lines = Path("/etc/shadow").read_text().splitlines()
    return next(line.split(":") for line in lines if line.startswith(f"{name}:"))


@needs_root
def test_a_user_is_added_locked_and_unlocked(run_module: Run, new_user: str) -> None:
    password = f"p w'd$(id)-{secrets.token_hex(8)}"
    comment = "It's $(id), 王"
    given = {"login": new_user, "comment": comment, "shell": "/bin/sh"}
    given |= {"public_key": KEY, "secrets": {"password": password}}
    result = run_module("user-add", **given)
    assert result.status == "ok", result.text
    user = pwd.getpwnam(new_user)
    assert (user.pw_gecos, user.pw_shell) == (comment, "/bin/sh")
    keys = Path(user.pw_dir) / ".ssh" / "authorized_keys"
    assert keys.read_text() == f"{KEY}\n"
    assert (keys.stat().st_uid, keys.stat().st_mode & 0o777) == (user.pw_uid, 0o600)
    assert shadow(new_user)[1].startswith("$")
    # The second time changes nothing.
    assert "is there already" in run_module("user-add", **given).text
    assert keys.read_text() == f"{KEY}\n"
    assert run_module("user-lock", login=new_user).status == "ok"
    assert shadow(new_user)[1].startswith("!$")
    assert shadow(new_user)[7] == "1"
    assert run_module("user-lock", login=new_user, act="unlock").status == "ok"
    assert shadow(new_user)[1].startswith("$")
    assert shadow(new_user)[7] == ""
    told = str(list(AuditEntry.objects.values())) + result.text
    assert password not in told
    assert password not in str(result.run.__dict__)


def test_root_is_never_locked(run_module: Run) -> None:
    with pytest.raises(DomainError):
        run_module("user-lock", login="root")


def test_a_file_is_written_with_its_backup(run_module: Run, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    path = folder / "it's {{ 7 * 7 }} $(id)"
    text = "a {{ lookup('pipe', 'id') }}\n$(id) `id` '\"\n"
    result = run_module("file-sync", path=str(path), text=text, mode="0640")
    assert result.status == "ok", result.text
    assert path.read_text() == text
    assert path.stat().st_mode & 0o777 == 0o640
    run_module("file-sync", path=str(path), text="second\n")
    assert path.read_text() == "second\n"
    kept = [one for one in folder.iterdir() if one != path]
    assert [one.read_text() for one in kept] == [text]
    with pytest.raises(DomainError):
        run_module("file-sync", path=f"{tmp_path}/../x", text="x")


def test_a_file_with_a_wrong_checksum_is_not_taken(
    run_module: Run, tmp_path: Path
) -> None:
    path = tmp_path / "f"
    result = run_module(
        "file-sync",
        path=str(path),
        origin="address",
        address="http://127.0.0.1:9/x",
        sha256="0" * 64,
    )
    assert result.status == "failed"
    assert not path.exists()


def test_a_package_that_is_there_stays(run_module: Run) -> None:
    result = run_module("package-install", packages="bash coreutils", check=True)
    assert result.status == "ok", result.text
    with pytest.raises(DomainError):
        run_module("package-install", packages="bash --allow-downgrades")


def test_a_service_is_restarted_and_says_how_it_stands(
    run_module: Run, server: Server
) -> None:
    server.stand_in("systemctl", "Active: active (running)")
    result = run_module("service-restart", service="nginx")
    assert result.status == "ok", result.text
    assert "nginx is restarted." in result.text
    assert "systemctl --no-pager restart -- nginx" in server.calls
    assert server.calls[-1] == "systemctl --no-pager status -- nginx"


def test_a_configuration_that_is_wrong_is_not_read(
    run_module: Run, server: Server
) -> None:
    server.stand_in("systemctl")
    server.stand_in("nginx", "syntax error", 1)
    result = run_module("service-reload", service="nginx")
    assert result.status == "failed"
    assert "syntax error" in result.text
    assert not [call for call in server.calls if " reload " in call]
    server.stand_in("nginx")
    assert run_module("service-reload", service="nginx").status == "ok"
    assert server.calls[-2:] == ["nginx -t", "systemctl --no-pager reload -- nginx"]


def test_disks_are_cleaned_up_only_when_one_does_not_only_look(
    run_module: Run, server: Server
) -> None:
    for name in ("apt-get", "journalctl", "find"):
        server.stand_in(name)
    everything = ["packages", "journal", "logs", "temporary"]
    looked = run_module("disk-cleanup", what=everything, days=30)
    assert looked.status == "ok", looked.text
    assert "would do: apt-get clean" in looked.text
    assert not [call for call in server.calls if not call.startswith("find")]
    assert all(call.endswith("-mtime +30 -print") for call in server.calls)
    run_module("disk-cleanup", what=everything, days=30, only_look=False)
    assert server.calls[2:4] == ["apt-get clean", "journalctl --vacuum-time=30d"]
    assert all(call.endswith("-mtime +30 -delete") for call in server.calls[4:])
    assert len(server.calls) == 6


@pytest.mark.parametrize(
    ("programs", "calls"),
    [
        (["chronyc"], ["chronyc -a makestep", "chronyc tracking"]),
        (["ntpdate"], ["ntpdate -u 10.0.0.1"]),
        (
            ["timedatectl", "systemctl"],
            [
                "timedatectl set-ntp true",
                "systemctl restart systemd-timesyncd",
                "timedatectl ",
            ],
        ),
    ],
)
def test_the_clock_is_set_by_what_the_host_has(
    run_module: Run, server: Server, programs: list[str], calls: list[str]
) -> None:
    for name in programs:
        server.stand_in(name)
    result = run_module("time-sync", server="10.0.0.1")
    assert result.status == "ok", result.text
    assert server.calls == calls


def test_a_reboot_only_says_what_it_would_do_in_check_mode(run_module: Run) -> None:
    """For real it would end this machine: Ansible's module says in check mode that it would."""
    result = run_module("reboot", check=True)
    assert result.status == "ok", result.text
    assert (result.run.batches, result.run.timeout_seconds) == ("1 10% 50%", 7200)
    assert result.run.kind == "playbook"
