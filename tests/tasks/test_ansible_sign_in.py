"""Ansible on real sshd servers: host keys, passwords, and secrets that do not show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.targets import HostKey, Login
from tests.canaries import Canaries, watched
from tests.farm import SshFarm, make_key, throw_away_user
from tests.tasks.doors import COMMAND, Case, clean_case, passing_password


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshFarm]:
    with SshFarm(2, tmp_path_factory.mktemp("farm"), with_password=True) as made:
        yield made


@pytest.fixture(scope="module")
def user() -> Iterator[Login]:
    with throw_away_user() as (name, password):
        yield Login(name, password)


@pytest.fixture
def case(farm: SshFarm) -> Iterator[Case]:
    with clean_case(farm) as made:
        yield made


def test_a_host_without_accepted_key_is_refused_before_the_start(case: Case) -> None:
    unknown = replace(case.targets[0], name="new", host_key=None)
    text = COMMAND.format(command="id")
    result = case.playbook(text, [case.targets[1], unknown])
    assert result.status == "unreachable"
    assert result.hosts["host1"].status == "ok"
    assert result.hosts["new"].explanation == (
        f"The key of {unknown.label} is not accepted yet. "
        "Open the host and accept its key first."
    )
    assert {event.host for event in case.events} == {None, "host1"}
    result = case.playbook(text, [unknown])
    assert result.status == "unreachable"
    result = case.playbook("- hosts: [", [case.targets[1], unknown])
    assert result.status == "failed"
    assert "YAML parsing failed" in result.explanation


def test_a_changed_key_is_refused_with_both_fingerprints(
    case: Case, tmp_path: Path
) -> None:
    other = make_key(tmp_path / "other")
    pinned = other.with_name("other.pub").read_text()
    target = replace(case.targets[0], host_key=pinned)
    result = case.module("command", "id", target)
    fingerprints = [
        HostKey.parse(text).fingerprint_sha256
        for text in (pinned, case.targets[0].host_key or "")
    ]
    assert result.status == "unreachable"
    assert (
        f"changed: pinned {fingerprints[0]}, offered {fingerprints[1]}."
        in result.hosts["host0"].explanation
    )


def test_a_pinned_type_the_server_lost_counts_as_changed(
    case: Case, tmp_path: Path
) -> None:
    other = make_key(tmp_path / "other", "rsa")
    pinned = other.with_name("other.pub").read_text()
    result = case.module("command", "id", replace(case.targets[0], host_key=pinned))
    explanation = result.hosts["host0"].explanation
    assert "changed: pinned" in explanation
    assert "offered a key of another type" in explanation


def test_passwords_work_without_sshpass_and_never_show(
    case: Case, farm: SshFarm, user: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "the-portals-secret-key")
    monkeypatch.setenv("DATABASE_URL", "postgres://u:the-portals-secret-key@db/x")
    target = farm.target(farm.hosts[0], login=user)
    password = user.password or "?"
    secrets = Canaries()
    secrets.add("password of the login", password)
    secrets.add("the portal's secret key", "the-portals-secret-key")
    text = (
        "- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - command: id -un\n"
        "    - debug: msg=\"{{ lookup('pipe', 'env') }} pw {{ ansible_password }}\"\n"
        "    - command: env\n      delegate_to: localhost\n"
        "      vars: {ansible_connection: local}\n      register: here\n"
        "    - debug: var=here.stdout\n"
    )
    with watched(secrets) as seen:
        result = case.playbook(text, [target])
    assert result.status == "ok", case.text()
    assert "ANSIBLE_HOME" in case.text()
    assert "pw ••••" in case.text()
    assert passing_password(password) == []
    assert any("ansible-playbook" in line for line in seen.lines)
    assert seen.leaks == set()
    assert secrets.found_in(case.text().encode()) == set()
    assert "DATABASE_URL" not in case.text()


def test_a_wrong_password_and_a_locked_key_are_unreachable(
    case: Case, farm: SshFarm, user: Login, tmp_path: Path
) -> None:
    wrong = farm.target(farm.hosts[0], login=replace(user, password="wrong-wrong"))
    key = make_key(tmp_path / "key", "ed25519", "right").read_text()
    locked = farm.target(
        farm.hosts[1], login=Login("root", private_key=key, passphrase="left")
    )
    result = case.module("command", "id", wrong, locked)
    assert result.status == "unreachable"
    assert "Permission denied" in result.hosts["host0"].explanation
    assert "its passphrase is wrong" in result.hosts["host1"].explanation


def test_a_key_with_passphrase_signs_in_and_shows_nowhere(
    case: Case, farm: SshFarm, tmp_path: Path
) -> None:
    key = make_key(tmp_path / "key", "rsa", "open sesame")
    farm.authorize(key)
    login = farm.login(
        private_key=key.read_text(),
        passphrase="open sesame",
        become_password="become sesame",
    )
    secrets = Canaries()
    for name in ("private_key", "passphrase", "become_password"):
        secrets.add(name, getattr(login, name))
    with watched(secrets) as seen:
        result = case.module("command", "id", farm.target(farm.hosts[0], login=login))
    assert result.status == "ok", case.text()
    assert any("ansible-playbook" in line for line in seen.lines)
    assert seen.leaks == set()
    assert secrets.found_in(case.text().encode()) == set()
