"""Shipped modules that only look, on a real host: what they show is what is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tasks.taskmodules.conftest import Result, Server

pytestmark = pytest.mark.django_db
Run = Callable[..., Result]


def test_the_five_lines_say_hello(run_module: Run) -> None:
    result = run_module("say-hello", who="'; id; $(id) `id`")
    assert (result.status, result.exit_code) == ("ok", 0)
    assert "Hello '; id; $(id) `id` from " in result.text
    assert result.run.task_module.name == "say-hello"
    assert result.run.title == "Say hello"


def test_the_release_of_the_operating_system(run_module: Run) -> None:
    result = run_module("os-release")
    assert result.status == "ok"
    assert Path("/etc/os-release").read_text().splitlines()[0] in result.text
    assert "Linux" in result.text


def test_the_kernels_modules(run_module: Run, server: Server) -> None:
    server.stand_in("lsmod", "Module Size Used by\next4 1 2\nnf_tables 3 4\nb\\x 1 1")
    assert "nf_tables 3 4" in run_module("kernel-modules").text
    only = run_module("kernel-modules", contains="ext").text
    assert "ext4 1 2" in only
    assert "nf_tables" not in only


def test_a_hostile_part_of_a_name_is_only_looked_for(
    run_module: Run, server: Server
) -> None:
    server.stand_in("lsmod", "ext4 1 2\nb\\x 1 1")
    assert "b\\x 1 1" in run_module("kernel-modules", contains="b\\x").text


def test_the_tail_of_the_system_log(run_module: Run, server: Server) -> None:
    server.stand_in("journalctl", "\n".join(f"line {n} -x" for n in range(100)))
    server.stand_in("dmesg", "kernel speaks")
    result = run_module("log-tail", source="unit", unit="ssh@1.service", lines=2)
    assert result.text.splitlines()[:2] == ["line 98 -x", "line 99 -x"]
    assert "--unit=ssh@1.service" in server.calls[-1]
    only = run_module("log-tail", source="unit", unit="ssh", contains="97 -x").text
    assert "line 97 -x" in only
    assert "line 98" not in only
    assert "kernel speaks" in run_module("log-tail", source="kernel").text
    assert run_module("log-tail", lines=1).status == "ok"


def test_the_last_logins(run_module: Run, server: Server) -> None:
    assert run_module("last-logins", lines=3).status == "ok"
    server.stand_in("last", "root pts/0")
    server.stand_in("lastb", "eve ssh")
    server.stand_in("journalctl", "sshd: Accepted publickey")
    assert "root pts/0" in run_module("last-logins", lines=7).text
    assert "eve ssh" in run_module("last-logins", kind="failed", lines=7).text
    assert server.calls == ["last -w -n 7", "lastb -w -n 7"]
    assert run_module("last-logins", kind="log", lines=7).status == "ok"


def test_a_configuration_is_shown(run_module: Run) -> None:
    path = Path("/etc/security/limits.conf")
    result = run_module("config-view", application="limits", file=str(path))
    assert path.read_text().splitlines()[0] in result.text
    plain = run_module(
        "config-view", application="sshd", file="/etc/ssh/sshd_config", plain=True
    )
    assert plain.status == "ok"
    assert "\n#" not in plain.text
    missing = run_module(
        "config-view", application="squid", file="/etc/squid/squid.conf"
    )
    assert missing.status == "failed"
    assert "No such file" in missing.text


def test_how_a_service_stands(run_module: Run, server: Server) -> None:
    server.stand_in("systemctl", "Active: active (running)")
    result = run_module("service-status", service="mysql")
    assert "Active: active (running)" in result.text
    assert server.calls[-1] == "systemctl --no-pager status -- mysqld"
    run_module("service-status", service="other", unit="app@1.service")
    assert server.calls[-1] == "systemctl --no-pager status -- app@1.service"


def test_a_service_of_a_host_without_systemd(run_module: Run, server: Server) -> None:
    server.stand_in("systemctl", "no manager", 1)
    server.stand_in("service", "sshd is running")
    result = run_module("service-status", service="ssh")
    assert result.status == "ok"
    assert server.calls[-1] == "service ssh status"
    none = run_module("service-status", service="squid")
    assert (none.status, none.exit_code) == ("failed", 5)
    assert "There is no service squid on this host." in none.text
