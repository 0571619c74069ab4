"""What goes along with samples, and what an answer brings besides."""

import time

import pytest

from tests.agent.shipping import held, left

TABLE = {"name": "units", "time": 1.0, "columns": ["name"], "rows": [["x"]]}


def test_tables_and_counts_go_along_once(shipper, spool, portal, sample, background):
    background.waiting = [TABLE]
    spool.append(sample(1))
    shipper.send_samples()
    spool.append(sample(2))
    shipper.send_samples()
    first, second = [entry[2] for entry in portal.named("metrics")]
    assert first["tables"] == [TABLE]
    assert first["left_out"] == {"mounts": 3, "containers": 2}
    assert "tables" not in second
    assert background.finished == [TABLE]


def test_tables_wait_while_the_portal_is_away(
    shipper, spool, portal, sample, background, refusal
):
    background.waiting = [TABLE]
    portal.answers["metrics"] = refusal(503)
    spool.append(sample(1))
    shipper.send_samples()
    assert background.waiting == [TABLE]
    assert shipper.failures == 1


@pytest.mark.parametrize("status", [400, 413, 422])
def test_tables_that_are_refused_cost_no_sample(
    shipper, spool, portal, sample, background, status
):
    def without_tables_only(payload):
        return (status, {}, {}) if "tables" in payload else portal.metrics(payload)

    background.waiting = [TABLE]
    portal.answers["metrics"] = without_tables_only
    spool.append(sample(1))
    shipper.send_samples()
    assert left(spool) == [1]
    assert 0 < held(shipper) <= 1
    shipper.send_samples()
    assert left(spool) == []
    assert len(portal.stored) == 1


def test_it_learns_the_portals_time_and_tells_its_offset(
    shipper, spool, portal, sample
):
    def ahead(payload):
        status, headers, body = portal.metrics(payload)
        return status, headers, dict(body, time=time.time() + 90, live={"seconds": 9})

    portal.answers["metrics"] = ahead
    for number in (1, 2):
        spool.append(sample(number))
        shipper.send_samples()
    first, second = [entry[2] for entry in portal.named("metrics")]
    assert "clock_offset" not in first
    assert second["clock_offset"] == pytest.approx(90, abs=1)
    assert shipper.pace.is_live(time.monotonic())


def test_many_refused_samples_are_one_line_of_the_log(
    shipper, spool, portal, sample, caplog
):
    def too_old(payload):
        entry = {"status": "refused", "message": "too old"}
        results = [dict(entry, seq=sent["seq"]) for sent in payload["samples"]]
        return 200, {}, {"results": results}

    portal.answers["metrics"] = too_old
    for number in range(1, 101):
        spool.append(sample(number))
    shipper.send_samples()
    lines = [entry for entry in caplog.messages if "sample_refused" in entry]
    assert lines == ['event=sample_refused count=100 message="too old"']
    assert left(spool) == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 422, 429, 418])
def test_no_4xx_makes_it_spin(shipper, spool, portal, sample, refusal, status):
    portal.answers = dict.fromkeys(("metrics", "facts"), refusal(status))
    began = time.monotonic()
    while time.monotonic() < began + 0.3:
        spool.append(sample(1, moment=time.time()))
        shipper.flush()
        shipper.work()
    asked = len(portal.requests)
    # The pauses are drawn by lot, and the first ones are short.
    assert asked <= (8 if status in (404, 405, 418, 429) else 2)
