"""The spool: durable, bounded, and patient with damage."""

import errno
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent import segment as segments
from agent import spool as spools
from agent.errors import ConfigError
from agent.sequence import Sequence
from agent.spool import Spool
from tests.small_disk import small_disk

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spool"


@pytest.fixture
def make_spool(folder):
    opened = []

    def make(max_bytes=1 << 20, max_age_seconds=3600, where=folder):
        opened.append(Spool(where, max_bytes, max_age_seconds))
        return opened[-1]

    yield make
    for spool in opened:
        spool.close()


def seqs(batch):
    return [entry["seq"] for entry in batch.samples]


def everything(spool):
    found = []
    while True:
        batch = spool.newest(200)
        if batch is None:
            return sorted(found)
        found += seqs(batch)
        spool.remove(batch, seqs(batch))


def test_a_sample_stays_until_it_is_removed(make_spool, sample, folder):
    spool = make_spool()
    for number in (1, 2, 3):
        spool.append(sample(number))
    batch = spool.newest(200)
    assert seqs(batch) == [1, 2, 3]
    spool.remove(batch, [1, 3])
    assert seqs(spool.newest(200)) == [2]
    spool.remove(batch, [2])
    assert spool.newest(200) is None
    assert not list(folder.glob("*.jsonl"))


def test_a_restart_finds_every_sample_again(make_spool, sample):
    first = make_spool()
    first.append(sample(1, boot_id="old"))
    first.close()
    second = make_spool()
    second.append(sample(1, boot_id="new"))
    newest = second.newest(200)
    assert newest.boot_id == "new"
    second.remove(newest, [1])
    assert second.newest(200).boot_id == "old"


def test_what_is_behind_comes_before_what_the_sampler_adds_to(make_spool, sample):
    first = make_spool()
    first.append(sample(1, boot_id="old"))
    first.close()
    second = make_spool()
    second.append(sample(1, boot_id="new"))
    older = second.newest(200, behind=True)
    assert older.boot_id == "old"
    second.remove(older, [1])
    assert second.newest(200, behind=True).boot_id == "new"


def test_a_process_that_is_killed_loses_nothing_that_was_appended(
    make_spool, sample, folder
):
    code = (
        "import json, os, pathlib, sys; from agent.spool import Spool;"
        "spool = Spool(pathlib.Path(sys.argv[1]), 1 << 20, 3600);"
        "spool.append(json.loads(sys.argv[2])); os.kill(os.getpid(), 9)"
    )
    command = [sys.executable, "-c", code, str(folder), json.dumps(sample(1))]
    assert subprocess.run(command, cwd=str(ROOT), check=False).returncode == -9
    assert everything(make_spool()) == [1]


@pytest.mark.parametrize("tail", [b'{"boot_id":"b","se', b"\x00\xff\xfe", b"[1]\n{}\n"])
def test_a_damaged_tail_costs_itself_only(make_spool, sample, folder, tail):
    spool = make_spool()
    spool.append(sample(1))
    spool.close()
    (path,) = folder.glob("*.jsonl")
    path.write_bytes(path.read_bytes() + tail)
    again = make_spool()
    again.append(sample(2))
    assert everything(again) == [1, 2]
    assert not list(folder.glob("*.jsonl"))


