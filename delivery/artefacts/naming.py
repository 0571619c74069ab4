"""Names of releases as hosts say them: the number of the artefact, a dash, the beginning of its SHA-256."""

from collections.abc import Iterable

# A longer number is none of ours, and none that a database takes.
LONGEST_NUMBER = 9


def numbers_named(releases: Iterable[str]) -> set[int]:
    """Give the numbers of the artefacts that names of releases speak of; what speaks of none is left out."""
    numbers = {release.partition("-")[0] for release in releases}
    return {
        int(one)
        for one in numbers
        if one.isascii() and one.isdecimal() and len(one) <= LONGEST_NUMBER
    }
