"""A real daemon on a real disk that fills up, or that can only be read: it goes on, and loses nothing that memory holds."""

import itertools
import subprocess

import pytest

from tests.small_disk import fill, small_disk


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "disk", "256k") as mounted:
        yield mounted


def remounted(disk, how):
    subprocess.run(["mount", "-o", "remount," + how, str(disk)], check=True)


def sent(portal):
    return sorted(moment for moment in portal.stored)


def test_a_disk_that_fills_up_costs_no_sample_and_is_used_again(
    portal, config, start_agent, disk, tmp_path, eventually, refusal
):
    spool = disk / "spool"
    start_agent(config._replace(spool_dir=str(spool)))
    portal.wait_for(lambda: len(portal.stored) >= 2)
    portal.answers["metrics"] = refusal(503, headers={"Retry-After": "1"})
    fill(disk)
    eventually(lambda: "event=spool_in_memory" in (tmp_path / "log").read_text())
    assert "[Errno 28]" in (tmp_path / "log").read_text()
    before = len(portal.named("metrics"))
    portal.wait_for(lambda: len(portal.named("metrics")) > before + 2, 20)
    portal.answers.clear()
    known = len(portal.stored)
    portal.wait_for(lambda: len(portal.stored) >= known + 5, 20)
    (disk / "ballast").unlink()
    eventually(lambda: "event=spool_on_disk_again" in (tmp_path / "log").read_text())
    text = (tmp_path / "log").read_text()
    assert text.count("event=spool_in_memory") == 1
    assert "Traceback" not in text
    # One each second: none is missing, though the disk and the portal were away at the same time.
    moments = sent(portal)
    steps = [after - before for before, after in itertools.pairwise(moments)]
    assert max(steps) < 2500, steps


def test_a_spool_that_can_only_be_read_does_not_keep_it_from_reporting(
    portal, config, start_agent, disk, tmp_path, eventually
):
    spool = disk / "spool"
    spool.mkdir()
    (spool / "000000000001.jsonl").write_text(
        '{"boot_id":"before","seq":7,"time":1700000000.5,"values":{"load.1":1}}\n'
    )
    remounted(disk, "ro")
    process = start_agent(config._replace(spool_dir=str(spool)))
    portal.wait_for(lambda: len(portal.stored) >= 4, 20)
    assert process.poll() is None
    log = tmp_path / "log"
    assert "Read-only file system" in log.read_text()
    # What a former agent left is sent although it cannot be deleted, and not again and again.
    portal.wait_for(lambda: 1_700_000_000_500 in portal.stored, 20)
    bodies = [payload for _name, _head, payload in portal.named("metrics")]
    old = [b for b in bodies if b["boot_id"] == "before"]
    assert len(old) == 1
    seqs = [s["seq"] for b in bodies if b["boot_id"] != "before" for s in b["samples"]]
    assert len(seqs) == len(set(seqs))
    remounted(disk, "rw")
    eventually(lambda: "event=spool_on_disk_again" in log.read_text())
    process.terminate()
    assert process.wait(10) == 0
    assert "Traceback" not in log.read_text()
