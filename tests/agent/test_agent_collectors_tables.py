"""Lists: processes, units, containers, sensors, cards, disks' health, ports, users."""

import os
import threading
from collections import namedtuple
from pathlib import Path

import psutil
import pytest

from agent import programs
from agent.chores import chores
from agent.collectors import (
    gpus,
    ports,
    processes,
    sensors,
    smart,
    units,
    users,
)
from agent.tables import Background, Chore, Found, table

CAPTURED = Path(__file__).resolve().parent / "captured"
Sensor = namedtuple("Sensor", "label current")
Battery = namedtuple("Battery", "percent power_plugged")


@pytest.fixture
def program(monkeypatch):
    """A program that is there and prints a captured text; notes how it was called."""
    calls = []

    def install(answers):
        def output(path, arguments, seconds):
            calls.append((path, arguments))
            for word, name in answers.items():
                if word in arguments or word == "":
                    return (CAPTURED / name).read_text()
            raise AssertionError(arguments)

        monkeypatch.setattr(programs, "find", lambda name: "/usr/bin/" + name)
        monkeypatch.setattr(programs, "output", output)
        return calls

    return install


def rows(found):
    (only,) = found.tables
    return [dict(zip(only["columns"], row, strict=True)) for row in only["rows"]]


def test_the_processes_with_most_cpu_and_memory_are_listed(monkeypatch):
    scanner = processes.Scanner()
    scanner.collect()
    end = threading.Event()
    threading.Timer(0.2, end.set).start()
    while not end.is_set():
        pass
    found = scanner.collect()
    mine = [row for row in rows(found) if row["pid"] == os.getpid()]
    assert mine[0]["cpu_percent"] > 5
    assert mine[0]["memory_bytes"] > 1 << 20
    assert mine[0]["user"]
    assert len(rows(found)) <= 2 * processes.MOST
    assert found.tables[0]["left_out"] == len(scanner.seconds) - len(rows(found))


def test_a_process_that_ends_meanwhile_is_left_out(monkeypatch):
    class Gone:
        pid = 7

        def oneshot(self):
            raise psutil.NoSuchProcess(7)

    monkeypatch.setattr(psutil, "process_iter", lambda: [Gone()])
    assert rows(processes.Scanner().collect()) == []


def test_failed_units_come_first_and_are_counted(program):
    calls = program({"": "systemctl.txt"})
    found = units.collect()
    assert [row["name"] for row in rows(found)] == [
        "backup.service",
        "web.service",
        "ssh.service",
    ]
    assert found.values == {"units.active": 1, "units.failed": 1}
    assert calls[0][0] == "/usr/bin/systemctl"


def test_a_host_without_systemd_has_no_units(monkeypatch):
    monkeypatch.setattr(programs, "find", lambda name: None)
    assert units.collect() == gpus.collect() == smart.collect() == Found()


def test_a_program_is_ended_when_it_takes_too_long():
    with pytest.raises(TimeoutError):
        programs.output("/bin/sleep", ["5"], 0.1)
    assert programs.find("no-such-program") is None
    assert programs.output("/bin/echo", ["$HOME; ls"], 5.0) == "$HOME; ls\n"


def test_sensors_fans_and_battery_are_values_and_rows(monkeypatch):
    chips = {"coretemp": [Sensor("Core 0", 50.0), Sensor("Core 0", 55.0)]}
    chips["broken"] = [Sensor("", -273.0)]
    fans = {"nct": [Sensor("fan1", 900)]}
    monkeypatch.setattr(psutil, "sensors_temperatures", lambda: chips, raising=False)
    monkeypatch.setattr(psutil, "sensors_fans", lambda: fans, raising=False)
    charge = Battery(80.04, True)
    monkeypatch.setattr(psutil, "sensors_battery", lambda: charge, raising=False)
    found = sensors.collect()
    assert found.values == {
        "sensor.temperature_celsius|coretemp Core 0": 50.0,
        "sensor.temperature_celsius|coretemp Core 0 2": 55.0,
        "sensor.fan_rpm|nct fan1": 900,
        "battery.charge_percent": 80.0,
        "battery.on_mains": 1,
    }
    assert len(rows(found)) == 5


