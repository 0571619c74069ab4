"""What names and DNS records may say: checked by type and written one way."""

import ipaddress
import re
from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LABEL = re.compile(r"\A[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\Z")
NAME_LENGTH = 253
CAA = re.compile(r'\A(?P<flags>\d{1,3}) (?P<tag>[a-z0-9]{1,15}) "?(?P<value>[^"]*)"?\Z')


def check_name(value: str) -> None:
    """Refuse what is no name of the DNS; names in other scripts (IDNA) are fine, a dot at the end too.

    Raises:
        ValidationError: says so.
    """
    if not is_name(value):
        raise ValidationError(
            _("%(value)s is not a name such as www.example.com.") % {"value": value}
        )


def check_server(value: str) -> None:
    """Refuse what is neither a name nor an address of a server.

    Raises:
        ValidationError: says so.
    """
    try:
        ipaddress.ip_address(value)
    except ValueError:
        check_name(value)


def is_name(value: str) -> bool:
    """Say whether a text is a name of the DNS."""
    labels = value.removesuffix(".").split(".")
    return len(value) <= NAME_LENGTH and all(_is_label(label) for label in labels)


def _is_label(label: str) -> bool:
    if not label.isascii():
        try:
            label = label.encode("idna").decode()
        except UnicodeError:
            return False
    return bool(LABEL.match(label))


def check_owner(value: str) -> None:
    """Refuse what cannot stand to the left of a record: "@", a name within the zone, "*" before it.

    Raises:
        ValidationError: says so.
    """
    rest = value.removeprefix("*.")
    if value not in {"@", "*"} and (rest.endswith(".") or not is_name(rest)):
        raise ValidationError(
            _("%(value)s is not a name within the zone; @ is the zone itself.")
            % {"value": value}
        )


def cleaned(kind: str, value: str) -> str:
    """Give the value of a record as it is kept.

    Args:
        kind: type, such as "MX". value: as in a zone file: "10 mail.example.com.".

    Raises:
        ValidationError: no value of this type; says how one looks.
    """
    text = " ".join(value.split()) if kind != "TXT" else value.strip()
    read, example = READERS[kind]
    try:
        return read(text)
    except ValueError as error:
        raise ValidationError(
            _("This is no value of a record of type %(kind)s, such as %(example)s.")
            % {"kind": kind, "example": example}
        ) from error


def _name(text: str) -> str:
    if not is_name(text):
        raise ValueError(text)
    return text.lower()


def _number(text: str) -> str:
    if not (text.isascii() and text.isdecimal() and int(text) < 2**16):
        raise ValueError(text)
    return str(int(text))


def _numbers_and_name(count: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        *numbers, target = text.split(" ")
        if len(numbers) != count:
            raise ValueError(text)
        # A target "." says: not offered here (RFC 2782 and 7505).
        name = target if target == "." else _name(target)
        return " ".join([*map(_number, numbers), name])

    return read


def _text(text: str) -> str:
    if not text or not text.isprintable():
        raise ValueError(text)
    return text


def _caa(text: str) -> str:
    found = CAA.match(text)
    if not found or int(found["flags"]) > 255 or not found["value"].isprintable():
        raise ValueError(text)
    return f'{int(found["flags"])} {found["tag"]} "{found["value"]}"'


READERS: dict[str, tuple[Callable[[str], str], str]] = {
    "A": (lambda text: str(ipaddress.IPv4Address(text)), "192.0.2.7"),
    "AAAA": (lambda text: str(ipaddress.IPv6Address(text)), "2001:db8::7"),
    "CNAME": (_name, "www.example.com."),
    "NS": (_name, "ns1.example.com."),
    "PTR": (_name, "host.example.com."),
    "MX": (_numbers_and_name(1), "10 mail.example.com."),
    "SRV": (_numbers_and_name(3), "10 5 5060 sip.example.com."),
    "TXT": (_text, "v=spf1 -all"),
    "CAA": (_caa, '0 issue "letsencrypt.org"'),
}
