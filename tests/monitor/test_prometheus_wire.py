"""Remote write under hostile bytes: nothing is unpacked that is too large, nothing breaks, names come back as they were."""

import math
import time

import cramjam
import pytest
from django.test import Client
from hypothesis import assume, given
from hypothesis import settings as tries
from hypothesis import strategies as st

from accounts.models import User
from monitor.prometheus.lanes import keys_for, lane_of, lanes_of, owner_of
from monitor.prometheus.names import (
    CUSTOM,
    LABEL_NAME,
    METRIC_NAME,
    NAME,
    OURS,
    labels_of,
    place_of,
    public_name,
    written_name,
)
from monitor.prometheus.query import told as written_value
from monitor.prometheus.wire import BadWriteError, Written, parse, unpack
from monitor.prometheus.wire import labels_of as read_labels
from tests.factories import make_user
from tests.monitor.prometheus_sender import bearer, body_of, named, token_of, write

MOST = 1 << 20


@pytest.fixture
def writer(db: None) -> dict[str, str]:
    """The header of a token that may write."""
    user: User = make_user("writer", perms=["monitor.write_metrics"])
    return bearer(token_of(user))


@tries(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_in_words(body: bytes) -> None:
    for packed in (body, bytes(cramjam.snappy.compress_raw(body))):
        for series in _read_or_refused(packed):
            assert all(isinstance(k, str) for k in _labels_or_fault(series.labels))


def _read_or_refused(packed: bytes) -> list[Written]:
    """Read a body; where it is refused, in words."""
    found: list[Written] = []
    refused = "not refused"
    try:
        found = parse(unpack(packed, MOST), 100)
    except BadWriteError as error:
        refused = error.message
    assert refused
    assert sum(len(series.samples) for series in found) <= 100
    return found


def _labels_or_fault(packed: tuple[bytes, ...]) -> dict[str, str]:
    try:
        return read_labels(packed)
    except BadWriteError:
        return {}


@tries(max_examples=200, deadline=None)
@given(st.integers(0, 400), st.integers(0, 255), st.integers(0, 400))
def test_a_bent_body_is_read_or_refused(at: int, byte: int, end: int) -> None:
    body = bytearray(body_of([(named("node_load1"), [(1.0, 2.0)] * 20)]))
    body[at % len(body)] = byte
    for hostile in (bytes(body), bytes(body[:end])):
        assert len(_read_or_refused(hostile)) <= 1


def test_a_body_that_unpacks_to_too_much_is_refused_before_it_is() -> None:
    claims_4_gib = b"\xff\xff\xff\xff\x0f" + b"\x00"
    with pytest.raises(BadWriteError, match="more than"):
        unpack(claims_4_gib, MOST)
    bomb = bytes(cramjam.snappy.compress_raw(b"a" * (MOST + 1)))
    assert len(bomb) < MOST / 10
    with pytest.raises(BadWriteError, match="more than"):
        unpack(bomb, MOST)


def _series(inside: bytes, times: int) -> bytes:
    """Make a request of one series that holds the same bytes again and again."""
    size = len(inside) * times
    length = bytes([size & 127 | 128, size >> 7 & 127 | 128, size >> 14])
    return b"\n" + length + inside * times


@pytest.mark.parametrize(
    "body",
    [
        b"\n\x00" * (4 * MOST),
        _series(b"\x12\x00", 30_000) * 100,
        _series(b"\n\x00", 500_000),
    ],
    ids=["series", "samples", "labels"],
)
def test_millions_of_empty_things_in_a_small_body_cost_nothing(body: bytes) -> None:
    before = time.process_time()
    with pytest.raises(BadWriteError, match="more than"):
        parse(body, 20_000)
    assert time.process_time() - before < 1


@pytest.mark.parametrize("body", [b"", b"{}", b"\x1f\x8b\x08", b"\xff" * 30])
def test_nonsense_is_a_400_that_prometheus_does_not_send_again(
    writer: dict[str, str], body: bytes
) -> None:
    answer = write(body, writer)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_body"


def test_a_body_that_is_too_large_is_refused(
    writer: dict[str, str], settings: object
) -> None:
    settings.PROM_MAX_BODY_BYTES = 100  # type: ignore[attr-defined]
    answer = write(b"x" * 101, writer)
    assert answer.status_code == 413
    assert "max_samples_per_send" in answer.json()["error"]["hint"]


def test_other_formats_are_named(writer: dict[str, str]) -> None:
    second = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
    answer = Client().post("/api/prom/write", b"x", content_type=second, **writer)  # type: ignore[arg-type]
    assert answer.status_code == 415
    zipped = {"HTTP_CONTENT_ENCODING": "gzip"} | writer
    answer = Client().post("/api/prom/write", b"x", content_type="x/y", **zipped)  # type: ignore[arg-type]
    assert answer.status_code == 400


def test_a_request_without_samples_is_fine(writer: dict[str, str]) -> None:
    assert write(body_of([]), writer).status_code == 204


def test_a_label_twice_or_not_in_utf_8_is_a_fault() -> None:
    with pytest.raises(BadWriteError, match="twice"):
        read_labels([b"\n\x01a\x12\x01b", b"\n\x01a\x12\x01c"])
    with pytest.raises(BadWriteError, match="UTF-8"):
        read_labels([b"\n\x01a\x12\x01\xff"])


labels = st.dictionaries(
    st.from_regex(LABEL_NAME, fullmatch=True).filter(lambda n: n != NAME),
    st.text(min_size=1, max_size=40),
    max_size=6,
)


@tries(max_examples=300, deadline=None)
@given(st.from_regex(METRIC_NAME, fullmatch=True), labels)
def test_labels_come_back_as_they_were_written(
    metric: str, sent: dict[str, str]
) -> None:
    assume(not any(f"exported_{name}" in sent for name in OURS))
    assume(not sent.get("instance", "").startswith(":"))
    whole = {**sent, NAME: metric}
    name = written_name(whole, "", "")
    assert name.startswith(CUSTOM)
    assert "\n" not in name
    assert name.isprintable()
    expected = {
        (f"exported_{key}" if key in OURS else key): value
        for key, value in whole.items()
    }
    assert labels_of(name, {"host": "web1"}) == {
        "instance": "web1",
        **expected,
        "host": "web1",
    }


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("web1:9100", ("web1", "9100")),
        ("web1", ("web1", "")),
        ("10.0.0.5:80", ("10.0.0.5", "80")),
        ("[2001:db8::1]:9100", ("2001:db8::1", "9100")),
        ("2001:db8::1", ("2001:db8::1", "")),
        (":9100", ("", "9100")),
        ("http://web1/", ("http://web1/", "")),
    ],
)
def test_the_port_of_an_instance_is_no_part_of_the_host(
    text: str, place: tuple[str, str]
) -> None:
    assert place_of(text) == place


