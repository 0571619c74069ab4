"""A folder of a host as rows: name, kind, owner, mode, size, time, and where links lead."""

import stat
import time
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from tasks.hostfiles import paths
from tasks.hostfiles.door import Files
from tasks.ssh import sftp_wire as wire
from tasks.ssh.sftp_wire import Attributes, Entry

FOLDER, FILE, LINK, OTHER = "folder", "file", "link", "other"
ORDERS = ("name", "size", "changed")
# A folder with very many names is searched no longer than so.
SEARCH_SECONDS = 10.0


@dataclass(frozen=True)
class Row:
    """One name of a folder.

    Attributes:
        name: as people read it. path: as addresses and JSON have it (paths.written).
        leads_to: of a link, what it says, as people read it; `leads_kind`: what stands there, "" for nothing.
    """

    name: str
    path: str
    kind: str
    size: int
    mode: str
    octal: str
    owner: str
    group: str
    changed: datetime | None
    leads_to: str = ""
    leads_kind: str = ""


@dataclass(frozen=True)
class Listing:
    """What a page shows of a folder.

    Attributes:
        crumbs: (name, path as in addresses) of each folder on the way.
        is_cut: there is more than is shown.
        home: of the login, as in addresses.
    """

    path: str
    shown: str
    rows: list[Row]
    crumbs: list[tuple[str, str]]
    is_cut: bool
    home: str
    login: str


def kind_of(mode: int | None) -> str:
    """Say what a mode is that of."""
    if mode is None:
        return OTHER
    kinds = {stat.S_IFDIR: FOLDER, stat.S_IFREG: FILE, stat.S_IFLNK: LINK}
    return kinds.get(stat.S_IFMT(mode), OTHER)


def folder_at(files: Files, path: bytes) -> Attributes:
    """Look at a folder.

    Raises:
        DomainError: it is something else; of a link it says where it leads (code `through_link`).
    """
    if path == b"/":
        return files.on(path, files.sftp.look, path)
    found = files.look(path)
    if kind_of(found.mode) == FOLDER:
        return found
    if kind_of(found.mode) == LINK:
        raise files.is_link(path)
    raise DomainError(
        _("%(path)s is no folder.") % {"path": paths.shown(path)}, code="no_folder"
    )


def list_folder(
    files: Files, path: bytes, *, needle: str = "", order: str = "name"
) -> Listing:
    """Read a folder: folders first, then by `order` (one of ORDERS; with - in front the other way round).

    Args:
        path: empty: the login's home.
        needle: only names that have this in them.

    Raises:
        DomainError: there is none, it is a link, or the host does not let one look.
    """
    home = files.home()
    path = path or home
    folder_at(files, path)
    entries, is_cut = files.on(path, _some, files.sftp.entries(path), needle)
    rows = [row_of(path, entry) for entry in entries]
    rows = files.on(path, _with_links, files, path, entries, rows)
    return Listing(
        paths.written(path),
        paths.shown(path),
        _sorted(rows, order),
        _crumbs(path),
        is_cut,
        paths.written(home),
        files.login,
    )


def _some(
    entries: Generator[Entry, None, None], needle: str
) -> tuple[list[Entry], bool]:
    """Take as many as are shown; the rest is not even read, and a search ends where it takes too long."""
    wanted, due = needle.casefold(), time.monotonic() + SEARCH_SECONDS
    found: list[Entry] = []
    with closing(entries):
        for count, entry in enumerate(entries):
            if count >= settings.FILES_TREE_MOST or time.monotonic() > due:
                return found, True
            if wanted and wanted not in paths.shown(entry.name).casefold():
                continue
            if len(found) == settings.FILES_ROWS_MOST:
                return found, True
            found.append(entry)
    return found, False


def row_of(folder: bytes, entry: Entry) -> Row:
    """Draw one name of a folder."""
    what, mode = entry.attributes, entry.attributes.mode or 0
    owner, group = _owners(entry)
    when = what.changed
    return Row(
        name=paths.shown(entry.name),
        path=paths.written(paths.join(folder, entry.name)),
        kind=kind_of(what.mode),
        size=what.size or 0,
        mode=stat.filemode(mode),
        octal=f"{stat.S_IMODE(mode):04o}",
        owner=owner,
        group=group,
        changed=None if when is None else datetime.fromtimestamp(when, UTC),
    )


def _owners(entry: Entry) -> tuple[str, str]:
    """Read the names of owner and group out of the line as of `ls -l`, else give their numbers."""
    words = entry.line.split(None, 4)
    if len(words) == 5 and words[1].isdigit():
        return paths.shown(words[2]), paths.shown(words[3])
    uid, gid = entry.attributes.uid, entry.attributes.gid
    return ("" if uid is None else str(uid), "" if gid is None else str(gid))


def _with_links(
    files: Files, folder: bytes, entries: list[Entry], rows: list[Row]
) -> list[Row]:
    """Ask where the links lead, all at once."""
    links = [n for n, row in enumerate(rows) if row.kind == LINK]
    where = [paths.join(folder, entries[n].name) for n in links]
    said = list(files.sftp.each(wire.READLINK, where))
    there = list(files.sftp.each(wire.STAT, where))
    for number, says, stands in zip(links, said, there, strict=True):
        leads = ""
        if says is not None and says.number() == 1:
            leads = paths.shown(says.text())
        kind = kind_of(stands.attributes().mode) if stands is not None else ""
        rows[number] = replace(rows[number], leads_to=leads, leads_kind=kind)
    return rows


def _sorted(rows: Iterable[Row], order: str) -> list[Row]:
    name = order.removeprefix("-")
    keys: dict[str, Any] = {
        "size": lambda row: row.size,
        "changed": lambda row: row.changed or datetime.min.replace(tzinfo=UTC),
    }
    found = sorted(rows, key=lambda row: (row.name.casefold(), row.name))
    if name in keys or order == "-name":
        key = keys.get(name, lambda row: (row.name.casefold(), row.name))
        found.sort(key=key, reverse=order.startswith("-"))
    return sorted(found, key=_is_no_folder)


def _is_no_folder(row: Row) -> bool:
    return FOLDER not in (row.kind, row.leads_kind)


def _crumbs(path: bytes) -> list[tuple[str, str]]:
    named = [(paths.name_of(way), way) for way in paths.ways_of(path)]
    return [("/", "/"), *((paths.shown(n), paths.written(w)) for n, w in named)]
