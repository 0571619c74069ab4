"""What is lost is counted and said: memory that is full, bounds, samples that nobody takes."""

import errno
import time

import pytest

from agent import spool as spools
from agent.segment import Segment
from tests.agent.shipping import left


def test_what_falls_off_the_memory_is_counted_and_said(
    spool, sample, monkeypatch, caplog
):
    def full(*_arguments):
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(Segment, "create", full)
    for number in range(spools.MEMORY_SAMPLES + 7):
        spool.append(sample(number))
    assert spool.count() == spools.MEMORY_SAMPLES
    assert spool.lost == 7
    assert caplog.text.count("event=spool_memory_full") == 1


def test_what_the_bounds_cost_is_counted(tmp_path, sample, monkeypatch):
    monkeypatch.setattr("agent.segment.SEGMENT_SAMPLES", 10)
    spool = spools.Spool(tmp_path / "small", 4000, 3600)
    for number in range(200):
        spool.append(sample(number, size=50))
    assert spool.count() + spool.lost == 200
    spool.close()


def test_what_the_portal_would_refuse_is_not_kept_for_it(
    shipper, spool, sample, portal, monkeypatch, caplog
):
    portal.settings["sample_age_seconds"] = 7200
    spool.max_age_seconds = 604800
    shipper.send_facts()
    spool.append(sample(1))
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 7100)
    spool.append(sample(2))
    assert left(spool) == [1, 2]
    spool.close()
    monkeypatch.setattr(time, "monotonic", lambda: now + 14400)
    spool.append(sample(3))
    assert left(spool) == [3]
    assert spool.lost == 2
    assert "event=spool_dropped_oldest bound=age_of_portal" in caplog.text


def test_a_segment_that_is_spoilt_goes_with_a_word(spool, sample, caplog):
    for number in (1, 2, 3):
        spool.append(sample(number))
    (segment,) = spool.segments
    lines = segment.path.read_bytes().splitlines(keepends=True)
    segment.path.write_bytes(b"\xff\n" + lines[1] + b"{\n")
    batch = spool.newest(200)
    assert [entry["seq"] for entry in batch.samples] == [2]
    spool.remove(batch, [2])
    assert spool.newest(200) is None
    assert not segment.path.exists()
    assert spool.lost == 2
    assert "event=spool_damaged" in caplog.text


@pytest.mark.parametrize("said", [0, -5, None, "x", True, float("nan")])
def test_a_portal_that_says_nonsense_empties_no_spool(spool, sample, said):
    spool.follow({"sample_age_seconds": said})
    spool.follow([said])
    spool.append(sample(1))
    assert spool.portal_age >= 3600
    assert left(spool) == [1]


def test_one_sample_that_cannot_be_taken_costs_no_other(shipper, spool, portal, sample):
    def take(payload):
        if any(entry["seq"] == 6 for entry in payload["samples"]):
            return 422, {}, {"error": {"code": "invalid", "message": "No."}}
        return portal.metrics(payload)

    portal.answers["metrics"] = take
    for number in range(1, 21):
        spool.append(sample(number, moment=float(number)))
    for _ in range(40):
        shipper.send_samples()
    assert left(spool) == []
    stored = sorted(entry["seq"] for _boot, entry in portal.stored.values())
    assert stored == [number for number in range(1, 21) if number != 6]
    assert spool.lost == 1
