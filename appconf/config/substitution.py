"""Templates of configuration files: `${NAME}`, `${NAME:-default}` and `$$`, put in as text and never run as code.

Only `${` means something: `$name` of nginx or of a shell stands as it is. What was put in is not looked at again.
"""

import re
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from adminset.errors import DomainError

NAME = r"[A-Za-z_][A-Za-z0-9_]*"
SHOWN_PROBLEMS = 20


class _Template(string.Template):
    """`string.Template` with braces only; what stands in the braces may have a default."""

    pattern: ClassVar[Any] = rf"""
        \$(?:
            (?P<escaped>\$) |
            (?P<named>(?!)) |
            \{{(?P<braced>{NAME}(?::-[^{{}}\n]*)?)\}} |
            (?P<invalid>(?=\{{))
        )
    """
    flags = re.ASCII


@dataclass(frozen=True)
class Problem:
    """Why a template cannot be filled in: the line, counted from 1, and the name; "" where there is none to read."""

    line: int
    name: str

    def __str__(self) -> str:
        if self.name:
            words = _("Line %(line)s: there is no variable %(name)s.")
            return words % {"line": self.line, "name": self.name}
        words = _(
            "Line %(line)s: after ${ a name and } are missing. Write $$ for a dollar sign."
        )
        return words % {"line": self.line}


class _Values(Mapping[str, str]):
    """What stands in braces -> its value, or the default that is written beside it."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def __getitem__(self, asked: str) -> str:
        name, has_default, default = asked.partition(":-")
        if has_default:
            return self._values.get(name) or default
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def names_in(text: str) -> list[str]:
    """List the names that a template asks for, each once, in their order."""
    found = (one.partition(":-")[0] for _line, one in _asked(text) if one)
    return list(dict.fromkeys(found))


def problems(text: str, known: Iterable[str]) -> list[Problem]:
    """List what stands in the way of filling a template in: names nobody knows and that have no default, and broken braces."""
    names = set(known)
    return [
        Problem(line, asked)
        for line, asked in _asked(text)
        if not asked or (":-" not in asked and asked not in names)
    ]


def render(text: str, values: Mapping[str, str]) -> str:
    """Fill a template in; an empty value gives way to a default, as in a shell.

    Raises:
        DomainError: a name is not known, or braces are broken; says the line and the name (code `template`).
    """
    if found := problems(text, values):
        listed = " ".join(str(each) for each in found[:SHOWN_PROBLEMS])
        raise DomainError(
            _("The template cannot be filled in."),
            listed,
            code="template",
        )
    return _Template(text).substitute(_Values(values))


def _asked(text: str) -> Iterator[tuple[int, str]]:
    """Give (line, what stands in the braces) of each place; "" where nothing can be read there."""
    line, seen = 1, 0
    for found in _Template.pattern.finditer(text):
        if found["escaped"] is not None:
            continue
        line += text.count("\n", seen, found.start())
        seen = found.start()
        yield line, found["braced"] or ""
