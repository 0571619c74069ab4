"""What people may choose for an Ansible run: each option checked, each refusal with words."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adminset.errors import DomainError
from tasks.ansible_options import (
    PlayOptions,
    forks_for,
    mitogen_strategies,
    read_options,
    within,
)

HOSTS = ["web1", "web2", "db1"]


def test_all_options_are_read_and_become_words_of_their_own() -> None:
    options = read_options(
        {
            "check": True,
            "diff": True,
            "facts": False,
            "mitogen": False,
            "tags": "deploy, config",
            "skip_tags": ["slow"],
            "limit": "web*",
            "verbosity": 3,
            "start_at_task": "copy it; rm -rf /",
        },
        HOSTS,
    )
    assert options.limit == ("web*",)
    assert options.words() == [
        "--check",
        "--diff",
        "--tags=deploy,config",
        "--skip-tags=slow",
        "--start-at-task=copy it; rm -rf /",
        "-vvv",
    ]


def test_no_options_are_no_words() -> None:
    assert read_options({}) == PlayOptions()
    assert PlayOptions().words() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("check", "yes"),
        ("diff", 1),
        ("mitogen", None),
        ("facts", "no"),
        ("verbosity", 5),
        ("verbosity", -1),
        ("verbosity", True),
        ("verbosity", "2"),
        ("tags", {"a": 1}),
        ("tags", "--extra-vars=@/etc/passwd"),
        ("tags", ["-i", "x"]),
        ("tags", ["a,b"]),
        ("tags", ["{{ x }}"]),
        ("tags", ["a\nb"]),
        ("tags", ["a\x1b[2J"]),
        ("tags", [""]),
        ("tags", [7]),
        ("tags", ["x" * 201]),
        ("tags", ["x"] * 51),
        ("skip_tags", "-v"),
        ("start_at_task", "-x"),
        ("start_at_task", "a\0b"),
        ("start_at_task", "{% x %}"),
        ("start_at_task", ["a"]),
        ("limit", "other"),
        ("limit", "web1,other"),
        ("limit", "!web1"),
        ("limit", "web[12]"),
        ("limit", "@/etc/passwd"),
        ("limit", "all"),
        ("limit", "web1:&db1"),
        ("inventory", "/etc/passwd"),
        ("extra_vars", "x=1"),
        ("forks", 900),
    ],
)
def test_an_option_that_cannot_be_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(DomainError) as refused:
        read_options({name: value}, HOSTS)
    assert set(refused.value.fields) == {name}
    assert refused.value.message.endswith(".")


def test_a_limit_stays_open_where_the_hosts_are_not_known_yet() -> None:
    assert read_options({"limit": "web*"}).limit == ("web*",)
    assert within(["web*"], HOSTS) == ["web1", "web2"]
    assert within([], HOSTS) == HOSTS


def test_forks_are_the_least_of_four_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    def memory(megabytes: int) -> None:
        free = SimpleNamespace(available=megabytes * 2**20)
        monkeypatch.setattr("psutil.virtual_memory", lambda: free)

    memory(100_000)
    assert forks_for(20, 50, 100, 100) == 20
    assert forks_for(200, 50, 100, 100) == 50
    assert forks_for(20, 50, 3, 100) == 3
    memory(750)
    assert forks_for(20, 50, 100, 100) == 7
    memory(30)
    assert forks_for(20, 50, 100, 100) == 1


def test_mitogen_is_refused_where_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for configured in ("", str(tmp_path)):
        with pytest.raises(DomainError, match="Mitogen is not installed here"):
            mitogen_strategies(configured)
    (tmp_path / "mitogen_linear.py").touch()
    assert mitogen_strategies(str(tmp_path)) == str(tmp_path)
