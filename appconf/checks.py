"""What paths, addresses and names of an application may look like; nothing of it ever reaches a shell as text."""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

LONGEST_PATH = 500
# Below them whole systems lie: a release there would bury one.
_LISTED = (
    "/ /bin /boot /dev /etc /home /lib /lib32 /lib64 /libx32 /media /mnt /opt /proc /root /run /sbin /srv /sys"
    " /tmp /usr /usr/bin /usr/lib /usr/local /usr/sbin /usr/share /var /var/lib /var/log /var/run /var/tmp"
)
NOT_THERE = frozenset(_LISTED.split(" "))
NEVER_BELOW = ("/dev", "/proc", "/sys", "/boot")
ADDRESS = re.compile(
    r"\A(?:[a-z][a-z0-9+]*://\S+|[A-Za-z0-9._-]+@[A-Za-z0-9._-]+:[^\s:]\S*)\Z"
)
# https://name:word@host/: the word belongs into a credential.
WORD_INSIDE = re.compile(r"\A[a-z0-9+]+://[^/@\s]*:[^/@\s]*@")

check_variable_name = RegexValidator(
    r"\A[A-Za-z_][A-Za-z0-9_]{0,99}\Z",
    _("Letters, digits and _, no digit in front; at most 100 characters."),
)
check_mode = RegexValidator(r"\A0?[0-7]{3}\Z", _("Three octal digits, such as 0644."))
check_account = RegexValidator(
    r"\A[A-Za-z_][A-Za-z0-9_.-]{0,31}\Z", _("Name of a user or group of the host.")
)
check_ports = RegexValidator(
    r"\A\d{1,5}(/(tcp|udp))?(,\s*\d{1,5}(/(tcp|udp))?)*\Z",
    _("Ports with commas between them, such as 8080, 9000/udp."),
)
check_package_version = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9._+~:-]*\Z",
    _("Letters, digits and . _ + ~ : - only."),
)


def _has_controls(value: str) -> bool:
    return any(ord(letter) < 32 or ord(letter) == 127 for letter in value)


def is_plain_path(value: str) -> bool:
    """Say whether a path is absolute, without `..`, empty parts and characters that nobody sees."""
    parts = value[1:].split("/")
    odd = _has_controls(value) or any(part in {"", ".", ".."} for part in parts)
    return value.startswith("/") and len(value) <= LONGEST_PATH and not odd


def check_absolute(value: str) -> None:
    """Refuse what is no plain absolute path.

    Raises:
        ValidationError: says what one looks like.
    """
    if value and not is_plain_path(value):
        raise ValidationError(_("An absolute path without .., such as /srv/shop."))


def check_deploy_path(value: str) -> None:
    """Refuse a folder that belongs to the system: releases, and what is cleared of them, lie below it.

    Raises:
        ValidationError: says what is wrong.
    """
    check_absolute(value)
    below = any(value == top or value.startswith(f"{top}/") for top in NEVER_BELOW)
    if value and (value in NOT_THERE or below):
        words = _("%(path)s belongs to the system: choose a folder of its own.")
        raise ValidationError(words % {"path": value})


def check_file_path(value: str) -> None:
    """Refuse a path of a configuration file that is neither absolute nor plainly below a folder.

    Raises:
        ValidationError: says what one looks like.
    """
    whole = value if value.startswith("/") else f"/{value}"
    if value.endswith("/") or not is_plain_path(whole):
        raise ValidationError(
            _("A path without .., such as app.conf or /etc/shop/app.conf.")
        )


def check_source_address(value: str) -> None:
    """Refuse an address that a program could take for an option or for another program, and one with a password in it.

    Raises:
        ValidationError: says what is wrong.
    """
    if not value:
        return
    if value.startswith("-") or _has_controls(value) or not ADDRESS.match(value):
        raise ValidationError(
            _("An address such as https://git.example.org/shop.git or git@host:shop.")
        )
    if WORD_INSIDE.match(value):
        raise ValidationError(
            _("Take the password out of the address and choose a credential.")
        )


def octal(value: Any) -> int:
    """Give a mode such as "0644" as a number."""
    return int(str(value), 8)