def test_the_agents_metrics_have_names_that_prometheus_takes() -> None:
    assert public_name("cpu.busy_percent") == "adminset_cpu_busy_percent"
    told = labels_of("fs.used_percent|/var", {"host": "web1", "idc": "east"})
    assert told == {
        NAME: "adminset_fs_used_percent",
        "mount": "/var",
        "host": "web1",
        "instance": "web1",
        "idc": "east",
    }


def test_what_others_wrote_lies_beside_what_the_agent_sent() -> None:
    names = [f"custom.metric_{i}|cpu={i}" for i in range(100)]
    keys = {lane_of(7, name) for name in names}
    assert keys <= set(lanes_of(7))
    assert keys.isdisjoint(lanes_of(8))
    assert {owner_of(key) for key in keys} == {7} == {owner_of(7)}
    # All instances of a metric lie in one lane, so that a query reads one.
    assert lane_of(7, "custom.up|job=a") == lane_of(7, "custom.up")
    assert keys_for(7, "up") == [lane_of(7, "custom.up"), 7]
    assert keys_for(7, "adminset_load_1") == [7]


def test_a_value_is_written_as_prometheus_writes_it() -> None:
    assert [
        written_value(v) for v in (1.0, 0.1, 1e300, math.nan, math.inf, -math.inf)
    ] == [
        "1",
        "0.1",
        "1e+300",
        "NaN",
        "+Inf",
        "-Inf",
    ]
