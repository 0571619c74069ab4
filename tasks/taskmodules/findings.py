"""What is wrong with a definition: sentences with their places, and ways to read plain values that tell them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from tasks.taskmodules.definitions import LANGUAGES, Words

Path = tuple[str | int, ...]
LONGEST_WORDS = 500


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        path: where in the definition. field: name of the field of the form, "" outside. line: from 1; 0: not known.
    """

    path: Path
    sentence: str
    field: str = ""
    line: int = 0

    def __str__(self) -> str:
        where = []
        if self.line:
            where.append(_("line %(line)s") % {"line": self.line})
        if self.field:
            where.append(_("field %(field)s") % {"field": self.field})
        return f"{', '.join(where)}: {self.sentence}" if where else self.sentence


@dataclass
class Findings:
    """Collects what is wrong while a definition is read."""

    all: list[Finding] = field(default_factory=list)
    of_field: str = ""

    def add(self, path: Path, sentence: str) -> None:
        """Note one thing."""
        self.all.append(Finding(path, sentence, self.of_field))

    def strict(
        self, given: Mapping[str, Any], known: Iterable[str], path: Path
    ) -> None:
        """Note keys that nobody knows."""
        listed = tuple(known)
        for key in given:
            if key not in listed:
                words = _("There is no key %(key)s here. Known: %(known)s.")
                self.add(
                    (*path, key),
                    words % {"key": str(key)[:50], "known": ", ".join(listed)},
                )

    def words(self, given: Any, path: Path) -> Words:
        """Read a text for people, in one language or several."""
        if given is None:
            return ""
        if isinstance(given, dict) and given and set(given) <= set(LANGUAGES):
            return {
                language: self._short(text, (*path, language))
                for language, text in given.items()
            }
        if isinstance(given, dict | list | bool):
            self.add(
                path,
                _("This is a text, or one for each language: `{en: Lines, zh: 行数}`."),
            )
            return ""
        return self._short(given, path)

    def _short(self, given: Any, path: Path) -> str:
        text = self.text(given, path)
        if len(text) > LONGEST_WORDS:
            self.add(
                path,
                _("This is longer than %(most)s characters.") % {"most": LONGEST_WORDS},
            )
        return text[:LONGEST_WORDS]

    def text(self, given: Any, path: Path) -> str:
        """Read a text; numbers and truth values count as they are written."""
        if isinstance(given, bool):
            return "true" if given else "false"
        if isinstance(given, str | int | float):
            text = str(given)
            if "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
                self.add(path, _("This holds a character that no text has."))
                return ""
            return text
        self.add(path, _("A text stands here."))
        return ""

    def flag(self, given: Any, standard: bool, path: Path) -> bool:
        """Read true or false."""
        if given is None:
            return standard
        if not isinstance(given, bool):
            self.add(path, _("This is true or false."))
            return standard
        return given

    def number(self, given: Any, standard: Any, path: Path, low: int, high: int) -> Any:
        """Read a whole number between two."""
        if given is None:
            return standard
        if (
            isinstance(given, bool)
            or not isinstance(given, int)
            or not low <= given <= high
        ):
            words = _("This is a whole number from %(low)s to %(high)s.")
            self.add(path, words % {"low": low, "high": high})
            return standard
        return given
