"""`make soak deploys` in short: eight faults of eight kinds, with real workers that are killed; the long form makes all of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DEPLOYS = 8
SECONDS = 600


@pytest.mark.timeout(SECONDS)
def test_whatever_goes_wrong_every_host_has_a_whole_release_and_the_page_is_true() -> (
    None
):
    done = subprocess.run(
        [sys.executable, "-m", "tests.soaks.deploys"],
        cwd=ROOT,
        env=os.environ
        | {
            "ADMINSET_SOAK_DEPLOYS": str(DEPLOYS),
            "ADMINSET_SOAK_AT_ONCE": "4",
            "ADMINSET_SOAK_PARTS": "0",
        },
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    told = done.stdout[-4000:] + done.stderr[-4000:]
    assert "Nothing lost, nothing double." in done.stdout, told
    assert done.returncode == 0, told
    assert done.stdout.count(": well") == DEPLOYS, told
