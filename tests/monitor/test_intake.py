"""What hosts send is hostile text: every fault has a status, a place and a sentence."""

import gzip
import json
import random
import subprocess
import sys
import zlib
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adminset.errors import DomainError
from monitor.body import check_depth
from monitor.intake import (
    Limits,
    as_dict,
    inflate,
    parse_enrolment,
    parse_facts,
    parse_metrics,
)

NOW = 1_790_000_000.0
LIMITS = Limits()
VALUES = {"cpu.busy_percent": 3.25, "fs.used_bytes|/": 123456}


def batch(*samples: dict[str, Any], **fields: Any) -> bytes:
    body = {"boot_id": "b", "sent_at": NOW, "samples": list(samples), **fields}
    return json.dumps(body).encode()


def sample(**fields: Any) -> dict[str, Any]:
    return {"seq": 1, "time": NOW - 5, "values": VALUES, **fields}


def refused(body: bytes) -> DomainError:
    with pytest.raises(DomainError) as caught:
        parse_metrics(body, LIMITS, NOW)
    assert str(caught.value).endswith(".")
    assert caught.value.hint
    return caught.value


def test_a_good_batch_is_read() -> None:
    report = parse_metrics(batch(sample(), sample(seq=2)), LIMITS, NOW)
    assert [item.seq for item in report.samples] == [1, 2]
    assert report.samples[0].sample.values == VALUES
    assert report.samples[0].refused == ""
    assert report.sent_at == NOW


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
        (batch(sample(values={"CPU": 1})), "samples[0].values[CPU]"),
        (batch(sample(values={"a\n": 1})), "samples[0].values[a?]"),
        (batch(sample(values={"a|": 1})), "samples[0].values[a|]"),
        (batch(sample(values={"a|x\x1b[2J": 1})), "samples[0].values[a|x?[2J]"),
        (
            batch(sample(values={"a|" + "x" * 201: 1})),
            "samples[0].values[a|" + "x" * 78 + "]",
        ),
        (batch(sample(values={"$where": 1})), "samples[0].values[$where]"),
        (batch(sample(values={"": 1})), "samples[0].values[]"),
        (batch(boot_id=3), "boot_id"),
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


def test_one_impossible_sample_does_not_spoil_its_batch() -> None:
    many = {f"x.m{i}": 1.0 for i in range(2001)}
    body = batch(
        sample(time=NOW - 8 * 86400),
        sample(time=NOW + 7200),
        sample(values={}),
        sample(values=many),
        sample(),
    )
    report = parse_metrics(body, LIMITS, NOW)
    words = [item.refused for item in report.samples]
    assert [bool(word) for word in words] == [True, True, True, True, False]
    assert "older" in words[0]
    assert "future" in words[1]


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


