"""Reads what Prometheus' remote write (version 1) posts: snappy around protobuf; pure, no Django.

Every byte is hostile: sizes are checked before anything is unpacked, and a text that is not UTF-8 is a fault.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cramjam
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from adminset.errors import DomainError

Field = descriptor_pb2.FieldDescriptorProto
PACKAGE = "adminset.prometheus"
# Labels stay bytes while a request is read: they name the series in a cache, and few of them are new.
FIELDS: dict[str, tuple[tuple[str, int, int, str], ...]] = {
    "Label": (
        ("name", 1, Field.TYPE_BYTES, ""),
        ("value", 2, Field.TYPE_BYTES, ""),
    ),
    "Sample": (
        ("value", 1, Field.TYPE_DOUBLE, ""),
        ("timestamp", 2, Field.TYPE_INT64, ""),
    ),
    "TimeSeries": (
        ("labels", 1, Field.TYPE_BYTES, "repeated"),
        ("samples", 2, Field.TYPE_MESSAGE, "Sample"),
        ("histograms", 4, Field.TYPE_BYTES, "repeated"),
    ),
    # Series stay bytes as well: two bytes make one, and a small body would be millions of objects.
    "WriteRequest": (("timeseries", 1, Field.TYPE_BYTES, "repeated"),),
}


# Bytes of one series: its labels, and thousands of samples.
MOST_SERIES_BYTES = 1 << 16


class BadWriteError(DomainError):
    """The body cannot be read: Prometheus must not send it again."""

    status = 400

    def __init__(self, message: str) -> None:
        hint = "Send remote write version 1: a snappy block of prometheus.WriteRequest."
        super().__init__(message, hint, code="bad_body")


@dataclass(frozen=True, slots=True)
class Written:
    """One series of a request.

    Attributes:
        labels: each label as it came, still packed; read it with `labels_of`.
        samples: (Unix milliseconds, value).
        histograms: native histograms that came with it; the portal keeps none.
    """

    labels: tuple[bytes, ...]
    samples: Sequence[tuple[int, float]]
    histograms: int


def _classes() -> dict[str, Any]:
    """Declare the messages: what protoc would write into a file of its own."""
    file = descriptor_pb2.FileDescriptorProto(
        name="adminset/remote_write.proto", package=PACKAGE, syntax="proto3"
    )
    for name, fields in FIELDS.items():
        message = file.message_type.add(name=name)
        for field, number, kind, of in fields:
            many = bool(of)
            message.field.add(
                name=field,
                number=number,
                type=kind,
                label=Field.LABEL_REPEATED if many else Field.LABEL_OPTIONAL,
                type_name=f".{PACKAGE}.{of}" if kind == Field.TYPE_MESSAGE else None,
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(
            pool.FindMessageTypeByName(f"{PACKAGE}.{name}")
        )
        for name in FIELDS
    }


MESSAGES = _classes()


def unpack(body: bytes, most: int) -> bytes:
    """Undo snappy's block format.

    Args:
        body: as received.
        most: bytes of the result at most; looked at before any is unpacked.

    Raises:
        BadWriteError: not snappy, or too large.
    """
    try:
        size = cramjam.snappy.decompress_raw_len(body)
        if size > most:
            raise BadWriteError(f"The body unpacks to more than {most} bytes.")
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError:
        raise BadWriteError("The body is not snappy.") from None


def parse(body: bytes, most: int) -> list[Written]:
    """Read an unpacked request.

    Args:
        most: series, and samples, at most.

    Raises:
        BadWriteError: not the protobuf message that it should be, or too much in it.
    """
    request = MESSAGES["WriteRequest"]()
    found: list[Written] = []
    left = most
    try:
        request.ParseFromString(body)
        if len(request.timeseries) > most:
            raise BadWriteError(f"The request has more than {most} series.")
        for packed in request.timeseries:
            found.append(_written(packed))
            left -= len(found[-1].samples)
            if left < 0:
                raise BadWriteError(f"The request has more than {most} samples.")
    except DecodeError:
        raise BadWriteError("The body is not a prometheus.WriteRequest.") from None
    return found


def _written(packed: bytes) -> Written:
    if len(packed) > MOST_SERIES_BYTES:
        raise BadWriteError(f"A series has more than {MOST_SERIES_BYTES} bytes.")
    series = MESSAGES["TimeSeries"]()
    series.ParseFromString(packed)
    samples = [(sample.timestamp, sample.value) for sample in series.samples]
    return Written(tuple(series.labels), samples, len(series.histograms))


def labels_of(packed: Sequence[bytes]) -> dict[str, str]:
    """Read the labels of a series; empty ones are as good as none.

    Raises:
        BadWriteError: not labels, not UTF-8, or one twice.
    """
    found: dict[str, str] = {}
    label = MESSAGES["Label"]()
    for each in packed:
        try:
            label.ParseFromString(each)
            name, value = label.name.decode(), label.value.decode()
        except (DecodeError, UnicodeDecodeError):
            raise BadWriteError("A label is not text in UTF-8.") from None
        if name in found:
            raise BadWriteError("A series has the same label twice.")
        if value:
            found[name] = value
    return found
