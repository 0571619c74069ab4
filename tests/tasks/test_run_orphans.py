"""What a lost worker left on this machine is ended before its part goes on."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from accounts.models import User
from tasks.services import reap
from tasks.services.claim import claim_run
from tasks.services.jobs import private_root
from tests.tasks.engine_things import FakeLane, a_run, go_on, lose

pytestmark = pytest.mark.django_db


def sleeper(home: Path) -> subprocess.Popen[bytes]:
    """Start a process whose home is a private directory."""
    home.mkdir(parents=True)
    (home / "inventory.json").write_text("secret")
    return subprocess.Popen(
        ["/bin/sleep", "300"], env={**os.environ, "HOME": str(home)}
    )


def test_orphans_of_a_part_are_ended_and_their_files_wiped(
    admin: User, fake_lane: FakeLane
) -> None:
    run, other = a_run(admin), a_run(admin)
    root = private_root(run.parts.get().pk)
    foreign = private_root(other.parts.get().pk) / "run-b"
    claim_run(pk=run.pk, worker="lost")
    ours, theirs = sleeper(root / "run-a"), sleeper(foreign)
    try:
        lose(run)
        reap.reap_lost()
        assert ours.poll() is None
        go_on(run)
        assert ours.wait(5) != 0
        assert not (root / "run-a").exists()
        assert theirs.poll() is None
        assert foreign.exists()
        assert run.status == "ok"
    finally:
        for process in (ours, theirs):
            process.kill()
            process.wait()