def nested(depth: int) -> bytes:
    return (
        b'{"a":' * (depth // 2)
        + b"[" * (depth - depth // 2)
        + b"]" * (depth - depth // 2)
        + b"}" * (depth // 2)
    )


def test_deep_nesting_is_refused_before_it_is_parsed() -> None:
    check_depth(nested(20), 20)
    for depth in (21, 100, 200_000):
        assert refused(nested(depth)).code == "too_deep"
    assert refused(b"[" * 4_000_000).code == "too_deep"


def test_brackets_inside_texts_are_no_nesting() -> None:
    text = '[[{{\\"' * 50 + "\\\\"
    check_depth(f'{{"a": "{text}", "b": "]]]"}}'.encode(), 2)
    check_depth(b'{"a": [' + b"[1], {}, " * 1000 + b"[]]}", 3)
    with pytest.raises(DomainError):
        check_depth(b'{"a": "\\\\", "b": ' + b"[" * 20 + b"]" * 20 + b"}", 20)


@pytest.mark.parametrize(
    "body",
    [
        b'"' + b'\\"' * 2_000_000,
        b'"[' * 2_000_000,
        b"[]" * 2_000_000,
        b"[" * 15 + b"{}" * 2_000_000,
        b"]" * 4_000_000,
    ],
)
@pytest.mark.timeout(20)
def test_no_body_makes_the_depth_check_slow(body: bytes) -> None:
    said = "fits."
    try:
        check_depth(body, 20)
    except DomainError as error:
        said = error.message
    assert said.endswith(".")


def test_gzip_in_one_or_several_members_is_read() -> None:
    assert (
        inflate(
            gzip.compress(b"ab", mtime=0) + gzip.compress(b"c", mtime=0), "GZIP", LIMITS
        )
        == b"abc"
    )
    assert inflate(b"ab", "identity", LIMITS) == b"ab"
    just = b"x" * LIMITS.inflated_bytes
    assert inflate(gzip.compress(just, mtime=0), "gzip", LIMITS) == just


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"garbage", "gzip"),
        (b"", "gzip"),
        (gzip.compress(b"abc" * 99, mtime=0)[:-9], "gzip"),
        (gzip.compress(b"abc", mtime=0) + b"tail", "gzip"),
        (gzip.compress(b"", mtime=0) * 10_000, "gzip"),
        (gzip.compress(b"abc", mtime=0)[:-4] + b"xxxx", "gzip"),
        (zlib.compress(b"abc"), "deflate"),
        (b"{}", "br"),
        (b"{}", "gzip, gzip"),
    ],
)
def test_a_body_that_cannot_be_inflated_is_400(body: bytes, encoding: str) -> None:
    with pytest.raises(DomainError) as caught:
        inflate(body, encoding, LIMITS)
    assert (caught.value.status, caught.value.code) == (400, "bad_encoding")


BOMB = """
import resource, sys, time, zlib
from adminset.errors import DomainError
from monitor.intake import Limits, inflate
packer = zlib.compressobj(9, wbits=31)
zeros = bytes(16 << 20)
# Blocks that end in a full flush may be repeated.
first, again = (packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH) for _ in "ab")
bomb = first + again * 63
del zeros
limits = Limits(body_bytes=8 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begin = time.monotonic()
try:
    inflate(bomb, "gzip", limits)
except DomainError as error:
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(error.status, after - before, time.monotonic() - begin)
"""


def test_a_bomb_of_a_gibibyte_costs_little_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BOMB], capture_output=True, text=True, check=True
    )
    status, kibibytes, seconds = done.stdout.split()
    assert status == "413"
    assert int(kibibytes) < 32 * 1024
    assert float(seconds) < 1


FACTS = {
    "hostname": "web-1.example.org.",
    "primary_address": "fe80::1%eth0",
    "os_name": "Debian\x00\x1b[31m  GNU/Linux",
    "cpu_cores": 4,
    "memory_bytes": 8 << 30,
    "disks": [{"name": "sda", "size_bytes": 10**12, "rotational": False}],
    "nics": [
        {
            "name": "eth0",
            "mac": "AA-BB-CC-00-11-22",
            "speed_mbps": -1,
            "addresses": [{"address": "2001:DB8:0::1", "prefix": 64}],
        },
        {"name": "sit0", "mac": "00:00:00:00"},
    ],
    "kernel": "x" * 5000,
}
IDENTITY = {"machine_id": "AB" * 16, "macs": ["aabbcc001122", "AA:BB:CC:00:11:22"]}


def facts(**changes: Any) -> bytes:
    body = {"sent_at": NOW, "identity": IDENTITY, "facts": {**FACTS, **changes}}
    return json.dumps(body).encode()


