"""Runs the programs of pushes by themselves, in the shells that hosts have."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from delivery.configs.programs import program

SHELLS = {"dash": ("/bin/sh",), "busybox": ("busybox", "sh")}
MARK = "0123456789abcdef0123456789abcdef"
OWN = ".adminset-config"


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Each of the shells that a host may have."""
    words = SHELLS[request.param]
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is missing")
    return words


def values_of(folder: Path, texts: dict[str, str]) -> dict[str, str]:
    """Give what the portal would send with files for a folder, by name, as the program reads it."""
    values = {
        "COUNT": str(len(texts)),
        "SECONDS": "20",
        "RELOADS": "1",
        "KEEP": "5",
        "R0": f"echo x >>{folder}/../reloads",
    }
    for number, (name, text) in enumerate(texts.items()):
        done = subprocess.run(
            ["sha256sum"], input=text.encode(), capture_output=True, check=True
        )
        values |= {
            f"{number}_PATH": str(folder / name),
            f"{number}_KEY": str(number),
            f"{number}_OWNER": "",
            f"{number}_GROUP": "",
            f"{number}_MODE": "0640",
            f"{number}_STAMP": "20260131-120000",
            f"{number}_VALIDATE": 'test -s "$1"',
            f"{number}_RELOAD": "0",
            f"{number}_SHA": done.stdout.split()[0].decode(),
            f"{number}_PARTS": "1",
            f"{number}_T0": text,
        }
    return values


def run(
    shell: tuple[str, ...], name: str, values: dict[str, str], **more: str
) -> subprocess.CompletedProcess[str]:
    """Run a program, push or read, in a shell of this machine."""
    named = {f"CFG_{key}": value for key, value in values.items()}
    whole = {
        "PATH": os.environ["PATH"],
        "AS_MARK": MARK,
        "CFG_NAMES": " ".join(values),
        **named,
        **more,
    }
    return subprocess.run(
        [*shell, "-c", program(name)],
        env=whole,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
