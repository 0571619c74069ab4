"""Bodies that are deep, packed or meant to kill: refused before they cost anything."""

import gzip
import subprocess
import sys
import zlib

import pytest

from adminset.errors import DomainError
from monitor.body import check_depth
from monitor.intake import (
    inflate,
)
from tests.monitor.bodies import (
    LIMITS,
    refused,
)


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
