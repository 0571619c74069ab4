"""The file of a recording: frames that are encrypted one by one, so that what was written before a crash can be read."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

MAGIC = b"adminset terminal recording 1\n"
# Length of what follows, number of the frame, milliseconds of its first event.
HEAD = struct.Struct(">IQQ")
NONCE_BYTES = 12
# A frame that says it is longer is none: nothing of that size was ever written.
LONGEST = 8 * 2**20
# Level 1 costs less than what it saves of encryption and disk.
LEVEL = 1


@dataclass(frozen=True)
class Place:
    """Where a frame begins: its byte in the file, and its number."""

    offset: int = len(MAGIC)
    number: int = 0

    def __str__(self) -> str:
        return f"{self.offset}-{self.number}"


START = Place()


@dataclass(frozen=True)
class Frame:
    """A frame as it stands in the file: where, the time of its first event, and where the next one begins."""

    place: Place
    at_ms: int
    after: Place


def path_of(key: str) -> Path:
    """Name the file of a session, by the session's key: the one place that knows where recordings lie."""
    return Path(settings.TERMINAL_DIR) / key[:2] / f"{key}.rec"


class Cipher:
    """Seals and opens the frames of one recording; a frame fits only at its place in this recording.

    Args:
        data_key: 32 bytes, of this recording alone: the number of a frame is enough to make its nonce unique.
        name: key of the session.
    """

    def __init__(self, data_key: bytes, name: str) -> None:
        self._aead = AESGCM(data_key)
        self._name = MAGIC + name.encode()

    def seal(self, text: bytes, number: int, at_ms: int) -> bytes:
        """Give the bytes of a frame."""
        packed = zlib.compress(text, LEVEL)
        head = HEAD.pack(len(packed) + 16, number, at_ms)
        return head + self._aead.encrypt(_nonce(number), packed, self._name + head)

    def open(self, file: BinaryIO, frame: Frame) -> bytes | None:
        """Give the text of a frame; None where it was altered or is not whole."""
        file.seek(frame.place.offset)
        data = file.read(frame.after.offset - frame.place.offset)
        head, sealed = data[: HEAD.size], data[HEAD.size :]
        try:
            packed = self._aead.decrypt(
                _nonce(frame.place.number), sealed, self._name + head
            )
            return zlib.decompress(packed)
        except (InvalidTag, ValueError, zlib.error):
            return None


def _nonce(number: int) -> bytes:
    return number.to_bytes(NONCE_BYTES, "big")


def walk(file: BinaryIO, place: Place = START) -> Iterator[Frame]:
    """Go from frame to frame by their heads, up to the last that is whole; a torn end, or what is no frame, ends the walk."""
    size = file.seek(0, 2)
    while True:
        file.seek(place.offset)
        head = file.read(HEAD.size)
        if len(head) < HEAD.size:
            return
        length, number, at_ms = HEAD.unpack(head)
        end = place.offset + HEAD.size + length
        if number != place.number or length > LONGEST or end > size:
            return
        frame = Frame(place, at_ms, Place(end, number + 1))
        yield frame
        place = frame.after


def is_recording(file: BinaryIO) -> bool:
    """Say whether a file begins as a recording does."""
    file.seek(0)
    return file.read(len(MAGIC)) == MAGIC