def test_a_system_without_sensors_has_no_table(monkeypatch):
    for name in ("temperatures", "fans", "battery"):
        monkeypatch.delattr(psutil, f"sensors_{name}", raising=False)
    found = sensors.collect()
    assert (list(found.tables), found.values) == ([], {})


def test_graphics_cards_are_read_and_what_they_do_not_say_is_missing(program):
    program({"": "nvidia-smi.csv"})
    found = gpus.collect()
    assert len(rows(found)) == 2
    card = "0 NVIDIA A100-SXM4-80GB"
    assert found.values[f"gpu.busy_percent|{card}"] == 87.0
    assert found.values[f"gpu.memory_used_bytes|{card}"] == 40000 << 20
    assert "gpu.power_watts|1 NVIDIA A100-SXM4-80GB" not in found.values


def test_disks_tell_of_their_health_where_that_is_allowed(program):
    calls = program(
        {
            "--scan": "smartctl_scan.json",
            "/dev/sda": "smartctl_sda.json",
            "/dev/nvme0": "smartctl_denied.json",
        }
    )
    found = smart.collect()
    assert rows(found) == [
        {
            "device": "sda",
            "healthy": False,
            "temperature": 41,
            "power_on_hours": 30123,
        }
    ]
    assert found.values["smart.healthy|sda"] == 0
    assert not any("../etc/passwd" in arguments for _, arguments in calls)


def test_an_old_smartctl_that_knows_no_json_says_nothing(program):
    program({"": "systemctl.txt"})
    assert list(smart.collect().tables) == []


def test_listening_ports_are_found_with_their_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(ports, "PROC", str(tmp_path))
    (tmp_path / "net").symlink_to(CAPTURED / "proc" / "net")
    (tmp_path / "42" / "fd").mkdir(parents=True)
    (tmp_path / "42" / "fd" / "3").symlink_to("socket:[1001]")
    (tmp_path / "42" / "comm").write_text("sshd\n")
    assert [tuple(each) for each in ports.listening()] == [
        ("tcp", "0.0.0.0", 22, "sshd"),  # noqa: S104
        ("tcp", "::1", 3306, ""),
        ("tcp", "127.0.0.1", 8080, ""),
        ("udp", "0.0.0.0", 68, ""),  # noqa: S104
    ]
    assert ports.recent() == ports.listening()


def test_users_without_a_shell_are_left_out(monkeypatch):
    monkeypatch.setattr(users, "PASSWD", str(CAPTURED / "passwd"))
    assert [tuple(user) for user in users.with_shell()] == [
        ("root", 0, "/bin/bash"),
        ("deploy", 1001, "/bin/zsh"),
        ("old", 1002, "/bin/sh"),
    ]


def test_one_chore_that_fails_does_not_stop_the_others(caplog):
    def broken():
        raise OSError("gone\x1b[2J")

    fine = Found([table("fine", ("a",), [("x\n",)])], {"a.b": 1}, {"fine": 2})
    work = [Chore("broken", 60, broken), Chore("fine", 60, lambda: fine)]
    background = Background("test", work)
    background.work()
    background.due["broken"] = 0.0
    background.work()
    assert caplog.text.count("chore_failed") == 1
    assert "\x1b" not in caplog.text
    assert background.values() == {"a.b": 1}
    assert background.left_out() == {"fine": 2}
    (waiting,) = background.undelivered()
    assert waiting["rows"] == [["x?"]]
    background.deliver([waiting])
    assert background.undelivered() == []
    assert background.values() == {"a.b": 1}


def test_a_table_is_cut_to_what_the_portal_takes():
    whole = table("x", ("n",), [(number,) for number in range(600)])
    assert (len(whole["rows"]), whole["left_out"]) == (500, 100)


def test_all_chores_run_on_this_machine_and_the_thread_ends(tmp_path):
    background = Background("test", chores(str(tmp_path), None))
    background.start()
    deadline = threading.Event()
    for _ in range(200):
        if len(background.found) == len(background.chores):
            break
        deadline.wait(0.05)
    background.stop()
    assert background.failing == {}
    names = {each["name"] for each in background.undelivered()}
    assert {"processes", "ports", "users"} <= names
    assert not background.is_alive()
