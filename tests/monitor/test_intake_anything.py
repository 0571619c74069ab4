"""Whatever is sent, the intake answers with what it read or with a sentence."""

import gzip
import json
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.monitor.bodies import (
    all_are_sentences,
    batch,
    facts,
    sample,
    sentences_of,
)


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
