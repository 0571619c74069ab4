"""Typed readers of settings from the environment, `.env` and `*_FILE` secrets: a bad value says which, what and what is wanted."""

import ipaddress
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured
from dotenv import load_dotenv

T = TypeVar("T")

TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off"}


def load(path: Path) -> None:
    """Read `.env` beside manage.py; what the environment already says wins."""
    load_dotenv(path, override=False)


def text(name: str, default: str = "") -> str:
    """Read a string; `<name>_FILE` names a file that holds it (for secrets).

    Raises:
        ImproperlyConfigured: both are set, or the file cannot be read.
    """
    file_name = os.environ.get(f"{name}_FILE", "")
    if not file_name:
        return os.environ.get(name, default)
    if name in os.environ:
        raise ImproperlyConfigured(
            f"{name} and {name}_FILE are both set. Keep one of them."
        )
    try:
        return Path(file_name).read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise ImproperlyConfigured(
            f"{name}_FILE names {file_name!r}, which is not text in UTF-8. "
            "Name a file that holds the value alone."
        ) from None
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name}_FILE names {file_name!r}, which cannot be read ({error.strerror}). "
            "Name a file that the portal's user may read."
        ) from error


def _typed(name: str, wanted: str, read: Callable[[str], T], default: T) -> T:
    raw = text(name)
    if raw == "":
        return default
    try:
        return read(raw)
    except (KeyError, ValueError) as error:
        raise ImproperlyConfigured(f"{name} is {raw!r}; wanted: {wanted}.") from error


def integer(name: str, default: int, *, least: int = 0, most: int = 2**53) -> int:
    """Read a whole number between `least` and `most`, both included."""

    def read(raw: str) -> int:
        number = int(raw)
        if not least <= number <= most:
            raise ValueError(raw)
        return number

    return _typed(name, f"a whole number from {least} to {most}", read, default)


def boolean(name: str, default: bool) -> bool:
    """Read yes or no."""

    def read(raw: str) -> bool:
        word = raw.strip().lower()
        return {**dict.fromkeys(TRUE_WORDS, True), **dict.fromkeys(FALSE_WORDS, False)}[
            word
        ]

    return _typed(name, "one of 1, true, yes, on, 0, false, no, off", read, default)


def words(name: str, default: list[str]) -> list[str]:
    """Read a list separated by commas."""
    return _typed(
        name,
        "words separated by commas",
        lambda raw: [word.strip() for word in raw.split(",") if word.strip()],
        default,
    )


def networks(name: str) -> list[str]:
    """Read a list of networks ("10.0.0.0/8,192.0.2.7"); none: an empty list."""

    def read(raw: str) -> list[str]:
        listed = [word.strip() for word in raw.split(",") if word.strip()]
        for each in listed:
            ipaddress.ip_network(each)
        return listed

    return _typed(name, "networks such as 10.0.0.0/8, separated by commas", read, [])


def user_and_group(name: str) -> tuple[int, int] | None:
    """Read numbers of a user and a group ("990:990"); none: None."""

    def read(raw: str) -> tuple[int, int] | None:
        user, group = (int(part) for part in raw.split(":"))
        if min(user, group) < 1:
            raise ValueError(raw)
        return user, group

    return _typed(name, "numbers of a user and a group, such as 990:990", read, None)


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """Read one of a few words."""

    def read(raw: str) -> str:
        if raw not in allowed:
            raise ValueError(raw)
        return raw

    return _typed(name, "one of " + ", ".join(allowed), read, default)
