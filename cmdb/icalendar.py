"""Writes a calendar file (iCalendar, RFC 5545) of whole days, as calendar programs import it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

LINE_BYTES = 75
ESCAPED = {ord("\\"): "\\\\", ord(";"): "\\;", ord(","): "\\,", ord("\n"): "\\n"}


@dataclass(frozen=True)
class Entry:
    """A whole day with something to say; `uid` stays the same from file to file."""

    uid: str
    day: date
    title: str
    text: str = ""


def write(entries: Iterable[Entry], stamp: datetime) -> Iterator[str]:
    """Give the lines of the file, with their ends; `stamp`: when it is written, in UTC."""
    yield from _lines(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//AdminSet//EN"])
    for entry in entries:
        yield from _lines(
            [
                "BEGIN:VEVENT",
                f"UID:{entry.uid}",
                f"DTSTAMP:{stamp:%Y%m%dT%H%M%SZ}",
                f"DTSTART;VALUE=DATE:{entry.day:%Y%m%d}",
                f"DTEND;VALUE=DATE:{entry.day + timedelta(days=1):%Y%m%d}",
                f"SUMMARY:{_text(entry.title)}",
                f"DESCRIPTION:{_text(entry.text)}",
                "TRANSP:TRANSPARENT",
                "END:VEVENT",
            ]
        )
    yield from _lines(["END:VCALENDAR"])


def _text(value: str) -> str:
    """Escape a text; control characters have no place in the file."""
    whole = value.replace("\r\n", "\n").replace("\r", "\n")
    plain = "".join(c for c in whole if c == "\n" or c.isprintable())
    return plain.translate(ESCAPED)


def _lines(lines: Iterable[str]) -> Iterator[str]:
    return (f"{part}\r\n" for line in lines for part in _folded(line))


def _folded(line: str) -> Iterator[str]:
    """Break a line where it has 75 bytes, never within a character; what follows begins with a space."""
    part, size = "", 0
    for character in line:
        bytes_of = len(character.encode())
        if size + bytes_of > LINE_BYTES:
            yield part
            part, size = " ", 1
        part, size = part + character, size + bytes_of
    yield part
