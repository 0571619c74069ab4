"""The unit and the script that brings it: locked in, bounded, plain shell."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "agent" / "adminset-agent.service"
SCRIPT = ROOT / "agent" / "install.sh"
MOST_EXPOSURE = 20


def directives():
    lines = [line for line in UNIT.read_text().splitlines() if "=" in line]
    return [tuple(line.split("=", 1)) for line in lines if not line.startswith("#")]


@pytest.mark.parametrize(
    "wanted",
    [
        ("DynamicUser", "yes"),
        ("ProtectSystem", "strict"),
        ("NoNewPrivileges", "yes"),
        ("CapabilityBoundingSet", ""),
        ("AmbientCapabilities", ""),
        ("PrivateDevices", "yes"),
        ("StateDirectoryMode", "0700"),
        ("UMask", "0077"),
        ("RestrictNamespaces", "yes"),
    ],
)
def test_the_unit_locks_the_agent_in(wanted):
    assert wanted in directives()


def test_the_unit_bounds_memory_and_time():
    found = dict(directives())
    assert re.fullmatch(r"\d+M", found["MemoryMax"])
    assert int(found["MemoryMax"][:-1]) <= 128
    assert int(found["CPUQuota"].rstrip("%")) <= 20
    assert int(found["TimeoutStopSec"]) <= 5


def test_the_unit_copies_what_only_root_may_read(tmp_path):
    """Its own command, in another folder, with other sources."""
    command = dict(directives())["ExecStartPre"]
    script = re.fullmatch(r"-\+/bin/sh -c '(.*)'", command).group(1)
    script = script.replace("$$", "$").replace("/run/adminset-agent", str(tmp_path))
    source = tmp_path / "source"
    source.mkdir()
    (source / "product_uuid").write_text("4c4c\n")
    (tmp_path / "board_serial").write_text("of another boot\n")
    script = re.sub(r"/sys/(?:class/dmi/id|firmware/dmi/tables)", str(source), script)
    subprocess.run(["sh", "-c", script], check=True)
    assert (tmp_path / "product_uuid").read_text() == "4c4c\n"
    assert not (tmp_path / "board_serial").exists()
    assert not (tmp_path / "DMI").exists()


@pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd is not on this machine"
)
def test_systemd_itself_finds_little_exposure(tmp_path):
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text())
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager"]
    done = subprocess.run(
        [*command, f"--threshold={MOST_EXPOSURE}", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    if "Unknown" in done.stderr or "unrecognized" in done.stderr:
        pytest.skip("this systemd cannot judge a file")
    assert done.returncode == 0, done.stdout[-300:] + done.stderr


def test_the_script_is_plain_shell_and_all_of_it_is_in_functions():
    shells = [name for name in ("sh", "dash", "bash") if shutil.which(name)]
    for shell in shells:
        subprocess.run([shell, "-n", str(SCRIPT)], check=True)
    text = SCRIPT.read_text()
    assert text.startswith("#!/bin/sh\n")
    assert "\nset -eu\n" in text
    assert text.endswith('\nmain "$@"\n')
    assert not re.search(r"--token[ =]", text)
    outside = re.sub(r"^\w+\(\) \{\n.*?^\}\n", "", text, flags=re.M | re.S)
    lines = [line for line in outside.splitlines() if line and line[0] != "#"]
    assert lines[0] == "set -eu"
    assert lines[-1] == 'main "$@"'
    assert all(re.fullmatch(r"[A-Z0-9_]+=\S*", line) for line in lines[1:-1])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--nonsense"], "Unknown argument --nonsense"),
        (["--server"], "--server needs a value"),
        (["--ca-file", "/nowhere"], "The file /nowhere cannot be read"),
        (["--root", "/nowhere/a b"], "has characters that a configuration cannot hold"),
    ],
)
def test_a_wrong_argument_is_told_and_nothing_is_done(words, told):
    done = subprocess.run(
        ["sh", str(SCRIPT), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert told in done.stderr
