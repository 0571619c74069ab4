"""Which workflows can run, and what comes next, without a database."""

from __future__ import annotations

import pytest

from adminset.errors import DomainError
from tasks.workflows.graph import Edge, Graph, Node, check_graph, next_move, unhandled

WHEN = {">": "success", "!": "failure", "*": "always"}


def graph(nodes: str, *edges: str, **joins: str) -> Graph:
    """Make one: "a b wait" and "a>b", "a!b", "a*b"."""
    made = [
        Node(key, "wait" if key == "wait" else "work", joins.get(key, "all"))
        for key in nodes.split()
    ]
    found = []
    for edge in edges:
        mark = next(c for c in edge if c in WHEN)
        source, target = edge.split(mark)
        found.append(Edge(source, target, WHEN[mark]))
    return Graph(made, found)


def test_a_circle_is_refused_and_named() -> None:
    with pytest.raises(DomainError, match="circle: b, c"):
        check_graph(graph("a b c", "a>b", "b>c", "c>b"))


def test_an_edge_to_nowhere_is_refused() -> None:
    with pytest.raises(DomainError, match="ghost"):
        check_graph(graph("a", "ghost>a"))


def test_a_step_that_wants_success_and_failure_of_the_same_can_never_run() -> None:
    with pytest.raises(DomainError, match="d can never run: it asks that a"):
        check_graph(graph("a b c d", "a>b", "a!c", "b>d", "c>d"))


def test_the_same_with_one_of_them_is_fine() -> None:
    made = graph("a b c d", "a>b", "a!c", "b>d", "c>d", d="any")
    assert check_graph(made) is None


def test_what_every_way_to_a_step_wants_still_binds_it() -> None:
    with pytest.raises(DomainError, match="e can never run"):
        check_graph(
            graph("a b c d e", "a>b", "a>c", "b>d", "c>d", "a!e", "d>e", d="any")
        )


def test_nothing_follows_the_failure_of_a_wait() -> None:
    with pytest.raises(DomainError, match="a wait does not fail"):
        check_graph(graph("wait b", "wait!b"))


def test_layers_are_the_longest_way() -> None:
    layers = graph("a b c d", "a>b", "b>c", "a>d", "c>d").layers()
    assert layers == {"a": 0, "b": 1, "c": 2, "d": 3}


@pytest.mark.parametrize(
    ("edge", "end", "decided"),
    [
        ("a>b", None, ""),
        ("a>b", "success", "ready"),
        ("a>b", "failure", "skipped"),
        ("a>b", "", "skipped"),
        ("a!b", "failure", "ready"),
        ("a!b", "success", "skipped"),
        ("a*b", "success", "ready"),
        ("a*b", "failure", "ready"),
        ("a*b", "", "skipped"),
    ],
)
def test_an_edge_of_each_kind(edge: str, end: str | None, decided: str) -> None:
    made = graph("a b", edge)
    assert next_move(made, made.nodes[1], {"a": end, "b": None}) == decided


@pytest.mark.parametrize(
    ("join", "ends", "decided"),
    [
        ("all", {"a": "success", "b": None}, ""),
        ("all", {"a": "success", "b": "success"}, "ready"),
        ("all", {"a": "failure", "b": None}, ""),
        ("all", {"a": "failure", "b": "success"}, "skipped"),
        ("any", {"a": "success", "b": None}, "ready"),
        ("any", {"a": "failure", "b": None}, ""),
        ("any", {"a": "failure", "b": "failure"}, "skipped"),
    ],
)
def test_joins(join: str, ends: dict[str, str | None], decided: str) -> None:
    made = graph("a b c", "a>c", "b>c", c=join)
    assert next_move(made, made.nodes[2], ends) == decided


def test_a_failure_that_something_follows_is_handled() -> None:
    made = graph("a b c", "a!b", "c>b")
    assert unhandled(made, ["a", "c"]) == ["c"]
