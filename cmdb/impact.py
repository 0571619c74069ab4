"""What stands or falls with an object: a walk over relations and edges, level by level, never past what the reader may see."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Model, Q

from adminset.crud.resource import resource_of
from adminset.querysets import scope_of
from cmdb.edges import Edge, all_edges
from cmdb.extensions import falls
from cmdb.related import Key, key_of, nameable, relatable, seen_by_key
from cmdb.relations import Relation, RelationKind

IMPACT = RelationKind.Impact
# Which relations are walked from the source to the target, and which the other way, to what falls.
TO_TARGET = (IMPACT.TARGET, IMPACT.BOTH)
TO_SOURCE = (IMPACT.SOURCE, IMPACT.BOTH)
DOWN, UP = "down", "up"

# (where the walk is, where it goes, words of the step)
Step = tuple[Key, Key, str]


@dataclass(frozen=True)
class Node:
    """An object of the picture; `level` is the number of steps to it."""

    key: Key
    name: str
    url: str
    kind: str
    level: int


@dataclass
class Picture:
    """What was found.

    Attributes:
        steps: (from, to, words), in the direction of the walk.
        hidden: objects that the reader may not see; the walk ends at them.
        cut: more objects than ADMINSET_IMPACT_MAX_NODES. deep: there may be more behind the last level.
    """

    nodes: dict[Key, Node] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    hidden: set[Key] = field(default_factory=set)
    cut: bool = False
    deep: bool = False


def picture(user: Any, instance: Model, direction: str = DOWN) -> Picture:
    """Walk from an object to all that falls with it (DOWN), or to all that it stands on (UP)."""
    walk = _Walk(user, down=direction != UP)
    walk.add(instance, 0)
    frontier: set[Key] = {key_of(instance)}
    for level in range(1, settings.IMPACT_MAX_DEPTH + 1):
        if frontier:
            frontier = walk.level(frontier, level)
    walk.found.hidden -= walk.found.nodes.keys()
    walk.found.deep = bool(frontier)
    return walk.found


class _Walk:
    def __init__(self, user: Any, *, down: bool) -> None:
        self.user, self.down = user, down
        self.most = settings.IMPACT_MAX_NODES
        self.found = Picture()
        beyond = {each.kind: resource_of(each.kind) for each in falls}
        self.known = relatable() | {key: one for key, one in beyond.items() if one}

    def add(self, row: Any, level: int) -> bool:
        """Put an object into the picture; False: it was there, or there is no room."""
        key = key_of(row)
        if key in self.found.nodes:
            return False
        if len(self.found.nodes) >= self.most:
            self.found.cut = True
            return False
        kind = str(row._meta.verbose_name)
        self.found.nodes[key] = Node(key, str(row), row.get_absolute_url(), kind, level)
        return True

    def level(self, frontier: set[Key], level: int) -> set[Key]:
        """Go one step on from some objects; gives those that are new."""
        ids: dict[str, set[int]] = defaultdict(set)
        for label, pk in frontier:
            ids[label].add(pk)
        found: dict[Key, Any] = {}
        steps = [*self._relations(ids, found), *self._beyond(ids, found)]
        for edge in all_edges():
            if {edge.source, edge.target} <= self.known.keys():
                steps += self._edge(edge, ids, found)
        fresh = {key for key, row in found.items() if self.add(row, level)}
        there = self.found.nodes
        drawn = {(a, b) for a, b, _words in self.found.steps}
        self.found.steps += [
            step
            for step in dict.fromkeys(steps)
            if step[0] in there and step[1] in there and step[:2] not in drawn
        ]
        return fresh

    # ---- relations that people set

    def _relations(
        self, ids: dict[str, set[int]], found: dict[Key, Any]
    ) -> Iterator[Step]:
        with_it, against = (TO_TARGET, TO_SOURCE)[:: 1 if self.down else -1]
        on = Q(kind__impact__in=with_it) & _any_of("from", ids)
        back = Q(kind__impact__in=against) & _any_of("to", ids)
        rows = Relation.objects.filter(on | back).select_related("kind").order_by("pk")
        steps = [
            step
            for row in self._limited(rows)
            for step in _steps_of(row, ids, with_it, against)
        ]
        return self._to_seen(steps, found)

    def _to_seen(self, steps: list[Step], found: dict[Key, Any]) -> Iterator[Step]:
        """Keep the steps to what the reader may see; the rest is counted."""
        far = {step[1] for step in steps}
        seen = seen_by_key(self.user, far, known=self.known)
        self._hide(far - seen.keys())
        found |= seen
        return (step for step in steps if step[1] in seen)

    def _beyond(
        self, ids: dict[str, set[int]], found: dict[Key, Any]
    ) -> Iterator[Step]:
        """Go on into the rooms above: what is there falls, and nothing here falls with it."""
        ways = [
            way
            for each in falls
            if self.down
            for way in self._cut(each.steps(self.user, ids, self.most + 1))
        ]
        self._hide({far for _near, far, _words, is_told in ways if not is_told})
        told = [(near, far, words) for near, far, words, is_told in ways if is_told]
        return self._to_seen(told, found)

    def _limited(self, rows: Any) -> list[Any]:
        return self._cut(list(rows[: self.most + 1]))

    def _cut(self, listed: list[Any]) -> list[Any]:
        self.found.cut |= len(listed) > self.most
        return listed[: self.most]

    def _hide(self, keys: Iterable[Key]) -> None:
        """Count what is there and not for the reader; an end whose object is gone is nothing."""
        wanted: dict[str, set[int]] = defaultdict(set)
        for label, pk in keys:
            wanted[label].add(pk)
        for label, pks in wanted.items():
            if label in self.known:
                rows = self.known[label].model._base_manager.filter(pk__in=pks)
                there = rows.values_list("pk", flat=True)
                self.found.hidden |= {(label, pk) for pk in there}

    # ---- foreign keys

    def _edge(
        self, edge: Edge, ids: dict[str, set[int]], found: dict[Key, Any]
    ) -> Iterator[Step]:
        if edge.target_falls == self.down:
            return self._to_target(edge, ids.get(edge.source, set()), found)
        return self._to_source(edge, ids.get(edge.target, set()), found)

    def _to_target(
        self, edge: Edge, pks: set[int], found: dict[Key, Any]
    ) -> Iterator[Step]:
        if not pks:
            return
        rows = edge.model._base_manager.filter(edge.condition, pk__in=pks)
        pairs = list(rows.order_by("pk").values_list("pk", f"{edge.field}_id"))
        far = {(edge.target, key) for _pk, key in pairs}
        seen = seen_by_key(self.user, far)
        self.found.hidden |= far - seen.keys()
        found |= seen
        for pk, key in pairs:
            if (edge.target, key) in seen:
                yield (edge.source, pk), (edge.target, key), str(edge.name)

    def _to_source(
        self, edge: Edge, pks: set[int], found: dict[Key, Any]
    ) -> Iterator[Step]:
        if not pks:
            return
        resource = self.known[edge.source]
        on = edge.condition & Q(**{f"{edge.field}__in": pks})
        seen = resource.rows(self.user)
        for row in self._limited(nameable(seen.filter(on))):
            found[key_of(row)] = row
            near = (edge.target, getattr(row, f"{edge.field}_id"))
            yield near, key_of(row), str(edge.reverse_name)
        if not scope_of(self.user, resource.permission("view")).everything:
            beyond = resource.model._base_manager.filter(on)
            beyond = beyond.exclude(pk__in=seen.order_by().values("pk"))
            hidden = beyond.order_by("pk").values_list("pk", flat=True)
            self.found.hidden |= {(edge.source, pk) for pk in self._limited(hidden)}


def _any_of(side: str, ids: dict[str, set[int]]) -> Q:
    found = Q(pk__in=())
    for label, pks in ids.items():
        found |= Q(**{f"{side}_type": label, f"{side}_id__in": pks})
    return found


def _steps_of(
    row: Relation, ids: dict[str, set[int]], with_it: Any, against: Any
) -> Iterator[Step]:
    source, target = (row.from_type, row.from_id), (row.to_type, row.to_id)
    if row.kind.impact in with_it and row.from_id in ids.get(row.from_type, ()):
        yield source, target, row.kind.name
    if row.kind.impact in against and row.to_id in ids.get(row.to_type, ()):
        yield target, source, row.kind.reverse_name


def as_json(found: Picture) -> dict[str, Any]:
    """Give a picture as the page's script and the API's callers take it."""
    numbers = {key: number for number, key in enumerate(found.nodes)}
    return {
        "nodes": [
            {
                "type": node.key[0],
                "id": node.key[1],
                "name": node.name,
                "kind": node.kind,
                "url": node.url,
                "level": node.level,
            }
            for node in found.nodes.values()
        ],
        "links": [
            {"source": numbers[near], "target": numbers[far], "words": str(words)}
            for near, far, words in found.steps
        ],
        "hidden": len(found.hidden),
        "cut": found.cut,
        "deep": found.deep,
    }
