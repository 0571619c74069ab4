"""How many series of the portal's own metrics a host may have in a day: parts that keep changing their names must not fill the store.

Nearly every host sends a few lists of names for months. So long as the lists of a day are few enough together, nothing is
looked at name by name; from then on each new name is counted. Each process counts for itself, and anew after a start.
"""

from collections.abc import Collection, Iterable

from monitor.records import DAY_SECONDS, Clock, remember
from monitor.series import Names

# Of the limit: lists with so many names together are not looked into.
FREELY = 4
# A host that has had more lists of names today is judged anew for each.
MOST_LISTS = 500
NONE: frozenset[str] = frozenset()


class _Day:
    """What one host sent today.

    Attributes:
        lists: hash of a list of names -> those of them that are too many.
        together: names of all lists, as often as they are in one.
        names: the names since they are counted one by one, None before.
    """

    __slots__ = ("day", "lists", "names", "together")

    def __init__(self, day: int) -> None:
        self.day, self.together = day, 0
        self.lists: dict[int, frozenset[str]] = {}
        self.names: set[str] | None = None


class DailyLimit:
    """Lets about so many series of each host in each day; threads may share it: at worst a name is counted late."""

    def __init__(self, limit: int, clock: Clock) -> None:
        self._limit, self._clock = limit, clock
        self._days: dict[int, _Day] = {}

    def refused(
        self, host_id: int, lists: Iterable[Names], others: Collection[str] = NONE
    ) -> frozenset[str]:
        """Give those names that are too many today.

        Args:
            lists: the names of some samples.
            others: names that another limit counts.
        """
        today = int(self._clock() // DAY_SECONDS)
        known = self._days.get(host_id)
        if known is None or known.day != today:
            known = _Day(today)
            remember(self._days, host_id, known)
        found = NONE
        for names in lists:
            place = hash(names)
            beyond = known.lists.get(place)
            if beyond is None:
                beyond = self._judged(known, names, others)
                if len(known.lists) >= MOST_LISTS:
                    known.lists.clear()
                known.lists[place] = beyond
            found = found | beyond if beyond else found
        return found

    def _judged(
        self, known: _Day, names: Names, others: Collection[str]
    ) -> frozenset[str]:
        mine = [name for name in names if name not in others]
        if known.names is None:
            known.together += len(mine)
            if known.together <= self._limit // FREELY:
                return NONE
            known.names = set()
        new = [name for name in mine if name not in known.names]
        room = max(self._limit - len(known.names), 0)
        known.names.update(new[:room])
        return frozenset(new[room:])
