"""Rules as plain data: what holds, what is taken, and what cannot be a rule."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tasks.hooks import rules
from tasks.hooks.paths import NOTHING, find, problem_of

MESSAGE: dict[str, Any] = {
    "ref": "refs/heads/main",
    "forced": False,
    "size": 2,
    "commits": [{"id": "a1", "added": ["x", "y"]}, {"id": "b2"}],
    "a.b": {"c": 1},
    "none": None,
    "__class__": "a name as any other",
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("ref", "refs/heads/main"),
        ("commits.1.id", "b2"),
        (r"a\.b.c", 1),
        ("commits.2.id", NOTHING),
        ("commits.-1.id", NOTHING),
        ("commits.01.id", NOTHING),
        ("ref.0", NOTHING),
        ("ref.upper", NOTHING),
        ("__class__", "a name as any other"),
        ("__class__.__mro__", NOTHING),
        ("none", None),
    ],
)
def test_a_path_walks_and_does_nothing_else(path: str, found: Any) -> None:
    assert problem_of(path) == ""
    assert find(MESSAGE, path) == found


@pytest.mark.parametrize(
    "path",
    ["", "a..b", ".a", "a.", "a" * 201, ".".join("a" * 21), 3, None, "a\n", "\\"],
)
def test_what_is_no_path_is_refused(path: Any) -> None:
    assert problem_of(path)


@pytest.mark.parametrize(
    ("path", "operator", "value", "holds"),
    [
        ("ref", "equals", "refs/heads/main", True),
        ("ref", "equals", "refs/heads/mai", False),
        ("ref", "matches", "refs/heads/*", True),
        ("ref", "matches", "heads", False),
        ("ref", "matches", "REFS/*", False),
        ("ref", "in", "a, refs/heads/main", True),
        ("ref", "in", ["a", "b"], False),
        ("size", "equals", 2, True),
        ("size", "in", [1, 2], True),
        ("forced", "equals", "false", True),
        ("forced", "equals", False, True),
        ("commits", "equals", "x", False),
        ("commits", "present", None, True),
        ("none", "present", None, False),
        ("nothing", "present", None, False),
        ("nothing", "equals", "", None),
    ],
)
def test_a_rule_holds_or_does_not(
    path: str, operator: str, value: Any, holds: bool | None
) -> None:
    kept, wrong = rules.read_match(
        [{"path": path, "operator": operator, "value": value}]
    )
    if holds is None:
        assert wrong
        return
    assert wrong == []
    assert [each.holds for each in rules.judge(kept, MESSAGE)] == [holds]
    # What is kept is read as the same again.
    assert rules.read_match(kept) == (kept, [])


@pytest.mark.parametrize(
    "rows",
    [
        "x",
        [3],
        [{"path": "a", "operator": "regex", "value": "x"}],
        [{"path": "a", "operator": "matches", "value": "*" * 11}],
        [{"path": "a", "operator": "matches", "value": "x" * 201}],
        [{"path": "a", "operator": "in", "value": ""}],
        [{"path": "a", "operator": "in", "value": [[1]]}],
        [{"path": "a", "operator": "equals", "value": {}}],
        [{"path": "a", "value": "x", "more": 1}],
        [{"path": "a", "value": "x"}] * 51,
    ],
)
def test_what_is_no_rule_is_refused(rows: Any) -> None:
    _kept, wrong = rules.read_match(rows)
    assert wrong


def test_no_pattern_takes_long() -> None:
    pattern = "*a" * 10
    row = {"path": "x", "operator": "matches", "value": pattern}
    kept, wrong = rules.read_match([row])
    assert wrong == []
    begun = time.monotonic()
    assert not rules.judge(kept, {"x": "a" * 1999 + "b"})[0].holds
    assert time.monotonic() - begun < 1


def take(**rule: Any) -> rules.Extracted:
    kept, wrong = rules.read_extract([{"field": "f", **rule}])
    assert wrong == []
    assert rules.read_extract(kept) == (kept, [])
    return rules.extract(kept, MESSAGE)


def test_values_are_taken_as_they_are() -> None:
    assert take(path="size").values == {"f": 2}
    assert take(path="commits.0.added").values == {"f": ["x", "y"]}
    assert take(constant="fixed").values == {"f": "fixed"}
    assert take(path="ref", pattern="refs/*").values == {"f": "refs/heads/main"}
    assert take(path="nothing", optional="1").values == {}
    assert take(path="nothing", optional="1").wrong == {}


@pytest.mark.parametrize(
    "rule",
    [
        {"path": "nothing"},
        {"path": "none"},
        {"path": "commits"},
        {"path": "commits.0"},
        {"path": "ref", "pattern": "v*"},
        {"path": "commits.0.added", "pattern": "x"},
    ],
)
def test_what_does_not_fit_is_said(rule: dict[str, Any]) -> None:
    assert set(take(**rule).wrong) == {"f"}


@pytest.mark.parametrize(
    "row",
    [
        {"path": "a"},
        {"field": "f"},
        {"field": "f", "path": "a", "constant": "b"},
        {"field": "f", "path": "a..b"},
        {"field": "f", "constant": {"a": 1}},
        {"field": "f", "path": "a", "pattern": "*" * 11},
        {"field": "x" * 151, "path": "a"},
    ],
)
def test_what_cannot_be_taken_is_refused(row: dict[str, Any]) -> None:
    assert rules.read_extract([row])[1]


def test_a_field_is_set_once() -> None:
    rows = [{"field": "f", "path": "a"}, {"field": "f", "constant": "b"}]
    assert rules.read_extract(rows)[1] == ["f is there twice."]
