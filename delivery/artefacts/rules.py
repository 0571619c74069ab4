"""Which files of a folder become part of an artefact: rules as in .gitignore."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from pathspec import GitIgnoreSpec

MOST_RULES = 200
LONGEST_RULE = 500


def check_rules(lines: Iterable[str]) -> None:
    """Accept rules in the style of .gitignore.

    Raises:
        ValidationError: too many, too long, or one that cannot be read; a sentence.
    """
    listed = list(lines)
    if len(listed) > MOST_RULES:
        raise ValidationError(
            _("There are more than %(most)s rules."), params={"most": MOST_RULES}
        )
    for line in listed:
        if len(line) > LONGEST_RULE or any(sign in line for sign in "\0\r\n"):
            raise ValidationError(
                _("The rule %(rule)s is too long, or has line ends in it."),
                params={"rule": line[:80]},
            )
        try:
            _spec([line])
        except ValueError:
            raise ValidationError(
                _("The rule %(rule)s cannot be read."), params={"rule": line[:80]}
            ) from None


def _spec(lines: Iterable[str]) -> GitIgnoreSpec:
    # RE2: no rule can be made that takes forever.
    return GitIgnoreSpec.from_lines(lines, backend="re2")


@dataclass(frozen=True)
class Rules:
    """What is taken: all, or what `include` says; without what `exclude` says. A later line wins, `!` takes back."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @cached_property
    def _included(self) -> GitIgnoreSpec | None:
        lines = [line for line in self.include if line.strip()]
        return _spec(lines) if lines else None

    @cached_property
    def _excluded(self) -> GitIgnoreSpec:
        return _spec(self.exclude)

    @cached_property
    def _takes_back(self) -> bool:
        return any(line.startswith("!") for line in self.exclude)

    def takes(self, path: str) -> bool:
        """Say whether a file, link or empty folder (with `/` behind) is taken."""
        if self._included is not None and not self._included.match_file(path):
            return False
        return not self._excluded.match_file(path)

    def skips_folder(self, path: str) -> bool:
        """Say whether nothing below a folder can be taken, so that one need not look."""
        return not self._takes_back and self._excluded.match_file(f"{path}/")
