"""Reaching a real sshd and signing in: host keys, keys, passwords, and their words."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.ssh.connect import fetch_host_key
from tasks.targets import (
    HostKey,
    HostRefusedError,
    Login,
    Target,
)
from tests.farm import FarmHost, SshFarm, free_port, make_key, throw_away_user
from tests.tasks.doors import run


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshFarm]:
    directory = tmp_path_factory.mktemp("farm")
    with SshFarm(1, directory, key_kinds=("ed25519", "rsa", "ecdsa")) as made:
        yield made


@pytest.fixture
def host(farm: SshFarm) -> FarmHost:
    return farm.hosts[0]


@pytest.fixture
def target(farm: SshFarm, host: FarmHost) -> Target:
    return farm.target(host)


# Host keys


def test_the_key_is_read_without_signing_in(host: FarmHost) -> None:
    key = fetch_host_key(host.address, host.port, 5)
    assert key == HostKey.parse(host.host_key)
    assert key.algorithm == "ssh-ed25519"
    assert key.fingerprint_sha256.startswith("SHA256:")


def test_an_unknown_key_is_refused_with_the_key_to_accept(target: Target) -> None:
    result, output = run(replace(target, host_key=None), "id")
    offered = HostKey.parse(target.host_key or "").fingerprint_sha256
    assert result.status == "unreachable"
    assert result.explanation == (
        f"The key of {target.label} is not accepted yet. "
        f"Open the host and accept key {offered} first."
    )
    assert output.pieces == []


@pytest.mark.parametrize("index", [0, 1, 2])
def test_any_of_the_servers_keys_can_be_the_pinned_one(
    farm: SshFarm, host: FarmHost, index: int
) -> None:
    path = host.keys[index]
    pinned = " ".join(path.with_name(path.name + ".pub").read_text().split()[:2])
    result, _ = run(farm.target(host, host_key=pinned), "true")
    assert result.status == "ok"


def test_a_changed_key_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with SshFarm(1, tmp_path / "farm") as farm:
        target = farm.target(farm.hosts[0])
        farm.restart_with_new_key(farm.hosts[0])
        result, _ = run(target, "id")
        pinned = HostKey.parse(target.host_key or "").fingerprint_sha256
        offered = HostKey.parse(farm.hosts[0].host_key).fingerprint_sha256
        assert result.status == "unreachable"
        assert result.explanation == (
            f"The key of {target.label} changed: pinned {pinned}, offered {offered}. "
            "If the machine was re-installed, accept the new key on the host's page; "
            "else find out who answers."
        )


def test_a_pinned_type_the_server_lost_counts_as_changed(
    tmp_path: Path, target: Target, host: FarmHost
) -> None:
    with SshFarm(1, tmp_path / "farm") as small:
        path = host.keys[2]
        pinned = path.with_name(path.name + ".pub").read_text()
        result, _ = run(small.target(small.hosts[0], host_key=pinned), "id")
        offered = HostKey.parse(small.hosts[0].host_key).fingerprint_sha256
        assert result.status == "unreachable"
        assert f"offered {offered}" in result.explanation


@pytest.mark.parametrize("text", ["garbage", "ssh-ed25519 AAAA", "ssh-dss AAAA x"])
def test_a_pinned_key_that_cannot_be_read_is_refused(target: Target, text: str) -> None:
    result, _ = run(replace(target, host_key=text), "id")
    assert result.status == "unreachable"
    assert "cannot be read" in result.explanation


# Reaching and signing in


def test_a_closed_port_has_its_sentence(target: Target) -> None:
    closed = replace(target, port=free_port("127.0.0.1"))
    result, _ = run(closed, "id")
    assert result.status == "unreachable"
    assert result.explanation == (
        f"{closed.label} refuses the connection. Start sshd there, or correct the port."
    )


def test_a_name_without_address_has_its_sentence(target: Target) -> None:
    result, _ = run(replace(target, address="no-such-host.invalid"), "id")
    assert result.status == "unreachable"
    assert "is not known to DNS" in result.explanation


def test_a_server_that_says_nothing_has_its_sentence(target: Target) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mute = replace(target, port=silent.getsockname()[1])
        started = time.monotonic()
        result, _ = run(mute, "id", connect_timeout=1)
    assert result.status == "unreachable"
    assert "not as an SSH server" in result.explanation
    assert time.monotonic() - started < 4


def test_an_address_that_does_not_answer_has_its_sentence(target: Target) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = []
        for _ in range(3):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
            waiting.append(sock)
        deaf = replace(target, port=full.getsockname()[1])
        result, _ = run(deaf, "id", connect_timeout=1)
        for sock in waiting:
            sock.close()
    assert result.status == "unreachable"
    assert "did not answer within 1 s" in result.explanation


@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519"])
@pytest.mark.parametrize("passphrase", ["", "open sesame"])
def test_every_common_key_signs_in(
    farm: SshFarm, target: Target, tmp_path: Path, kind: str, passphrase: str
) -> None:
    key = make_key(tmp_path / "key", kind, passphrase)
    farm.authorize(key)
    login = farm.login(private_key=key.read_text(), passphrase=passphrase or None)
    result, _ = run(replace(target, login=login), "true")
    assert result.status == "ok", result.explanation


def test_a_key_in_pem_form_signs_in(
    farm: SshFarm, target: Target, tmp_path: Path
) -> None:
    key = make_key(tmp_path / "key", "rsa")
    farm.authorize(key)
    os.system(f"ssh-keygen -q -p -m PEM -N '' -f {key}")  # noqa: S605 - a path of ours
    assert "BEGIN RSA PRIVATE KEY" in key.read_text()
    text = "\r\n" + key.read_text().replace("\n", "\r\n") + "  "
    result, _ = run(replace(target, login=farm.login(private_key=text)), "true")
    assert result.status == "ok", result.explanation


@pytest.mark.parametrize(
    ("passphrase", "words"),
    [("wrong", "its passphrase is wrong"), (None, "it needs a passphrase")],
)
def test_a_wrong_passphrase_has_its_sentence(
    farm: SshFarm, target: Target, tmp_path: Path, passphrase: str | None, words: str
) -> None:
    key = make_key(tmp_path / "key", "ed25519", "right")
    login = farm.login(private_key=key.read_text(), passphrase=passphrase)
    result, _ = run(replace(target, login=login), "id")
    assert result.status == "unreachable"
    assert words in result.explanation


@pytest.mark.parametrize("text", ["hello", "PuTTY-User-Key-File-3: ssh-rsa", "\x00"])
def test_a_key_that_is_none_has_its_sentence(target: Target, text: str) -> None:
    result, _ = run(replace(target, login=Login("root", private_key=text)), "id")
    assert result.status == "unreachable"
    assert "private key of root" in result.explanation


def test_a_key_that_is_not_authorized_has_its_sentence(
    farm: SshFarm, target: Target, tmp_path: Path
) -> None:
    stranger = farm.login(private_key=make_key(tmp_path / "key").read_text())
    result, _ = run(replace(target, login=stranger), "id")
    assert result.status == "unreachable"
    assert f"refused the sign-in of {farm.user} by private key" in result.explanation


def test_a_login_without_key_and_password_has_its_sentence(target: Target) -> None:
    result, _ = run(replace(target, login=Login("root")), "id")
    assert "neither a private key nor a password" in result.explanation


def test_a_password_signs_in_and_a_wrong_one_does_not(tmp_path: Path) -> None:
    with (
        throw_away_user() as (name, password),
        SshFarm(1, tmp_path / "farm", with_password=True) as farm,
    ):
        target = farm.target(farm.hosts[0], login=Login(name, password))
        result, output = run(target, "id -un")
        assert (result.status, output.of("stdout")) == ("ok", f"{name}\n".encode())
        result, _ = run(replace(target, login=Login(name, "wrong")), "id")
        assert result.status == "unreachable"
        assert f"refused the sign-in of {name} by password" in result.explanation


def test_nothing_of_the_users_own_ssh_settings_is_used(
    target: Target, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".ssh").mkdir()
    key = make_key(tmp_path / ".ssh" / "id_ed25519")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    result, _ = run(replace(target, login=Login("root", "wrong")), "id")
    assert result.status == "unreachable"
    assert "by password" in result.explanation
    assert key.exists()


def test_reading_a_key_of_a_dead_port_raises_the_sentence() -> None:
    with pytest.raises(HostRefusedError, match="refuses the connection"):
        fetch_host_key("127.0.0.1", free_port("127.0.0.1"), 2)
