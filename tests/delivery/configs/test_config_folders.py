"""What root does in folders of the application: no link laid there leads it elsewhere, and nothing with secrets is left behind."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.delivery.configs.program_things import MARK, OWN, run, shell, values_of

__all__ = ["shell"]
Shell = tuple[str, ...]
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has other users")


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    """A folder that belongs to the application."""
    folder = tmp_path / "etc"
    folder.mkdir()
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    return folder


def _said(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    lines = [line for line in done.stdout.splitlines() if MARK in line]
    return dict(line.removeprefix(f"@{MARK} ").split(" ", 1) for line in lines)


def _reading(file: Path, **more: str) -> dict[str, str]:
    return {
        "COUNT": "1",
        "BUDGET": "48000",
        "MOST": "100000",
        "MASK": "....",
        "0_PATH": str(file),
        "0_SHA": "0" * 64,
        "0_TEXT": "1",
        "SECRETS": "0",
    } | more


def test_links_of_names_that_root_uses_lead_it_nowhere(
    tmp_path: Path, shell: Shell, etc: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine\n")
    victim.chmod(0o600)
    (etc / "a.conf").write_text("old\n")
    for name in (
        ".adminset-reload-0",
        ".adminset-new-0",
        ".adminset-new-7-0",
        "a.conf.adminset-20260131-120000",
    ):
        (etc / name).symlink_to(victim)
    done = run(shell, "push", values_of(etc, {"a.conf": "new\n"}))
    assert done.returncode == 0, done.stderr
    assert (etc / "a.conf").read_text() == "new\n"
    assert victim.read_text() == "mine\n"
    assert (victim.stat().st_mode & 0o777, victim.stat().st_uid) == (
        0o600,
        os.geteuid(),
    )


@as_root
@pytest.mark.parametrize("kind", ["link", "folder"])
def test_a_folder_of_our_name_that_is_not_ours_is_not_used(
    tmp_path: Path, shell: Shell, etc: Path, kind: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if kind == "link":
        (etc / OWN).symlink_to(elsewhere)
    else:
        (etc / OWN).mkdir()
        os.chown(etc / OWN, NOBODY, NOBODY)
    done = run(shell, "push", values_of(etc, {"a.conf": "new\n"}))
    assert done.returncode == 74
    assert "no folder of our own" in _said(done)["f0"]
    assert list(elsewhere.iterdir()) == []
    assert not (etc / "a.conf").exists()


@as_root
def test_a_link_on_the_way_counts_only_where_nobody_else_can_lay_it(
    tmp_path: Path, shell: Shell, etc: Path
) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "a.conf").write_text("s3cret\n")
    (etc / "conf").symlink_to(target)
    done = run(shell, "push", values_of(etc / "conf", {"a.conf": "new\n"}))
    assert done.returncode == 74
    assert "link in a folder of somebody else" in _said(done)["f0"]
    assert (target / "a.conf").read_text() == "s3cret\n"
    read = run(shell, "read", _reading(etc / "conf" / "a.conf"))
    assert "link in a folder of somebody else" in _said(read)["f0"]
    assert set(_said(read)) == {"f0"}
    os.chown(etc, 0, 0)
    done = run(shell, "push", values_of(etc / "conf", {"a.conf": "new\n"}))
    assert done.returncode == 0, done.stderr
    assert (target / "a.conf").read_text() == "new\n"


def test_what_a_killed_push_left_with_secrets_is_gone_after_the_next_one(
    shell: Shell, etc: Path
) -> None:
    (etc / OWN).mkdir(mode=0o700)
    for left in (f"{OWN}/new-0", f"{OWN}/copy-0", ".adminset-new-0"):
        (etc / left).write_text("s3cret-word\n")
    (etc / "a.conf").write_text("other\n")
    (etc / "a.conf").chmod(0o640)
    # Nothing is to be done there now: it is cleared all the same.
    later = values_of(etc, {"a.conf": "other\n"})
    assert run(shell, "push", later).returncode == 0
    assert [path.name for path in etc.iterdir()] == ["a.conf"]


def test_only_the_newest_copies_of_a_former_file_stay_and_nobody_else_reads_them(
    shell: Shell, etc: Path
) -> None:
    for number in range(8):
        values = values_of(etc, {"a.conf": f"text {number}\n"})
        values |= {"0_STAMP": f"20260131-12000{number}", "KEEP": "3"}
        assert run(shell, "push", values).returncode == 0
    kept = sorted(path.name for path in (etc / OWN).iterdir())
    assert kept == [f"a.conf.20260131-12000{number}" for number in (5, 6, 7)]
    assert (etc / OWN / kept[-1]).read_text() == "text 6\n"
    assert (etc / OWN).stat().st_mode & 0o777 == 0o700
    assert {path.name for path in etc.iterdir()} == {"a.conf", OWN}


def test_no_text_is_sent_of_what_no_push_put_there(
    tmp_path: Path, shell: Shell
) -> None:
    file = tmp_path / "shadow"
    file.write_text("root:x\n")
    said = _said(run(shell, "read", _reading(file, **{"0_TEXT": ""})))
    assert (said["f0"], said["t0"]) == ("d", "new")
    assert "c0.0" not in said
    assert "c0.0" in _said(run(shell, "read", _reading(file)))


def test_a_file_that_cannot_be_opened_is_said_and_ends_nothing(
    tmp_path: Path, shell: Shell
) -> None:
    values = _reading(tmp_path / "gone") | {"COUNT": "2"}
    values |= {"1_PATH": str(tmp_path), "1_SHA": "0" * 64}
    done = run(shell, "read", values)
    assert done.returncode == 0
    assert _said(done)["f0"] == "m"
    assert _said(done)["f1"].startswith("x something else")
