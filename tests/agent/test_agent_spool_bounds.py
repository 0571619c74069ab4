"""The spool's bounds: thinned before it is dropped, whatever the clock and the disk do meanwhile."""

import errno
import json
import os
import time
from pathlib import Path

import pytest

from agent import segment as segments
from agent.segment import THINNED
from agent.spool import Spool


@pytest.fixture
def make_spool(tmp_path, monkeypatch):
    monkeypatch.setattr(segments, "SEGMENT_SAMPLES", 10)
    opened = []

    def make(max_bytes=1 << 20, max_age_seconds=3600):
        opened.append(Spool(tmp_path / "spool", max_bytes, max_age_seconds))
        return opened[-1]

    yield make
    for spool in opened:
        spool.close()


@pytest.fixture
def full(make_spool, sample):
    """A spool whose bounds were passed a while ago: 200 samples where 100 have room."""
    size = len(json.dumps(sample(100, size=90), separators=(",", ":"))) + 1
    spool = make_spool(max_bytes=100 * size)
    for number in range(1, 201):
        spool.append(sample(number, size=90))
    return spool


def waiting(spool):
    return [entry["seq"] for each in spool.segments for entry in each.waiting()]


def test_the_newer_half_is_whole_and_the_older_one_has_every_second(full):
    left = waiting(full)
    assert full.count() == len(left)
    assert full._bytes() <= full.max_bytes
    whole = [number for number in left if number - 1 in left]
    assert min(whole) <= 150
    assert left[-50:] == list(range(151, 201))
    older = [number for number in left if number < min(whole) - 1]
    assert all(number % 2 == 0 for number in older)
    assert left[0] < 100


def test_a_restart_remembers_what_was_thinned(full, make_spool):
    before, thinned = waiting(full), [each.thinned for each in full.segments]
    full.close()
    again = make_spool(max_bytes=full.max_bytes)
    assert waiting(again) == before
    assert [each.thinned for each in again.segments] == thinned
    assert any(thinned)
    assert again.count() == len(before)
    assert again._bytes() == full._bytes()


def test_a_thinned_file_that_is_damaged_costs_its_tail_only(full, make_spool):
    first = next(each for each in full.segments if each.thinned)
    kept = [entry["seq"] for entry in first.waiting()]
    full.close()
    path = Path(first.path)
    assert path.read_bytes().startswith(THINNED)
    path.write_bytes(path.read_bytes()[:-20] + b"\xff\xfe")
    again = make_spool(max_bytes=full.max_bytes)
    seqs = [entry["seq"] for entry in again.segments[0].waiting()]
    assert seqs == kept[:-1]


def test_thinning_keeps_what_was_sent_away(make_spool, sample):
    spool = make_spool()
    for number in range(1, 21):
        spool.append(sample(number))
    newest = spool.newest(200)
    older = spool.segments[0]
    older.done = {("boot", number) for number in range(1, 7)}
    older.thin()
    assert waiting(spool)[:2] == [8, 10]
    assert older.left() == 2
    spool.remove(newest, range(11, 21))
    assert spool.count() == 2


def test_a_file_keeps_its_age_when_it_is_thinned(full):
    first = full.segments[0]
    os.utime(str(first.path), (1_600_000_000, 1_600_000_000))
    written = first.written
    first.thin()
    assert first.path.stat().st_mtime == 1_600_000_000
    assert first.written == written
    assert first.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_lets_nothing_be_rewritten_loses_the_oldest_only(
    make_spool, sample, monkeypatch, code
):
    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(segments, "write_private", refuse)
    spool = make_spool(max_bytes=6000)
    for number in range(1, 201):
        spool.append(sample(number))
    left = waiting(spool)
    assert left == list(range(left[0], 201))
    assert spool._bytes() <= 6000


def test_a_draft_that_a_crash_left_is_cleared_away(make_spool, sample, tmp_path):
    (tmp_path / "spool").mkdir()
    draft = tmp_path / "spool" / "000000000001.jsonl.new"
    draft.write_bytes(THINNED)
    make_spool()
    assert not draft.exists()


@pytest.mark.parametrize("step", [400 * 86400, -400 * 86400])
def test_a_step_of_the_clock_drops_nothing(make_spool, sample, monkeypatch, step):
    spool = make_spool()
    spool.append(sample(1))
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + step)
    for number in range(2, 30):
        spool.append(sample(number))
    assert waiting(spool) == list(range(1, 30))


def test_age_counts_by_the_steady_clock(make_spool, sample, monkeypatch):
    spool = make_spool(max_age_seconds=3600)
    for number in range(1, 11):
        spool.append(sample(number))
    real = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: real() + 3601)
    spool.append(sample(11))
    assert waiting(spool) == [11]
