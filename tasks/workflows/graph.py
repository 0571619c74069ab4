"""Steps and edges as a graph, without a database: what may follow what, what can never run, what comes next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from adminset.errors import DomainError
from tasks.workflow_models import WorkflowEdge, WorkflowStep

When = WorkflowEdge.When
# What never fails: nothing follows its failure.
SAFE = (WorkflowStep.Does.WAIT,)


@dataclass(frozen=True)
class Edge:
    """One step after another, by their keys."""

    source: str
    target: str
    when: str = When.SUCCESS


@dataclass(frozen=True)
class Node:
    """A step as the graph knows it."""

    key: str
    does: str = WorkflowStep.Does.WORK
    join: str = WorkflowStep.Join.ALL
    title: str = ""


@dataclass(frozen=True)
class Graph:
    """Nodes in their order, and the edges between them."""

    nodes: Sequence[Node]
    edges: Sequence[Edge]

    def into(self, key: str) -> list[Edge]:
        """Give the edges that lead to a step."""
        return [edge for edge in self.edges if edge.target == key]

    def out_of(self, key: str) -> list[Edge]:
        """Give the edges that lead away from a step."""
        return [edge for edge in self.edges if edge.source == key]

    def before(self, key: str) -> set[str]:
        """Give the keys of all steps that come before one."""
        return self._walk(key, lambda at: [edge.source for edge in self.into(at)])

    def after(self, key: str) -> set[str]:
        """Give the keys of all steps that come after one."""
        return self._walk(key, lambda at: [edge.target for edge in self.out_of(at)])

    def _walk(self, key: str, further: Any) -> set[str]:
        found: set[str] = set()
        left = [key]
        while left:
            for other in further(left.pop()):
                if other not in found:
                    found.add(other)
                    left.append(other)
        return found

    def layers(self) -> dict[str, int]:
        """Give each step its layer: one more than the lowest of those before it (the longest way from a start).

        Raises:
            DomainError: steps wait for each other in a circle; names them.
        """
        depth: dict[str, int] = {}
        left = {node.key for node in self.nodes}
        while left:
            ripe = [
                key
                for key in left
                if not {edge.source for edge in self.into(key)} & left
            ]
            if not ripe:
                raise DomainError(
                    _("These steps wait for each other in a circle: %(steps)s.")
                    % {"steps": ", ".join(sorted(left))},
                    _("Take one of the conditions away."),
                    code="workflow_circle",
                )
            for key in ripe:
                sources = [depth[edge.source] for edge in self.into(key)]
                depth[key] = max(sources, default=-1) + 1
            left -= set(ripe)
        return depth


def graph_of(definition: Mapping[str, Any]) -> Graph:
    """Read the graph of a frozen definition."""
    nodes = [
        Node(step["key"], step["does"], step["join"], step["title"])
        for step in definition["steps"]
    ]
    edges = [
        Edge(edge["source"], edge["target"], edge["when"])
        for edge in definition["edges"]
    ]
    return Graph(nodes, edges)


def check_graph(graph: Graph) -> None:
    """Let pass what can run.

    Raises:
        DomainError: a circle, an edge to nowhere, or a step that can never run; says which, and why.
    """
    known = {node.key for node in graph.nodes}
    lost = [edge for edge in graph.edges if {edge.source, edge.target} - known]
    if lost:
        raise DomainError(
            _("A condition names the step %(name)s, which is not there.")
            % {"name": ({lost[0].source, lost[0].target} - known).pop()},
            code="workflow_edge",
        )
    layers = graph.layers()
    wants: dict[str, dict[str, set[str]]] = {}
    for node in sorted(graph.nodes, key=lambda each: layers[each.key]):
        _check_failures(graph, node)
        wants[node.key] = _wants(graph, node, wants)


def _check_failures(graph: Graph, node: Node) -> None:
    """Refuse what follows the failure of a step that cannot fail."""
    if node.does not in SAFE:
        return
    for edge in graph.out_of(node.key):
        if edge.when == When.FAILURE:
            raise DomainError(
                _(
                    "The step %(step)s can never run: it follows the failure of %(other)s, and a wait does not fail."
                )
                % {"step": edge.target, "other": node.key},
                _("Let it follow the success, or any end."),
                code="workflow_unreachable",
            )


def _wants(
    graph: Graph, node: Node, known: Mapping[str, Mapping[str, set[str]]]
) -> dict[str, set[str]]:
    """Say how earlier steps must have ended for a step to run: key -> {"success"} or {"failure"}.

    Raises:
        DomainError: both at once: it can never run.
    """
    ways = [_wants_of(edge, known) for edge in graph.into(node.key)]
    if node.join == WorkflowStep.Join.ANY and ways:
        shared = set.intersection(*({*way} for way in ways))
        return {
            key: set.union(*(way[key] for way in ways))
            for key in shared
            if len(set.union(*(way[key] for way in ways))) == 1
        }
    together: dict[str, set[str]] = {}
    for way in ways:
        for key, ends in way.items():
            together.setdefault(key, set()).update(ends)
    for key, ends in together.items():
        if len(ends) > 1:
            raise DomainError(
                _(
                    "The step %(step)s can never run: it asks that %(other)s ended well, and that it did not."
                )
                % {"step": node.key, "other": key},
                _("Let it begin when one of its conditions is met, or take one away."),
                code="workflow_unreachable",
            )
    return together


def _wants_of(
    edge: Edge, known: Mapping[str, Mapping[str, set[str]]]
) -> dict[str, set[str]]:
    found = {key: set(ends) for key, ends in known[edge.source].items()}
    if edge.when != When.ALWAYS:
        found.setdefault(edge.source, set()).add(edge.when)
    return found


# How a step ended, as the edges see it: "success", "failure", or "" where it did not run.
Ends = Mapping[str, str | None]


def is_met(edge: Edge, ends: Ends) -> bool:
    """Say whether an edge is met by how its source ended."""
    end = ends[edge.source]
    return bool(end) and (edge.when in (When.ALWAYS, end))


def next_move(graph: Graph, node: Node, ends: Ends) -> str:
    """Say what becomes of a step that has not begun: "ready", "skipped", or "" while others decide.

    Args:
        ends: key -> "success", "failure", "" for what was skipped or cancelled; None while it goes on.
    """
    decided = _by_edges(graph, node, ends)
    if decided != "ready" or node.key not in unapproved(graph, ends):
        return decided
    asked = _approvals(graph) & graph.before(node.key)
    return "" if any(ends[key] is None for key in asked) else "skipped"


def _by_edges(graph: Graph, node: Node, ends: Ends) -> str:
    edges = graph.into(node.key)
    met = [is_met(edge, ends) for edge in edges]
    if node.join == WorkflowStep.Join.ANY and any(met):
        return "ready"
    if any(ends[edge.source] is None for edge in edges):
        return ""
    return "ready" if all(met) else "skipped"


def _approvals(graph: Graph) -> set[str]:
    return {node.key for node in graph.nodes if node.does == WorkflowStep.Does.APPROVAL}


def unapproved(graph: Graph, ends: Ends) -> set[str]:
    """Name the steps behind an approval that is not given (any more).

    It may be asked for anew when steps behind it have ended already: nothing further begins because of those.
    """
    asked, found = _approvals(graph), set[str]()
    layers = graph.layers()
    for node in sorted(graph.nodes, key=lambda each: layers[each.key]):
        ways = [
            edge.source not in found
            and (edge.source not in asked or is_met(edge, ends))
            for edge in graph.into(node.key)
        ]
        enough = any if node.join == WorkflowStep.Join.ANY else all
        if ways and not enough(ways):
            found.add(node.key)
    return found


def unhandled(graph: Graph, failed: Iterable[str]) -> list[str]:
    """Give the failed steps whose failure nothing follows: they make the whole fail."""
    return [
        key
        for key in failed
        if not any(edge.when != When.SUCCESS for edge in graph.out_of(key))
    ]
