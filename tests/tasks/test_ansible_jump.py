"""Ansible through a jump host: two real sshd servers, both keys pinned."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tasks.ansible_stop import _is_way
from tasks.targets import Login
from tests.farm import SshFarm, make_key, throw_away_user
from tests.tasks.doors import COMMAND, Case, clean_case, remaining, sleeping


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshFarm]:
    with SshFarm(3, tmp_path_factory.mktemp("farm"), with_password=True) as made:
        yield made


@pytest.fixture(scope="module")
def user() -> Iterator[Login]:
    with throw_away_user() as (name, password):
        yield Login(name, password)


@pytest.fixture
def case(farm: SshFarm) -> Iterator[Case]:
    """Two hosts behind the third."""
    with clean_case(farm) as made:
        *behind, jump = made.targets
        made.targets = [replace(one, jump=jump) for one in behind]
        yield made


WHENCE = COMMAND.format(command="echo came-from $SSH_CONNECTION")


def _sessions(farm: SshFarm) -> int:
    """Count the connections that the jump host serves now."""
    return len(farm.hosts[2].children())


def test_hosts_are_reached_through_their_jump_host(case: Case, farm: SshFarm) -> None:
    seen: list[int] = []

    def look() -> bool:
        seen.append(_sessions(farm))
        return False

    text = WHENCE + "    - command: sleep 1\n    - debug: msg=done\n"
    result = case.playbook(text, cancelled=look)
    assert result.status == "ok", case.text()
    assert max(seen) > 0
    assert {host.status for host in result.hosts.values()} == {"ok"}


def test_a_jump_host_with_a_password_never_shows_it(
    case: Case, farm: SshFarm, user: Login
) -> None:
    jump = farm.target(farm.hosts[2], login=user, name="gate")
    inner = replace(user, password=user.password)
    targets = [
        replace(case.targets[0], jump=jump),
        replace(case.targets[1], jump=jump, login=inner),
    ]
    result = case.playbook(WHENCE, targets)
    assert result.status == "ok", case.text()
    assert user.password is not None
    assert user.password not in case.text() + repr(result)


def test_the_password_of_a_host_is_never_offered_to_its_jump_host(
    case: Case, farm: SshFarm, user: Login, tmp_path: Path
) -> None:
    stranger = make_key(tmp_path / "key").read_text()
    jump = farm.target(farm.hosts[2], login=Login(user.user, private_key=stranger))
    target = replace(case.targets[0], jump=jump, login=user)
    result = case.playbook(WHENCE, [target])
    host = result.hosts["host0"]
    assert host.status == "unreachable"
    assert jump.label in host.explanation
    assert "Permission denied" in host.explanation
    log = (farm.hosts[2].directory / "sshd.log").read_text()
    assert f"Accepted password for {user.user}" not in log


def test_a_jump_host_behind_another_works_too(case: Case, farm: SshFarm) -> None:
    first = farm.target(farm.hosts[1])
    second = replace(farm.target(farm.hosts[2]), jump=first)
    result = case.playbook(WHENCE, [replace(case.targets[0], jump=second)])
    assert result.status == "ok", case.text()


@pytest.mark.parametrize("change", ["unpinned", "changed", "address", "circle"])
def test_a_jump_host_that_is_not_the_accepted_one_is_refused(
    case: Case, farm: SshFarm, tmp_path: Path, change: str
) -> None:
    jump = farm.target(farm.hosts[2], name="gate")
    other = make_key(tmp_path / "other").with_name("other.pub").read_text()
    deep = jump
    for _ in range(5):
        deep = replace(jump, jump=deep)
    jump, words = {
        "unpinned": (replace(jump, host_key=None), "is not accepted yet"),
        "changed": (replace(jump, host_key=other), "The key of a jump host changed"),
        "address": (replace(jump, address="-oProxyCommand=x"), "nor an IP address"),
        "circle": (deep, "more than 4 jump hosts"),
    }[change]
    result = case.playbook(WHENCE, [replace(case.targets[0], jump=jump)])
    host = result.hosts["host0"]
    assert host.status == "unreachable"
    assert words in host.explanation
    assert "gate" in host.explanation


def test_cancel_reaches_the_hosts_behind_a_jump_host(case: Case) -> None:
    mark = str(time.monotonic_ns())
    text = COMMAND.format(command=f"(setsid sleep 300.{mark}); echo")
    result = case.playbook(text, cancelled=lambda: sleeping(mark))
    assert result.explanation == "Cancelled."
    assert remaining(mark) == []
    # With the command line in one look: a process may end while one looks at it.
    left = [one for one in psutil.process_iter(["cmdline"]) if _is_way(one)]
    lines = [" ".join(one.info["cmdline"] or []) for one in left]
    assert not [line for line in lines if str(case.root) in line]