def test_the_newest_come_first_in_bounded_batches(make_spool, sample, monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_SAMPLES", 10)
    spool = make_spool()
    for number in range(1, 36):
        spool.append(sample(number))
    assert seqs(spool.newest(200)) == [31, 32, 33, 34, 35]
    assert seqs(spool.newest(2)) == [34, 35]
    spool.remove(spool.newest(200), range(31, 36))
    assert seqs(spool.newest(200)) == list(range(21, 31))


def test_the_oldest_go_when_there_are_too_many_bytes(make_spool, sample, monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 2000)
    spool = make_spool(max_bytes=8000)
    for number in range(1, 101):
        spool.append(sample(number, size=100))
    files = list(spool.folder.glob("*.jsonl"))
    assert sum(path.stat().st_size for path in files) <= 8000
    left = everything(spool)
    gaps = {after - before for before, after in itertools.pairwise(left)}
    assert gaps <= {1, 2}
    assert 2 in gaps
    assert left[-10:] == list(range(91, 101))
    assert left[0] > 1


def test_the_old_go_when_they_are_too_old(make_spool, sample, folder):
    spool = make_spool()
    spool.append(sample(1))
    spool.close()
    (path,) = folder.glob("*.jsonl")
    os.utime(str(path), (time.time() - 7200, time.time() - 7200))
    again = make_spool()
    again.append(sample(2))
    assert everything(again) == [2]


def test_a_folder_that_cannot_be_made_leaves_memory_with_a_bound(
    make_spool, sample, tmp_path
):
    (tmp_path / "file").write_text("")
    spool = make_spool(where=tmp_path / "file" / "spool")
    for number in range(1, 301):
        spool.append(sample(number))
    left = everything(spool)
    assert len(left) == spools.MEMORY_SAMPLES
    assert left[-1] == 300


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_refuses_is_used_again_when_it_recovers(
    make_spool, sample, monkeypatch, folder, code
):
    spool = make_spool()
    spool.append(sample(1))
    real = os.write

    def refuse(descriptor, data):
        real(descriptor, data[:7])
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "write", refuse)
    spool.append(sample(2))
    spool.append(sample(3))
    assert not spool.on_disk
    monkeypatch.setattr(os, "write", real)
    spool.append(sample(4))
    assert spool.on_disk
    assert all(
        not path.read_bytes().startswith(b'{"boot_i{')
        for path in spool.folder.glob("*.jsonl")
    )
    assert everything(spool) == [1, 2, 3, 4]


def test_a_really_full_disk_does_not_stop_the_agent(make_spool, sample, tmp_path):
    with small_disk(tmp_path / "disk", "64k") as disk:
        spool = make_spool(where=disk / "spool")
        for number in range(1, 101):
            spool.append(sample(number, size=2000))
        assert not spool.on_disk
        assert everything(spool) == list(range(1, 101))


def test_a_file_that_cannot_be_read_for_a_moment_is_kept(
    make_spool, sample, monkeypatch
):
    spool = make_spool()
    for number in (1, 2, 3):
        spool.append(sample(number))
    real = Path.read_bytes

    def refused(path):
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(Path, "read_bytes", refused)
    assert spool.newest(10) is None
    monkeypatch.setattr(Path, "read_bytes", real)
    batch = spool.newest(10)
    monkeypatch.setattr(Path, "read_bytes", refused)
    spool.remove(batch, [1, 2, 3])
    assert len(spool.segments) == 1
    monkeypatch.setattr(Path, "read_bytes", real)
    assert spool.newest(10) is None
    assert spool.segments == []


def test_two_agents_cannot_share_a_spool(make_spool):
    make_spool()
    with pytest.raises(ConfigError, match="Another agent already uses the spool"):
        make_spool()


def test_sequence_numbers_are_never_used_twice_in_a_boot(tmp_path):
    path = tmp_path / "sequence.json"
    first = Sequence(path, "boot")
    used = [first.next() for _ in range(150)]
    again = Sequence(path, "boot")
    used += [again.next() for _ in range(150)]
    used += [first.next() for _ in range(150)]
    assert used[0] == 1
    assert len(set(used)) == 450
    assert Sequence(path, "another boot").next() == 1


def test_sequence_numbers_run_ahead_where_they_cannot_be_saved(tmp_path):
    first = Sequence(tmp_path / "missing" / "sequence.json", "boot")
    assert first.next() > 1
    assert first.next() < Sequence(tmp_path / "missing" / "s", "boot").next() + 10000


def test_a_damaged_sequence_file_is_replaced(tmp_path):
    path = tmp_path / "sequence.json"
    path.write_text("[nonsense")
    assert Sequence(path, "boot").next() == 1
    assert path.stat().st_mode & 0o777 == 0o600
