"""Reads the body of a machine's request: inflated within bounds, decoded, and each fault said where it is."""

import json
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from adminset.errors import DomainError

GZIP_MEMBERS = 16
# Of a report from the host to here, at most.
WAY_SECONDS = 60.0
# Larger than any real counter, small enough for sums of it.
VALUE_LIMIT = 1e18
# Possessive, and an open string runs to the end: linear time on any input.
JSON_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)', re.DOTALL)
BRACES_TO_BRACKETS = bytes.maketrans(b"{}", b"[]")
NOT_BRACKETS = bytes(c for c in range(256) if c not in b"[]{}")
Model = TypeVar("Model")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an agent may send at once.

    Attributes:
        body_bytes, inflated_bytes: of one request.
        depth: levels of nesting.
        samples: in a batch.
        values: in a sample.
        skew_seconds: how far a host's clock may be off.
        age_seconds: how old a sample may be.
        shapes: different lists of metrics in a batch.
        tables, rows, columns, cell: tables in a report, rows and columns in a table, characters in a cell.
    """

    body_bytes: int = 1 << 20
    inflated_bytes: int = 4 << 20
    depth: int = 20
    samples: int = 1000
    values: int = 2000
    skew_seconds: float = 3600
    age_seconds: float = 7 * 86400
    shapes: int = 200
    tables: int = 32
    rows: int = 500
    columns: int = 20
    cell: int = 200


class TooLargeError(DomainError):
    """The body, or the batch in it, is larger than the portal takes."""

    status = 413

    def __init__(self, message: str) -> None:
        super().__init__(message, "Send less at once.", code="too_large")


class BadBodyError(DomainError):
    """The body cannot be read at all."""

    status = 400

    def __init__(self, message: str, code: str = "bad_json") -> None:
        hint = "Send one JSON object in UTF-8, as it is or compressed with gzip."
        super().__init__(message, hint, code=code)


class BadFieldError(DomainError):
    """A field has a wrong type or value.

    Args:
        path: where, such as "samples[3].time".
        sentence: what is wrong there.
    """

    def __init__(self, path: str, sentence: str) -> None:
        where = path or "body"
        hint = "Compare the report with docs/agent-protocol.md."
        super().__init__(f"{where}: {sentence}", hint, fields={where: sentence})


class ClockSkewError(DomainError):
    """The host's clock is too far off for its times to mean anything."""

    def __init__(self, seconds: float) -> None:
        side = "ahead" if seconds > 0 else "behind"
        sentence = f"The host's clock is {abs(seconds):.0f} seconds {side}."
        hint = (
            "Set the host's clock, by NTP say; the agent keeps its samples until then."
        )
        super().__init__(
            sentence, hint, code="clock_skew", fields={"sent_at": sentence}
        )


def check_clock(sent_at: float, limits: Limits, now: float) -> None:
    """Refuse a report of a host whose clock is too far off.

    Raises:
        ClockSkewError: it is.
    """
    if abs(sent_at - now) > limits.skew_seconds:
        raise ClockSkewError(sent_at - now)


def check_offset(offset: float | None, limits: Limits) -> None:
    """Refuse a report that says of its own clock what may not be.

    Args:
        offset: seconds, our clock minus the host's.

    Raises:
        ClockSkewError: it is off by more than the limit and what a way may take.
    """
    if offset is not None and abs(offset) > limits.skew_seconds + WAY_SECONDS:
        raise ClockSkewError(-offset)


def inflate(body: bytes, encoding: str, limits: Limits) -> bytes:
    """Undo a Content-Encoding, never holding more than the limit.

    Args:
        body: as received.
        encoding: the header's value: "", "identity" or "gzip".

    Raises:
        TooLargeError: compressed or inflated size.
        BadBodyError: another encoding, not gzip, cut off.
    """
    if len(body) > limits.body_bytes:
        raise TooLargeError(f"The body is larger than {limits.body_bytes} bytes.")
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return body
    if name not in {"gzip", "x-gzip"}:
        raise BadBodyError("The Content-Encoding is not gzip.", "bad_encoding")
    try:
        return _gunzip(body, limits.inflated_bytes)
    except zlib.error:
        raise BadBodyError("The body is not valid gzip.", "bad_encoding") from None


