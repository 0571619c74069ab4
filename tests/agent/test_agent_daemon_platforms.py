"""Where there is no Linux: no /proc, no /sys, none of the calls of Unix; what psutil gives remains."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent import files, identity, locks
from agent.spool import Spool

ROOT = Path(__file__).resolve().parents[2]
# psutil itself reads /proc here, as it would ask another kernel elsewhere.
STRANGE = """
import os, selectors, subprocess, sys
import psutil, psutil._pslinux, psutil._psposix

sys.modules["fcntl"] = None
for name in ("O_DIRECTORY", "O_NOFOLLOW", "fchown"):
    delattr(os, name)

def hide(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and isinstance(arguments[0], str):
        if arguments[0].startswith(("/proc", "/sys", "/etc/machine-id")):
            frame = sys._getframe(1)
            while frame is not None:
                if "psutil" in frame.f_code.co_filename:
                    return
                frame = frame.f_back
            raise FileNotFoundError(2, "not on this platform", arguments[0])

sys.addaudithook(hide)
from agent.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("words", [["--once"], []])
def test_without_linux_it_reports_what_psutil_gives(portal, config, environ, words):
    process = subprocess.Popen(
        [sys.executable, "-c", STRANGE, *words],
        env=environ(config),
        cwd=str(ROOT),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    portal.wait_for(lambda: len(portal.stored) >= 2, seconds=20)
    if not words:
        process.terminate()
    said = process.communicate(timeout=20)[1]
    assert process.returncode == 0, said
    assert "Traceback" not in said
    values = list(portal.stored.values())[-1][1]["values"]
    needed = {"cpu.busy_percent", "memory.used_percent", "fs.used_percent|/", "load.1"}
    assert needed <= set(values)
    assert not [name for name in values if name.startswith(("pressure.", "tcp."))]
    report = portal.named("facts")[0][2]
    assert report["identity"]["machine_id"] is None
    assert report["facts"]["memory_bytes"] > 0
    assert report["boot_id"].startswith("btime-")


def test_windows_tells_its_machine_id_hashed(monkeypatch):
    class Place:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    fake = SimpleNamespace(
        HKEY_LOCAL_MACHINE=1,
        OpenKey=lambda root, path: Place(),
        QueryValueEx=lambda place, name: ("0000-raw-guid", 1),
    )
    monkeypatch.setattr(identity, "winreg", fake)
    monkeypatch.setattr(identity, "MACHINE_ID", "/nowhere")
    found = identity.machine_id()
    assert len(found) == 64
    assert "raw-guid" not in found
    fake.OpenKey = lambda root, path: (_ for _ in ()).throw(OSError("no key"))
    assert identity.machine_id() is None


def test_windows_locks_the_spool_in_its_own_way(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(locks, "fcntl", None)
    fake = SimpleNamespace(LK_NBLCK=2, locking=lambda *words: asked.append(words[1:]))
    monkeypatch.setattr(locks, "msvcrt", fake)
    spool = Spool(tmp_path / "spool", 1 << 20, 60)
    spool.close()
    assert asked == [(2, 1)]


def test_private_files_are_written_where_owners_are_unknown(monkeypatch, tmp_path):
    monkeypatch.delattr(files.os, "fchown")
    monkeypatch.delattr(files.os, "O_DIRECTORY")
    files.write_private(tmp_path / "x", "text")
    assert (tmp_path / "x").read_text() == "text"
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o600
