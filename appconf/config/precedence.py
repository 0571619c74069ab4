"""Which of several values of one name wins, and why: the nearer to the host the stronger."""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

# From the weakest to the strongest.
LEVELS = ("line", "project", "environment", "group", "host")
MASK = "••••"


@dataclass(frozen=True)
class Candidate:
    """One value of a name.

    Attributes:
        level: one of LEVELS. owner: what it hangs on, in words.
        only_here: of a group or host: it is for this project only, and beats one that is for all projects.
        row: the variable itself.
        left_out: why it does not count at all, "" where it does.
    """

    name: str
    level: str
    owner: str
    row: Any
    only_here: bool = False
    is_secret: bool = False
    left_out: str = ""

    @property
    def rank(self) -> tuple[int, bool, str]:
        """The higher wins: by level, then one for this project only, then the later name of the owner."""
        return LEVELS.index(self.level), self.only_here, self.owner

    def value(self, *, reveal: bool = False) -> str:
        """Give the value; of a secret a mask, unless it is `reveal`ed for use."""
        if not self.is_secret:
            return str(self.row.value)
        if not reveal:
            return MASK
        return self.row.secret.reveal() if self.row.secret else ""


@dataclass(frozen=True)
class Decided:
    """What became of one name.

    Attributes:
        winner: None where all candidates are left out.
        lost: the others, the strongest first. clashes: those of them that lost by nothing but the name of their group.
    """

    name: str
    winner: Candidate | None
    lost: tuple[Candidate, ...] = ()
    clashes: tuple[Candidate, ...] = field(default=())

    @property
    def why(self) -> str:
        """Say why the winner wins."""
        if self.winner is None:
            return _("No value counts here.")
        if self.clashes:
            words = _(
                "Groups disagree: %(group)s is the last of them by name. Say it at the host, or in one group only."
            )
            return words % {"group": self.winner.owner}
        if not self.lost:
            return _("It is the only one.")
        rival = next((one for one in self.lost if not one.left_out), None)
        if rival is None:
            return _("It is the only one that counts here.")
        if rival.level == self.winner.level:
            if self.winner.only_here and not rival.only_here:
                return _("It is for this project only.")
            return _("The others say the same.")
        return level_words(self.winner.level, rival.level)


def level_words(winner: str, loser: str) -> str:
    """Say that one level counts more than another."""
    names = level_names()
    words = _("%(winner)s counts more than %(loser)s.")
    told = {"winner": names[winner], "loser": names[loser]}
    return words % told


def level_names() -> dict[str, str]:
    """Give the levels in words."""
    return {
        "line": _("Product line"),
        "project": _("Project"),
        "environment": _("Environment"),
        "group": _("Group"),
        "host": _("Host"),
    }


def decide(candidates: Iterable[Candidate]) -> dict[str, Decided]:
    """Decide for each name which of its candidates wins; the names are sorted."""
    by_name: dict[str, list[Candidate]] = defaultdict(list)
    for each in candidates:
        by_name[each.name].append(each)
    return {name: _one(name, by_name[name]) for name in sorted(by_name)}


def _one(name: str, rows: list[Candidate]) -> Decided:
    counting = sorted(
        (row for row in rows if not row.left_out), key=lambda one: one.rank
    )
    left_out = [row for row in rows if row.left_out]
    if not counting:
        return Decided(name, None, tuple(left_out))
    winner = counting.pop()
    lost = tuple(reversed(counting))
    clashes = tuple(one for one in lost if _clash(winner, one))
    return Decided(name, winner, (*lost, *left_out), clashes)


def _clash(winner: Candidate, other: Candidate) -> bool:
    if (winner.level, winner.only_here) != (other.level, other.only_here):
        return False
    # Two secrets are never compared in the open: each is a value of its own.
    return winner.is_secret or other.is_secret or winner.value() != other.value()


def names_unseen(decided: Mapping[str, Decided], seen: Container[int]) -> set[str]:
    """Name what was won by variables that a reader may not see, by the keys of those that he may."""
    return {
        name
        for name, each in decided.items()
        if each.winner is not None and each.winner.row.pk not in seen
    }


def values_of(
    decided: Mapping[str, Decided], *, reveal: bool = False
) -> dict[str, str]:
    """Give name -> value of what won; of secrets a mask, unless they are `reveal`ed for use."""
    return {
        name: each.winner.value(reveal=reveal)
        for name, each in decided.items()
        if each.winner is not None
    }


def secrets_of(decided: Mapping[str, Decided]) -> dict[str, str]:
    """Open the secrets among what won: name -> plain text, for use and never for display."""
    return {
        name: each.winner.value(reveal=True)
        for name, each in decided.items()
        if each.winner is not None and each.winner.is_secret
    }
