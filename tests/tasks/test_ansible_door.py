"""Ansible on real sshd servers: events, counts, and what cannot run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.ansible import PlayOptions, RunEvent, run_playbook
from tasks.targets import Login
from tests.farm import SshFarm, free_port, throw_away_user
from tests.tasks.doors import COMMAND, Case, clean_case


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


def test_a_playbook_runs_on_each_host_and_counts_its_tasks(case: Case) -> None:
    result = case.playbook(
        "- hosts: all\n  tasks:\n"
        "    - command: echo héllo 中文\n      register: said\n"
        "    - debug: var=said.stdout\n"
        "    - debug: msg=never\n      when: false\n"
    )
    assert (result.status, result.explanation) == ("ok", "2 hosts: 2 ok.")
    for target in case.targets:
        host = result.hosts[target.name]
        assert (host.ok, host.changed, host.failures, host.skipped) == (3, 1, 0, 1)
        assert (host.status, host.exit_code) == ("ok", 0)
        assert host.explanation == (
            f"All went well on {target.label}. Tasks: 3 ok, 1 changed, 1 skipped."
        )
    assert "héllo 中文" in case.text()
    assert "\r" not in case.text()
    assert "discovered Python interpreter" not in case.text()
    counters = [event.counter for event in case.events]
    assert counters == sorted(counters)
    changed = [event for event in case.events if event.status == "changed"]
    assert {(event.host, event.task) for event in changed} == {
        ("host0", "command"),
        ("host1", "command"),
    }


def test_a_module_runs_and_shows_its_output(case: Case) -> None:
    result = case.module("shell", "echo out-$((6*7)); exit 3")
    assert result.status == "failed"
    assert {host.exit_code for host in result.hosts.values()} == {3}
    host = result.hosts["host0"]
    assert "Task “shell” failed on host0" in host.explanation
    assert "non-zero return code" in host.explanation
    assert case.text().count("out-42") >= 2


def test_an_event_arrives_while_the_run_goes_on(case: Case) -> None:
    seen: list[float] = []

    def on_event(event: RunEvent) -> None:
        if event.kind == "runner_on_ok":
            seen.append(time.monotonic())

    text = (
        "- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - command: 'true'\n    - command: sleep 2\n"
    )
    one = case.targets[:1]
    run_playbook(one, text, case.options(), on_event=on_event)
    assert seen[-1] - seen[0] > 1.5


def test_one_host_fails_one_is_unreachable_one_is_well(
    case: Case, farm: SshFarm
) -> None:
    dead = replace(case.targets[0], name="dead", port=free_port("127.0.0.1"))
    text = COMMAND.format(command="test {{ inventory_hostname }} != host1")
    result = case.playbook(text, [*case.targets, dead])
    statuses = {name: host.status for name, host in result.hosts.items()}
    assert statuses == {"host0": "ok", "host1": "failed", "dead": "unreachable"}
    assert result.explanation == "3 hosts: 1 ok, 1 failed, 1 unreachable."
    assert "Connection refused" in result.hosts["dead"].explanation


def test_ignored_and_rescued_failures_are_no_failures(case: Case) -> None:
    result = case.playbook(
        "- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - command: 'false'\n      ignore_errors: true\n"
        "    - block: [{command: 'false'}]\n      rescue: [{debug: msg=saved}]\n"
    )
    assert result.status == "ok"
    assert {host.failures for host in result.hosts.values()} == {0}
    for host in result.hosts.values():
        assert (host.ignored, host.rescued) == (1, 1)
        assert "1 ignored, 1 rescued." in host.explanation


def test_check_mode_changes_nothing(case: Case, tmp_path: Path) -> None:
    text = (
        "- hosts: all\n  gather_facts: false\n  tasks:\n"
        f"    - file: path={tmp_path}/made state=touch\n"
    )
    result = case.playbook(text, play=PlayOptions(check=True))
    assert result.status == "ok"
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- hosts: [", "YAML parsing failed"),
        ("- hosts: all\n  tasks: [{no_such_module: x}]", "no_such_module"),
        ("- hosts: nobody\n  tasks: []", "addressed none of the chosen hosts"),
    ],
)
def test_a_playbook_that_cannot_run_says_why(case: Case, text: str, words: str) -> None:
    result = case.playbook(text)
    assert result.status == "failed"
    assert words in result.explanation
    assert str(case.root) not in result.explanation
    assert {host.status for host in result.hosts.values()} == {"not_started"}


def test_no_hosts_is_a_failure(case: Case) -> None:
    result = case.playbook(COMMAND.format(command="true"), [])
    assert (result.status, dict(result.hosts)) == ("failed", {})
