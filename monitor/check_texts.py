"""Texts that people write into checks: sets of statuses, headers, targets; each read with a sentence where it is wrong."""

import ipaddress
import re
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

RANGE = re.compile(r"\A([1-5]\d\d)(?:-([1-5]\d\d))?\Z")
HEADER_NAME = re.compile(r"\A[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}\Z")
HEADER_VALUE = re.compile(r"\A[\x20-\x7e]{0,2000}\Z")
NAME = re.compile(r"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}\Z")
# Names whose values are secrets: they have a place of their own. Host and Content-Length are not the writer's.
SECRET_NAMES = re.compile(
    r"authorization|cookie|token|secret|password|api-?key|auth", re.I
)
OURS = {"host", "content-length", "transfer-encoding", "connection"}
PLACE = "{address}"


def read_statuses(text: str) -> list[tuple[int, int]]:
    """Read "200-299, 301" as ranges, both ends included.

    Raises:
        ValueError: a part is no status and no range of them.
    """
    found = []
    for part in text.replace(",", " ").split():
        match = RANGE.match(part)
        if match is None:
            raise ValueError(part)
        low = int(match[1])
        high = int(match[2] or low)
        if high < low:
            raise ValueError(part)
        found.append((low, high))
    return found


def check_statuses(text: str) -> None:
    """Refuse what is no set of statuses."""
    try:
        found = read_statuses(text)
    except ValueError as error:
        words = _("%(part)s is no HTTP status and no range such as 200-299.")
        raise ValidationError(words % {"part": str(error)[:40]}) from error
    if not found:
        raise ValidationError(_("Name at least one status."))


def read_headers(text: str) -> dict[str, str]:
    """Read lines of `Name: value`.

    Raises:
        ValueError: a line is no header, or one that is not the writer's to set.
    """
    found = {}
    for line in text.split("\n"):
        if not line.strip():
            continue
        name, colon, value = (part.strip() for part in line.partition(":"))
        fits = HEADER_NAME.match(name) and HEADER_VALUE.match(value)
        if not colon or not fits or name.lower() in OURS:
            raise ValueError(name)
        found[name] = value
    return found


def check_headers(text: str) -> None:
    """Refuse what is no list of headers, and headers whose values are secrets."""
    found = _checked_headers(text)
    for name in found:
        if SECRET_NAMES.search(name):
            words = _("%(name)s holds a secret: put it into the secret header.")
            raise ValidationError(words % {"name": name})


def check_secret_header(text: str) -> None:
    """Refuse what is not one header."""
    if len(_checked_headers(text)) != 1:
        raise ValidationError(_("Write one header: `Name: value`."))


def _checked_headers(text: str) -> dict[str, str]:
    try:
        return read_headers(text)
    except ValueError as error:
        # The value stays out of the sentence: it may be a secret.
        words = _("The header %(name)s cannot be sent. Write `Name: value`.")
        raise ValidationError(words % {"name": repr(str(error)[:40])}) from error


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def host_of(kind: str, target: str) -> str:
    """Give the host that a target names, "" where it leaves it to the host of the check.

    Raises:
        ValidationError: it is no address of this kind.
    """
    if kind != "http":
        if target and not NAME.match(target) and not _is_address(target):
            raise ValidationError(_("Write an address or a name, without a port."))
        return target.removesuffix(".")
    filled = target.replace(PLACE, "host.invalid")
    try:
        parts = urlsplit(filled)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    plain = filled.isprintable() and " " not in filled
    good = parts.scheme in {"http", "https"} and host and parts.username is None
    if not (good and plain and "{" not in filled.replace(PLACE, "")):
        raise ValidationError(
            _("Write http:// or https://, a host, and no user name or password.")
        )
    return "" if host == "host.invalid" and PLACE in target else host