def test_facts_are_cleaned() -> None:
    report = parse_facts(facts(unknown=1), LIMITS, NOW)
    found = report.facts
    assert found.hostname == "web-1.example.org"
    assert found.primary_address == "fe80::1"
    assert found.os_name == "Debian [31m GNU/Linux"
    assert found.kernel == "x" * 255
    assert found.nics
    assert found.nics[0].mac == "aa:bb:cc:00:11:22"
    assert found.nics[0].speed_mbps is None
    assert found.nics[0].addresses
    assert found.nics[0].addresses[0].address == "2001:db8::1"
    assert found.nics[1].mac is None
    assert report.identity.macs == ["aa:bb:cc:00:11:22"]
    assert report.identity.machine_id == "ab" * 16
    assert as_dict(found)["disks"][0]["size_bytes"] == 10**12


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"hostname": "a b"}, "facts.hostname"),
        ({"hostname": "<script>"}, "facts.hostname"),
        ({"hostname": "x" * 300}, "facts.hostname"),
        ({"hostname": "web\n"}, None),
        ({"primary_address": "1.2.3"}, "facts.primary_address"),
        ({"memory_bytes": -1}, "facts.memory_bytes"),
        ({"memory_bytes": 1 << 70}, "facts.memory_bytes"),
        ({"memory_bytes": "8G"}, "facts.memory_bytes"),
        ({"disks": {}}, "facts.disks"),
        ({"disks": [{}]}, "facts.disks[0]"),
        ({"nics": [{"name": "a"}, {"name": "b", "mac": "zz"}]}, "facts.nics[1].mac"),
        (
            {"nics": [{"name": "a", "addresses": [{"address": "x"}]}]},
            "facts.nics[0].addresses[0].address",
        ),
    ],
)
def test_a_wrong_fact_is_named(changes: dict[str, Any], path: str | None) -> None:
    if path is None:
        parse_facts(facts(**changes), LIMITS, NOW)
        return
    with pytest.raises(DomainError) as caught:
        parse_facts(facts(**changes), LIMITS, NOW)
    assert caught.value.status == 422
    assert list(caught.value.fields) == [path]


def test_an_enrolment_needs_some_identity() -> None:
    assert parse_enrolment(facts(), LIMITS, NOW).identity.machine_id
    body = json.dumps({"sent_at": NOW, "identity": {}, "facts": {}}).encode()
    with pytest.raises(DomainError) as caught:
        parse_enrolment(body, LIMITS, NOW)
    assert list(caught.value.fields) == ["identity"]


def sentences_of(body: bytes) -> list[str]:
    """Give what each reader says of a body, "" where it takes it; anything but a DomainError goes through."""
    readers = [
        partial(parse, body, LIMITS, NOW)
        for parse in (parse_metrics, parse_facts, parse_enrolment)
    ]
    readers += [partial(inflate, body, encoding, LIMITS) for encoding in ("gzip", "")]
    said = []
    for read in readers:
        try:
            read()
        except DomainError as error:
            said.append(json.loads(json.dumps(error.as_envelope()))["error"]["message"])
        else:
            said.append("")
    return said


def all_are_sentences(said: list[str]) -> bool:
    """Whether each refusal says something in a sentence."""
    return all(text == "" or text.endswith(".") for text in said)


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_nothing_but_a_domain_error(body: bytes) -> None:
    assert all_are_sentences(sentences_of(body))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
KEYS = ["sent_at", "samples", "boot_id", "identity", "facts", "seq", "time", "values"]
KEYS += ["macs", "nics", "mac", "name", "addresses", "address", "hostname", "disks"]


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), json_values, max_size=8), st.randoms())
def test_any_json_gives_nothing_but_a_domain_error(
    fields: dict[str, Any], rng: random.Random
) -> None:
    good = json.loads(facts()) | json.loads(batch(sample()))
    for holder in (good, good["facts"], good["samples"][0], good["facts"]["nics"][0]):
        for key, value in fields.items():
            if rng.random() < 0.4:
                holder[key] = value
    assert all_are_sentences(sentences_of(json.dumps(good).encode()))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_broken_copy_of_a_good_body_gives_nothing_but_a_domain_error(
    data: st.DataObject,
) -> None:
    body = bytearray(batch(sample(), sample()))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] = data.draw(st.integers(0, 255))
    assert all_are_sentences(sentences_of(bytes(body)))
    cut = gzip.compress(bytes(body))[: data.draw(st.integers(0, 200))]
    assert all_are_sentences(sentences_of(cut))
