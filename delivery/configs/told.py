"""Reads what the programs on hosts said: hostile text, bounded, believed only where it has the right shape."""

import base64
import binascii
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.utils.translation import gettext as _

ABOUT = re.compile(
    r"(?P<mode>[0-7]{1,4}) (?P<owner>\S{1,50}) (?P<group>\S{1,50}) (?P<size>\d{1,15}) (?P<time>\d{1,11})",
    re.ASCII,
)
WORDS = 300
# A gzip stream with its header.
GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True)
class Pushed:
    """What became of one file: placed, same, untouched, failed, or unknown; `why` of what failed."""

    word: str
    why: str = ""


@dataclass(frozen=True)
class Found:
    """What stands at one place.

    Attributes:
        word: same, differs, missing, unreadable, unknown.
        text: what stands there, secrets masked; None where it could not be sent, `why` says why.
    """

    word: str
    why: str = ""
    mode: str = ""
    owner: str = ""
    size: int = 0
    changed_at: datetime | None = None
    text: str | None = None


PUSHED = {"s": "same", "p": "placed", "n": "untouched"}
READ = {"s": "same", "d": "differs", "m": "missing"}


def pushed(said: Mapping[str, str], number: int) -> Pushed:
    """Read what became of a file."""
    word, why = _word(said.get(f"f{number}", ""))
    if word == "x":
        return Pushed("failed", why)
    return Pushed(PUSHED.get(word, "unknown"))


def reload_failed(said: Mapping[str, str], count: int) -> list[int]:
    """Give the numbers of the reload commands that failed."""
    words = {number: said.get(f"r{number}", "") for number in range(count)}
    return [number for number, text in words.items() if text.startswith("x")]


def found(said: Mapping[str, str], number: int) -> Found:
    """Read what stands at the place of a file."""
    word, why = _word(said.get(f"f{number}", ""))
    if word == "x":
        return Found("unreadable", why)
    state = READ.get(word, "unknown")
    about = ABOUT.fullmatch(said.get(f"a{number}", ""))
    if about is None or state == "missing":
        return Found(state)
    text, problem = _text(said, number) if state == "differs" else (None, "")
    return Found(
        state,
        problem,
        about["mode"],
        f"{about['owner']}:{about['group']}"[:100],
        int(about["size"]),
        _moment(int(about["time"])),
        text,
    )


def _word(text: str) -> tuple[str, str]:
    word, _space, why = text.partition(" ")
    return word, why[:WORDS]


def _moment(seconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _text(said: Mapping[str, str], number: int) -> tuple[str | None, str]:
    """Unpack a text; no more of it than is ever read back."""
    no_text = said.get(f"t{number}", "")
    if no_text == "long":
        return None, _("It is too long to be shown here.")
    if no_text == "new":
        return None, _("No push has put it there yet: its text is not read.")
    if no_text:
        return None, _("Its text could not be sent.")
    parts: list[str] = []
    while (piece := said.get(f"c{number}.{len(parts)}")) is not None:
        parts.append(piece)
    try:
        packed = base64.b64decode("".join(parts), validate=True)
        raw = zlib.decompressobj(GZIP).decompress(packed, settings.CONFIG_READ_BYTES)
    except (binascii.Error, ValueError, zlib.error):
        return None, _("Its text could not be read.")
    return raw.decode(errors="replace"), ""
