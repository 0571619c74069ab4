"""Hosts by name, address or asset number, one a line: each line is found, or it is said why not."""

import csv
import ipaddress
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cmdb.models import Host

MOST_BYTES = 2**20
MOST_LINES = 10_000
# How many lines a sentence names.
NAMED = 10
# Values that one query asks for.
CHUNK = 400
HEADERS = frozenset(
    [
        "host",
        "hosts",
        "hostname",
        "host_name",
        "name",
        "address",
        "ip",
        "asset",
        "asset_number",
        "number",
    ]
)


@dataclass
class Found:
    """What lines mean: ids of hosts; lines that name none, several, or one on which the user may not run work."""

    host_ids: list[int] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)
    barred: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        """Say what is wrong with which lines."""
        said = []
        if self.unknown:
            words = ngettext(
                "%(count)s line names no host that you may see: %(lines)s",
                "%(count)s lines name no host that you may see: %(lines)s",
                len(self.unknown),
            )
            said.append(_said(words, self.unknown))
        if self.ambiguous:
            words = ngettext(
                "%(count)s line names several hosts, write an address or an asset number: %(lines)s",
                "%(count)s lines name several hosts, write addresses or asset numbers: %(lines)s",
                len(self.ambiguous),
            )
            said.append(_said(words, self.ambiguous))
        if self.barred:
            words = ngettext(
                "On %(count)s of them you may not run work: %(lines)s",
                "On %(count)s of them you may not run work: %(lines)s",
                len(self.barred),
            )
            said.append(_said(words, self.barred))
        return said


def _said(words: str, lines: list[str]) -> str:
    listed = ", ".join(line[:80] for line in lines[:NAMED])
    more = ", ..." if len(lines) > NAMED else ""
    return words % {"count": len(lines), "lines": listed + more}


def decoded(content: bytes) -> str:
    """Give the text of an uploaded file.

    Raises:
        ValueError: too long, or no text.
    """
    if len(content) > MOST_BYTES:
        raise ValueError(_("The file is larger than 1 MiB."))
    if b"\x00" in content:
        raise ValueError(_("This is no text file."))
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError(_("This is no text file."))


def entries_of(text: str) -> list[str]:
    """Give the first cell of each line, without empty lines, remarks (#), a line of headings, and repetitions."""
    found: dict[str, None] = {}
    lines = text.replace("\x00", "").splitlines()
    for number, line in enumerate(lines):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        cell = _first_cell(line)
        heading = cell.lower().replace(" ", "_") in HEADERS
        if cell and not (number == 0 and heading):
            found[cell] = None
    return list(found)


def _first_cell(line: str) -> str:
    split = ";" if ";" in line and "," not in line else "\t" if "\t" in line else ","
    try:
        cells = next(csv.reader([line], delimiter=split), [""])
    except csv.Error:
        return line.strip()
    return cells[0].strip() if cells else ""


def resolve(user: Any, entries: Iterable[str]) -> Found:
    """Say which hosts the lines mean: by name (without case), management address or asset number."""
    wanted = list(entries)
    known: dict[str, set[int]] = defaultdict(set)
    for start in range(0, len(wanted), CHUNK):
        _look(user, wanted[start : start + CHUNK], known)
    every = set().union(*known.values())
    runs = Host.objects.visible_to(user, "run").filter(pk__in=every)
    mine = set(runs.values_list("pk", flat=True))
    found, seen = Found(), set()
    for entry in wanted:
        hosts = known.get(_plain(entry), set())
        # Of several, those are meant on which the user may run anything at all.
        meant = hosts & mine or hosts
        if not hosts:
            found.unknown.append(entry)
        elif len(meant) > 1:
            found.ambiguous.append(entry)
        elif meant <= mine:
            seen |= meant
        else:
            found.barred.append(entry)
    found.host_ids = sorted(seen)
    return found


def _plain(entry: str) -> str:
    """Give the one spelling of an address, and a name in small letters."""
    try:
        return str(ipaddress.ip_address(entry.strip("[]")))
    except ValueError:
        return entry.lower()


def _look(user: Any, entries: list[str], known: dict[str, set[int]]) -> None:
    plain = {_plain(entry) for entry in entries}
    addresses = {each for each in plain if _is_address(each)}
    rows = Host.objects.visible_to(user).annotate(
        low=Lower("hostname"), number=Lower("asset_number")
    )
    asked = Q(low__in=plain) | Q(number__in=plain) | Q(address__in=addresses)
    found = rows.filter(asked).order_by().values_list("pk", "low", "number", "address")
    for pk, name, number, address in found:
        for each in (name, number, str(address or "")):
            if each in plain:
                known[each].add(pk)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
