"""Finds what stands in quotes in a program's text, in one walk."""

import re
from collections.abc import Iterator

QUOTE = re.compile("[\"'`]")
# What stands behind a quote, with the one that ends it.
REST = {
    '"': re.compile(r'([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL),
    "'": re.compile(r"([^'\\]*(?:\\.[^'\\]*)*)'", re.DOTALL),
    "`": re.compile(r"([^`]*)`"),
}


def strings_of(text: str) -> Iterator[str]:
    """Give the strings; where a quote is not closed, none of its kind behind it is, so that each is looked for once."""
    unclosed = set()
    found = QUOTE.search(text)
    while found:
        quote, at = found.group(), found.end()
        whole = None if quote in unclosed else REST[quote].match(text, at)
        if whole:
            yield whole.group(1)
            at = whole.end()
        else:
            unclosed.add(quote)
        found = QUOTE.search(text, at)
