"""The sending thread: what is kept, dropped, split and waited for."""

import pytest

from tests.agent.shipping import held, left, shipper_of, spool_of


def test_what_the_answer_names_leaves_the_spool(shipper, spool, portal, sample):
    answers = [
        {"seq": 1, "status": "stored"},
        {"seq": 2, "status": "duplicate"},
        {"seq": 3, "status": "refused", "message": "too old"},
        {"seq": 4, "status": "lost"},
        {"seq": 99, "status": "stored"},
        "nonsense",
    ]
    portal.answers["metrics"] = lambda payload: (200, {}, {"results": answers})
    for number in range(1, 6):
        spool.append(sample(number))
    shipper.send_samples()
    assert left(spool) == [4, 5]
    assert shipper.flush_wanted
    assert 0 < held(shipper) <= 1


def test_a_success_that_names_nothing_is_a_failure(shipper, spool, portal, sample):
    portal.answers["metrics"] = lambda payload: (200, {}, {"results": None})
    spool.append(sample(1))
    shipper.send_samples()
    assert left(spool) == [1]
    assert shipper.backoffs["metrics"].failures == 1


def test_what_an_agent_before_left_has_its_turn_however_fast_new_samples_come(
    config, background, portal, sample
):
    before = spool_of(config)
    before.append(sample(1, boot_id="old"))
    before.close()
    spool = spool_of(config)
    shipper = shipper_of(config, spool, background)
    told = []
    for number in range(2, 6):
        # One more before each request: the newest are never all sent.
        spool.append(sample(number))
        shipper.send_samples()
        told.append(portal.named("metrics")[-1][2]["boot_id"])
    shipper.sender.close()
    spool.close()
    assert told == ["boot", "old", "boot", "boot"]


def test_what_is_behind_and_fails_does_not_keep_the_newest_waiting(
    config, background, portal, sample, refusal
):
    before = spool_of(config)
    before.append(sample(1, boot_id="old"))
    before.close()
    spool = spool_of(config)
    shipper = shipper_of(config, spool, background)
    shipper.behind = True
    portal.answers["metrics"] = refusal(503)
    told = []
    for number in range(2, 4):
        spool.append(sample(number))
        shipper.send_samples()
        told.append(portal.named("metrics")[-1][2]["boot_id"])
    shipper.sender.close()
    spool.close()
    assert told == ["old", "boot"]


@pytest.mark.parametrize("status", [401, 403, 409])
def test_a_denied_agent_keeps_its_samples_and_is_silent(
    shipper, spool, portal, sample, refusal, status
):
    portal.answers["metrics"] = refusal(status)
    spool.append(sample(1))
    shipper.send_samples()
    assert left(spool) == [1]
    assert 299 < held(shipper) <= 600
    assert not shipper.may_speak()


@pytest.mark.parametrize("status", [400, 422])
def test_a_batch_that_can_never_be_taken_is_dropped(
    shipper, spool, portal, sample, refusal, status
):
    portal.answers["metrics"] = refusal(status)
    spool.append(sample(1))
    shipper.send_samples()
    assert left(spool) == []


def test_a_large_batch_is_halved_until_it_fits(shipper, spool, portal, sample):
    def small_only(payload):
        fits = len(payload["samples"]) <= 2
        return portal.metrics(payload) if fits else (413, {}, {})

    portal.answers["metrics"] = small_only
    for number in range(1, 9):
        spool.append(sample(number, moment=float(number)))
    for _ in range(20):
        shipper.send_samples()
    assert left(spool) == []
    assert len(portal.stored) == 8


def test_a_single_sample_that_is_too_large_is_dropped(
    shipper, spool, portal, sample, refusal
):
    portal.answers["metrics"] = refusal(413)
    spool.append(sample(1))
    shipper.send_samples()
    assert left(spool) == []


def test_a_clock_that_is_off_keeps_the_samples(shipper, spool, portal, sample):
    error = {"error": {"code": "clock_skew", "message": "Set the clock."}}
    portal.answers["metrics"] = lambda payload: (422, {}, error)
    spool.append(sample(1))
    shipper.send_samples()
    assert left(spool) == [1]
    assert held(shipper) > 59


def test_retry_after_is_kept_and_a_little_more(shipper, spool, portal, sample, refusal):
    portal.answers["metrics"] = refusal(503, headers={"Retry-After": "40"})
    spool.append(sample(1))
    shipper.send_samples()
    assert left(spool) == [1]
    assert 39 < held(shipper) <= 45


def test_the_pace_follows_the_portal(shipper, portal):
    portal.settings = {"sample_seconds": 2, "flush_seconds": 1e9, "facts_seconds": "x"}
    shipper.send_facts()
    pace = shipper.pace
    assert (pace.sample_seconds, pace.flush_seconds, pace.facts_seconds) == (
        2,
        86400,
        3600,
    )
    assert pace.changed.is_set()


def test_facts_go_when_they_change_and_not_otherwise(shipper, portal):
    shipper.send_facts()
    shipper.content["booted_at"] = 2
    shipper.reporting.gather = lambda wanted: {
        "facts": {"hostname": "h", "booted_at": 2}
    }
    shipper.send_facts()
    assert len(portal.named("facts")) == 1
    shipper.reporting.gather = lambda wanted: {"facts": {"hostname": "other"}}
    shipper.send_facts()
    assert len(portal.named("facts")) == 2
    shipper.reporting.sent_at -= 3601
    shipper.send_facts()
    assert len(portal.named("facts")) == 3


def test_failing_facts_do_not_hold_the_samples(shipper, spool, portal, sample, refusal):
    portal.answers["facts"] = refusal(500)
    spool.append(sample(1))
    shipper.work()
    assert left(spool) == []
    assert len(portal.named("facts")) == 1


def test_facts_that_cannot_be_gathered_do_not_hold_the_samples(shipper, spool, sample):
    def broken(wanted):
        raise OSError("no /proc")

    shipper.reporting.gather = broken
    spool.append(sample(1))
    shipper.work()
    assert left(spool) == []
