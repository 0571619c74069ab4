"""Paths on hosts are bytes: how they stand in addresses and JSON without loss, and how people read them."""

import posixpath
from urllib.parse import quote_from_bytes, unquote_to_bytes

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from adminset.unseen import visible

# What Linux takes.
LONGEST_PATH, LONGEST_NAME = 4095, 255
MOST_AT_ONCE = 1000


def written(path: bytes) -> str:
    """Write a path for addresses and JSON: percent-encoded, so that every byte comes back as it was."""
    return quote_from_bytes(path, safe="/")


def shown(path: bytes) -> str:
    """Give a path or name as people read it: what is no UTF-8, and what cannot be seen, by its number."""
    text = visible(path.decode("utf-8", "backslashreplace"))
    return text.replace("\n", "[U+000A]").replace("\t", "[U+0009]")


def read(text: object) -> bytes:
    """Read what `written` wrote.

    Raises:
        DomainError: it is no absolute path.
    """
    if not isinstance(text, str) or not text.isascii():
        raise _refusal(_("A path comes percent-encoded, as the page writes it."))
    return checked(unquote_to_bytes(text))


def of_query(request: HttpRequest, name: str = "path") -> bytes:
    """Read a path of the address; empty where there is none.

    Raises:
        DomainError: it is no absolute path.
    """
    found = all_of_query(request, name)
    return found[-1] if found else b""


def all_of_query(request: HttpRequest, name: str = "path") -> list[bytes]:
    """Read all paths of that name of the address.

    Raises:
        DomainError: one is no absolute path, or there are too many.
    """
    # Each byte becomes one character, and that one byte again.
    query = QueryDict(request.META.get("QUERY_STRING", ""), encoding="latin-1")
    values = [value for value in query.getlist(name) if value]
    if len(values) > MOST_AT_ONCE:
        raise _refusal(_("These are too many paths at once."))
    return [checked(value.encode("latin-1", "replace")) for value in values]


def checked(path: bytes) -> bytes:
    """Give a path without needless slashes.

    Raises:
        DomainError: it is not absolute, goes up by `..`, holds a NUL, or is too long.
    """
    if not path.startswith(b"/"):
        raise _refusal(_("A path on a host begins with /."))
    parts = [part for part in path.split(b"/") if part]
    if b"\0" in path or {b".", b".."} & set(parts):
        raise _refusal(_("A path holds no NUL and neither . nor .. as a part."))
    clean = b"/" + b"/".join(parts)
    if len(clean) > LONGEST_PATH or any(len(part) > LONGEST_NAME for part in parts):
        raise _refusal(_("This path is longer than a host takes."))
    return clean


def parent_of(path: bytes) -> bytes:
    """Give the folder in which a path stands."""
    return posixpath.dirname(path)


def name_of(path: bytes) -> bytes:
    """Give the last part of a path."""
    return posixpath.basename(path)


def join(folder: bytes, name: bytes) -> bytes:
    """Put a name behind a folder."""
    return posixpath.join(folder, name)


def ways_of(path: bytes) -> list[bytes]:
    """Give each folder on the way from below / to a path, and the path itself at the end."""
    parts = [part for part in path.split(b"/") if part]
    return [b"/" + b"/".join(parts[: n + 1]) for n in range(len(parts))]


def is_within(path: bytes, folder: bytes) -> bool:
    """Say whether a path lies below a folder."""
    return path.startswith(folder.rstrip(b"/") + b"/") and path != folder


def _refusal(words: str) -> DomainError:
    return DomainError(words, _("Choose it in the list."), code="bad_path", status=400)
