"""What hosts send is hostile text: every fault has a status, a place and a sentence."""

import gzip

import pytest

from adminset.errors import DomainError
from monitor.intake import (
    Limits,
    inflate,
    parse_metrics,
    refused_by_time,
)
from tests.monitor.bodies import (
    LIMITS,
    NOW,
    VALUES,
    batch,
    refused,
    sample,
)


def test_a_good_batch_is_read() -> None:
    report = parse_metrics(batch(sample(), sample(seq=2)), LIMITS, NOW)
    assert [item.seq for item in report.samples] == [1, 2]
    assert report.samples[0].sample.values == VALUES
    assert report.samples[0].refused == ""
    assert report.sent_at == NOW


def test_so_many_different_lists_of_metrics_a_batch_may_have() -> None:
    limits = Limits(shapes=2)
    names = ["a.b", "a.c", "a.b", "a.d", "a.c", "a.e"]
    sent = [sample(seq=n, values={name: 1.0}) for n, name in enumerate(names)]
    report = parse_metrics(batch(*sent), limits, NOW)
    refused = [item.seq for item in report.samples if item.refused]
    assert refused == [3, 5]
    assert "more than 2 different lists" in report.samples[3].refused


def test_fields_of_a_newer_agent_are_ignored() -> None:
    report = parse_metrics(batch(sample(extra={"a": [1]}), more=1), LIMITS, NOW)
    assert len(report.samples) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"hello",
        b"{",
        b'{"a":1}}',
        b"\xff\xfe{",
        b'{"sent_at": 1',
        b"[" * 9,
    ],
)
def test_what_is_not_json_is_400(body: bytes) -> None:
    assert refused(body).status == 400


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"[]", "body"),
        (b"{}", "body"),
        (batch(sent_at="now"), "sent_at"),
        (batch(samples=7), "samples"),
        (batch(sample(), sample(time="x")), "samples[1].time"),
        (batch(sample(seq=-1)), "samples[0].seq"),
        (batch(sample(seq=True)), "samples[0].seq"),
        (batch(sample(values=[1])), "samples[0].values"),
        (batch(sample(values={"a": 1, "b": "2"})), "samples[0].values[b]"),
        (batch(sample(values={"a": 1, "b": True})), "samples[0].values[b]"),
        (batch(sample(values={"a": None})), "samples[0].values[a]"),
        (batch(sample(values={"a": float("nan")})), "samples[0].values[a]"),
        (batch(sample(values={"a": float("-inf")})), "samples[0].values[a]"),
        (batch(sample(values={"a": 10**400})), "samples[0].values[a]"),
        (
            batch(sample()).replace(b"3.25", b"1e999"),
            "samples[0].values[cpu.busy_percent]",
        ),
        (batch(boot_id=3), "boot_id"),
        (batch(clock="b"), "clock"),
        (batch(clock_offset=-1e300), "clock_offset"),
    ],
)
def test_a_wrong_field_is_422_and_named(body: bytes, path: str) -> None:
    error = refused(body)
    assert (error.status, error.code) == (422, "invalid")
    assert list(error.fields) == [path]


@pytest.mark.parametrize("off", [-365 * 86400, -3601, 3601, 365 * 86400])
def test_a_clock_that_is_off_is_said_so(off: float) -> None:
    error = refused(batch(sample(), sent_at=NOW + off))
    assert (error.status, error.code) == (422, "clock_skew")
    assert "sent_at" in error.fields
    assert ("ahead" if off > 0 else "behind") in str(error)


@pytest.mark.parametrize("offset", [-40 * 86400, -3700, 3700])
def test_an_agent_that_says_so_of_its_own_clock_is_not_believed(offset: float) -> None:
    error = refused(batch(sample(), clock_offset=offset))
    assert (error.status, error.code) == (422, "clock_skew")
    assert ("ahead" if offset < 0 else "behind") in str(error)


@pytest.mark.parametrize(
    "name", ["CPU", "a\n", "a|", "a|x\x1b[2J", "a|" + "x" * 201, "$where", ""]
)
def test_a_value_without_a_metrics_name_is_dropped_by_itself(name: str) -> None:
    report = parse_metrics(batch(sample(values={**VALUES, name: 1})), LIMITS, NOW)
    assert report.samples[0].sample.values == VALUES
    assert report.samples[0].refused == ""
    assert report.dropped.left_out == {"names": 1}


@pytest.mark.parametrize(
    ("moment", "word"),
    [
        (NOW - 8 * 86400, "older"),
        (-1e300, "older"),
        (NOW + 71, "future"),
        (1e300, "future"),
        (NOW - 6 * 86400, ""),
        (NOW + 69, ""),
    ],
)
def test_a_time_that_was_put_right_is_judged(moment: float, word: str) -> None:
    said = refused_by_time(moment, LIMITS, NOW, 70)
    assert word in said
    assert bool(word) == bool(said)


def test_one_impossible_sample_does_not_spoil_its_batch() -> None:
    many = {f"x.m{i}": 1.0 for i in range(2001)}
    body = batch(
        sample(values={"CPU": 1}),
        sample(values={}),
        sample(values=many),
        sample(),
    )
    report = parse_metrics(body, LIMITS, NOW)
    words = [item.refused for item in report.samples]
    assert [bool(word) for word in words] == [True, True, True, False]


def test_too_many_samples_are_413() -> None:
    assert refused(batch(*[sample()] * 1001)).status == 413


def test_ten_megabytes_are_413() -> None:
    big = b'{"a":"' + b"x" * 10_000_000 + b'"}'
    with pytest.raises(DomainError) as caught:
        inflate(big, "", LIMITS)
    assert (caught.value.status, caught.value.code) == (413, "too_large")
    with pytest.raises(DomainError) as caught:
        inflate(gzip.compress(big, mtime=0), "gzip", LIMITS)
    assert caught.value.status == 413