def _gunzip(body: bytes, limit: int) -> bytes:
    parts: list[bytes] = []
    left = limit
    for _ in range(GZIP_MEMBERS):
        member = zlib.decompressobj(wbits=31)
        # One byte more than allowed tells "just fits" from "too large".
        parts.append(member.decompress(body, left + 1))
        left -= len(parts[-1])
        if left < 0:
            raise TooLargeError(f"The body inflates to more than {limit} bytes.")
        if not member.eof:
            raise BadBodyError("The gzip body is cut off.", "bad_encoding")
        body = member.unused_data
        if not body:
            return b"".join(parts)
    raise BadBodyError("The gzip body has too many members.", "bad_encoding")


def check_depth(body: bytes, depth: int) -> None:
    """Refuse JSON nested deeper than `depth` before Python's parser sees it; linear, no recursion.

    Raises:
        BadBodyError: too deep.
    """
    if body.count(b"[") + body.count(b"{") <= depth:
        return
    bare = JSON_STRING.sub(b"", body)
    brackets = bare.translate(BRACES_TO_BRACKETS, NOT_BRACKETS)
    for _ in range(depth):
        # Each round takes one level away everywhere.
        brackets = brackets.replace(b"[]", b"")
        if not brackets:
            return
    # A pair that is left lies too deep; what never closes is no JSON and only kept from going deep.
    if b"[]" in brackets or b"[" * (depth + 1) in brackets:
        raise BadBodyError(
            f"The JSON is nested deeper than {depth} levels.", "too_deep"
        )


def decode(decoder: msgspec.json.Decoder[Model], body: bytes, limits: Limits) -> Model:
    """Read JSON of a known form.

    Args:
        decoder: of the form wanted.
        body: inflated.

    Raises:
        TooLargeError, BadBodyError, BadFieldError.
    """
    if len(body) > limits.inflated_bytes:
        raise TooLargeError(f"The body is larger than {limits.inflated_bytes} bytes.")
    try:
        return decoder.decode(body)
    except (ValueError, RecursionError) as error:
        # The decoder knows its own depth; the lenient parser that finds the fault does not.
        check_depth(body, limits.depth)
        raise _fault(error, body) from None


def _fault(error: Exception, body: bytes) -> DomainError:
    """Say what is wrong, with the help of a slower and more lenient parser."""
    try:
        tree = json.loads(body, parse_int=float)
    except (ValueError, RecursionError):
        return BadBodyError("The body is not valid JSON in UTF-8.")
    for path, value in _leaves(tree):
        # Python's own writer makes NaN and Infinity; JSON does not know them.
        if isinstance(value, float) and not math.isfinite(value):
            return BadFieldError(path, "This is not a finite number.")
    if isinstance(error, msgspec.ValidationError):
        return _wrong_type(str(error), tree)
    return BadBodyError("The body is not valid JSON in UTF-8.")


def _wrong_type(fault: str, tree: Any) -> BadFieldError:
    what, _, path = fault.partition(" - at `")
    path = path.rstrip("`").removeprefix("$").removeprefix(".")
    if path.endswith("[...]"):
        # The decoder does not say which key of a dict it was.
        inside = path.removesuffix("[...]")
        numbers = {p for p, v in _leaves(tree) if isinstance(v, float)}
        leaves = (p for p, _ in _leaves(tree) if p.startswith(f"{inside}["))
        path = next((p for p in leaves if p not in numbers), path)
    return BadFieldError(path, f"{what.replace('`', '')}.")


def _leaves(tree: Any) -> Iterator[tuple[str, Any]]:
    """Walk a tree whose depth was checked; give (path, leaf), an empty list or dict being one."""
    waiting = [("", tree)]
    while waiting:
        path, node = waiting.pop()
        if node and isinstance(node, dict):
            waiting += [(_inside(path, key), value) for key, value in node.items()]
        elif node and isinstance(node, list):
            waiting += [(f"{path}[{i}]", value) for i, value in enumerate(node)]
        else:
            yield path, node


def _inside(path: str, key: str) -> str:
    # Names of metrics hold dots of their own.
    if path.endswith(".values"):
        return f"{path}[{shown(key)}]"
    return f"{path}.{shown(key)}" if path else shown(key)


def shown(text: str) -> str:
    """Give hostile text short and printable enough for an error."""
    return "".join(c if c.isprintable() else "?" for c in text[:80])
