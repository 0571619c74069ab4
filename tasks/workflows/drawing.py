"""Draws a workflow as SVG: steps in rows, one row below the other, edges between them; states in colour and in words."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from tasks.models import WorkflowEdge, WorkflowStep
from tasks.workflows.graph import Edge, Graph, graph_of

WIDTH, HEIGHT = 172, 58
GAP_X, GAP_Y, EDGE = 16, 44, 10
# A long edge goes past the steps of the rows between on a way of its own.
LANE = 20
CHARACTERS = 20
SWEEPS = 4


@dataclass
class Box:
    """A step: its corner, and what stands in it."""

    key: str
    x: int
    y: int
    title: str
    text: str
    words: str
    state: str
    icon: str
    url: str = ""

    @property
    def middle(self) -> int:
        """Give the x of its middle."""
        return self.x + WIDTH // 2


@dataclass
class Line:
    """An edge: the way, the tip of its arrow, and when it is met."""

    path: str
    tip: str
    when: str
    words: str


@dataclass
class Picture:
    """What the template draws (tasks/workflows/_drawing.html)."""

    width: int = 0
    height: int = 0
    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    box_width: int = WIDTH
    box_height: int = HEIGHT


@dataclass
class _Slot:
    """A place in a row: a step, or the way of a long edge past it."""

    key: str
    above: list["_Slot"] = field(default_factory=list)
    wide: int = WIDTH
    place: float = 0
    x: int = 0


def draw(
    definition: Mapping[str, Any], states: Mapping[str, Mapping[str, str]] | None = None
) -> Picture:
    """Lay a workflow out.

    Args:
        states: key of a step -> {"state", "label", "url"}; without, only the definition is drawn.
    """
    graph = graph_of(definition)
    if not graph.nodes:
        return Picture()
    rows, ways = _rows(graph)
    width = max(_wide(row) for row in rows) + 2 * EDGE
    for row in rows:
        _place(row, width)
    layers = graph.layers()
    boxes = {}
    for step in definition["steps"]:
        slot = next(s for s in rows[layers[step["key"]]] if s.key == step["key"])
        top = EDGE + layers[step["key"]] * (HEIGHT + GAP_Y)
        boxes[step["key"]] = _box(step, slot.x, top, (states or {}).get(step["key"]))
    lines = [_line(edge, ways[edge], layers) for edge in graph.edges]
    height = 2 * EDGE + len(rows) * HEIGHT + (len(rows) - 1) * GAP_Y
    return Picture(width, height, list(boxes.values()), lines)


def _rows(graph: Graph) -> tuple[list[list[_Slot]], dict[Edge, list[_Slot]]]:
    """Put steps, and the ways of long edges, into rows, and order each row by what stands above it."""
    layers = graph.layers()
    rows: list[list[_Slot]] = [[] for _row in range(max(layers.values()) + 1)]
    slots = {node.key: _Slot(node.key) for node in graph.nodes}
    for node in graph.nodes:
        rows[layers[node.key]].append(slots[node.key])
    ways: dict[Edge, list[_Slot]] = {}
    for edge in graph.edges:
        way = [slots[edge.source]]
        for layer in range(layers[edge.source] + 1, layers[edge.target]):
            lane = _Slot("", [way[-1]], wide=LANE)
            rows[layer].append(lane)
            way.append(lane)
        slots[edge.target].above.append(way[-1])
        ways[edge] = [*way, slots[edge.target]]
    _order(rows)
    return rows, ways


def _order(rows: list[list[_Slot]]) -> None:
    """Bring each row into the order of what stands above, some times over."""
    for sweep in range(SWEEPS):
        for row in rows:
            if sweep:
                row.sort(key=_pull)
            for number, slot in enumerate(row):
                slot.place = number - (len(row) - 1) / 2


def _pull(slot: _Slot) -> float:
    if not slot.above:
        return slot.place
    return sum(each.place for each in slot.above) / len(slot.above)


def _wide(row: list[_Slot]) -> int:
    return sum(slot.wide for slot in row) + GAP_X * (len(row) - 1)


def _place(row: list[_Slot], width: int) -> None:
    left = (width - _wide(row)) // 2
    for slot in row:
        slot.x = left
        left += slot.wide + GAP_X


def _box(
    step: Mapping[str, Any], x: int, y: int, state: Mapping[str, str] | None
) -> Box:
    known = state or {}
    title = plain(step["title"] or step["key"])
    kind = str(WorkflowStep.Does(step["does"]).label)
    return Box(
        key=step["key"],
        x=x,
        y=y,
        title=shortened(title),
        text=title,
        words=known.get("label") or kind,
        state=known.get("state", ""),
        icon=WorkflowStep.ICONS[step["does"]],
        url=known.get("url", ""),
    )


def plain(text: str) -> str:
    """Take out of a text what would turn or hide what stands beside it: control and format characters."""
    kept = (c for c in text if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
    return "".join(kept).strip() or "?"


def shortened(text: str, most: int = CHARACTERS) -> str:
    """Cut a text to what fits a box; wide characters take two places."""
    room, kept = most, ""
    for character in text:
        room -= 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if room < 0:
            return f"{kept[:-1]}…"
        kept += character
    return kept


def _line(edge: Edge, way: list[_Slot], layers: Mapping[str, int]) -> Line:
    first = layers[edge.source]
    points = [
        (slot.x + slot.wide // 2, EDGE + (first + step) * (HEIGHT + GAP_Y))
        for step, slot in enumerate(way)
    ]
    x, y = points[0][0], points[0][1] + HEIGHT
    path = f"M{x} {y}"
    for at, top in points[1:]:
        half = GAP_Y // 2
        path += f"C{x} {y + half} {at} {top - half} {at} {top}"
        x, y = at, top
        if at != points[-1][0] or top != points[-1][1]:
            path += f"L{at} {top + HEIGHT}"
            y = top + HEIGHT
    words = {
        WorkflowEdge.When.SUCCESS: _("%(target)s after the success of %(source)s"),
        WorkflowEdge.When.FAILURE: _("%(target)s after the failure of %(source)s"),
        WorkflowEdge.When.ALWAYS: _("%(target)s after %(source)s in any case"),
    }[WorkflowEdge.When(edge.when)]
    told = words % {"target": edge.target, "source": edge.source}
    return Line(path, f"M{x - 5} {y - 8}L{x + 5} {y - 8}L{x} {y}Z", edge.when, told)
