"""Matchers of labels: equal, not equal, and regular expressions by RE2, which takes linear time whatever is asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from monitor.prometheus.faults import BadQueryError

OPERATORS = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}
MOST_MEMORY = 1 << 20


def _options() -> Any:
    options = re2.Options()
    options.max_mem = MOST_MEMORY
    options.log_errors = False
    options.dot_nl = True
    return options


@lru_cache(maxsize=500)
def _compiled(pattern: str) -> Any:
    """Compile a pattern that must fit a whole value.

    Raises:
        BadQueryError: RE2 does not take it, or it needs too much memory.
    """
    try:
        return re2.compile(pattern, _options())
    except re2.error:
        raise BadQueryError(
            f"{pattern[:100]!a} is no regular expression of RE2, or too large a one."
        ) from None


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label; a label that is missing counts as empty.

    Attributes:
        op: =, !=, =~ or !~.
    """

    name: str
    op: str
    value: str

    def fits(self, text: str) -> bool:
        """Say whether a value fits."""
        if self.op in ("=", "!="):
            return (text == self.value) is (self.op == "=")
        return bool(_compiled(self.value).fullmatch(text)) is (self.op == "=~")


def matcher_of(name: str, op: str, value: str) -> Matcher:
    """Make a matcher as the parser names it.

    Raises:
        BadQueryError: the regular expression is none.
    """
    found = Matcher(name, OPERATORS[op], value)
    if found.op in ("=~", "!~"):
        _compiled(value)
    return found


def all_fit(matchers: tuple[Matcher, ...], labels: Mapping[str, str]) -> bool:
    """Say whether labels fit all matchers."""
    return all(matcher.fits(labels.get(matcher.name, "")) for matcher in matchers)
