"""Reads PromQL into the few kinds of node that the portal evaluates, and says in words what it does not."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import promql_parser as promql

from monitor.prometheus.faults import BadQueryError, NotSupportedError
from monitor.prometheus.matching import Matcher, matcher_of
from monitor.prometheus.names import NAME

# The parser is a library of its own, in Rust: it recurses on its stack and slows down with long sums.
MOST_CHARACTERS = 4000
MOST_OPERATORS = 150
MOST_SECONDS = 20 * 366 * 86_400
# Strings and comments hold no operators. Possessive: linear on any input.
TEXT = re.compile(
    r""" "(?:[^"\\\n]|\\.)*+" | '(?:[^'\\\n]|\\.)*+' | `[^`]*+` | \#[^\n]*+ """,
    re.VERBOSE,
)
OPERATOR = re.compile(
    r"[-+*/%^<>=!({\[]|\b(?:and|or|unless|atan2|offset|bool)\b", re.IGNORECASE
)

RANGE_FUNCTIONS = frozenset(
    {
        "rate",
        "irate",
        "increase",
        "delta",
        "avg_over_time",
        "min_over_time",
        "max_over_time",
        "sum_over_time",
        "count_over_time",
        "last_over_time",
    }
)
PLAIN_FUNCTIONS = frozenset({"abs", "ceil", "floor", "round"})
AGGREGATIONS = frozenset({"avg", "sum", "min", "max", "count", "topk", "bottomk"})
RANKINGS = frozenset({"topk", "bottomk"})
COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
OPERATORS = COMPARISONS | {"+", "-", "*", "/", "%", "^"}


@dataclass(frozen=True, slots=True)
class Number:
    """A literal."""

    value: float


@dataclass(frozen=True, slots=True)
class Time:
    """The moment of evaluation: time()."""


@dataclass(frozen=True, slots=True)
class Selector:
    """Which series, and when.

    Attributes:
        matchers: what their labels must fit, the name among them.
        offset: seconds that it looks back; negative looks ahead.
        range: seconds of a range selector, 0 for an instant one.
    """

    matchers: tuple[Matcher, ...]
    offset: float = 0.0
    range: float = 0.0

    @property
    def metric(self) -> str:
        """The name where it is given exactly, "" where it is not."""
        exact = (m.value for m in self.matchers if m.name == NAME and m.op == "=")
        return next(exact, "")


@dataclass(frozen=True, slots=True)
class RangeCall:
    """A function of each series' values in a range."""

    function: str
    selector: Selector


@dataclass(frozen=True, slots=True)
class PlainCall:
    """A function of each value."""

    function: str
    of: "Node"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Many series into one for each group of labels; `labels` None: all into one.

    Attributes:
        keeps: True for `by`, False for `without`.
        count: the number behind topk and bottomk.
    """

    operator: str
    of: "Node"
    labels: frozenset[str] | None
    keeps: bool
    count: int = 0


@dataclass(frozen=True, slots=True)
class Binary:
    """Two sides; between two vectors, series with the same labels meet.

    Attributes:
        labels: of `on` (keeps) or `ignoring`; None: all but the name.
        returns_bool: a comparison gives 0 and 1 instead of choosing.
    """

    operator: str
    left: "Node"
    right: "Node"
    returns_bool: bool = False
    labels: frozenset[str] | None = None
    keeps: bool = False


Node = Number | Time | Selector | RangeCall | PlainCall | Aggregate | Binary
SCALARS = (Number, Time)


def read(text: str) -> Node:
    """Read an expression.

    Raises:
        BadQueryError: it is no PromQL, or too long.
        NotSupportedError: it is, and the portal does not evaluate it.
    """
    if len(text) > MOST_CHARACTERS:
        raise BadQueryError(f"The query is longer than {MOST_CHARACTERS} characters.")
    if len(OPERATOR.findall(TEXT.sub("", text))) > MOST_OPERATORS:
        raise BadQueryError(
            f"The query has more than {MOST_OPERATORS} operators and brackets."
        )
    try:
        tree = promql.parse(text)
    except ValueError as error:
        raise BadQueryError(f"This is no PromQL: {str(error)[:300]}.") from None
    return _node(tree)


def selectors_of(node: Node) -> list[Selector]:
    """List the selectors of an expression."""
    if isinstance(node, Selector):
        return [node]
    if isinstance(node, RangeCall):
        return [node.selector]
    if isinstance(node, PlainCall | Aggregate):
        return selectors_of(node.of)
    if isinstance(node, Binary):
        return selectors_of(node.left) + selectors_of(node.right)
    return []


def is_scalar(node: Node) -> bool:
    """Say whether an expression is one number at each moment."""
    if isinstance(node, Binary):
        return is_scalar(node.left) and is_scalar(node.right)
    return isinstance(node, SCALARS)


def _node(tree: Any) -> Node:
    read_kind = KINDS.get(type(tree))
    if read_kind is None:
        raise NotSupportedError(_WORDS.get(type(tree), "this expression"))
    return read_kind(tree)


def _selector(tree: Any, seconds: float = 0.0) -> Selector:
    if tree.at is not None:
        raise NotSupportedError("the @ modifier")
    if tree.matchers.or_matchers:
        raise NotSupportedError("`or` between matchers")
    matchers = [matcher_of(m.name, str(m.op), m.value) for m in tree.matchers.matchers]
    if tree.name:
        matchers.append(Matcher(NAME, "=", tree.name))
    offset = _seconds(tree, "offset")
    return Selector(tuple(matchers), offset, seconds)


def _seconds(tree: Any, name: str) -> float:
    """Read a length of time that a selector has, 0 where it has none."""
    try:
        found = getattr(tree, name)
    except (OverflowError, ValueError):
        raise BadQueryError("A length of time is too large.") from None
    seconds = found.total_seconds() if found else 0.0
    if abs(seconds) > MOST_SECONDS:
        raise BadQueryError("A length of time is more than 20 years.")
    return float(seconds)


def _matrix(tree: Any) -> Selector:
    return _selector(tree.vector_selector, _seconds(tree, "range"))


def _call(tree: Any) -> Node:
    name, arguments = tree.func.name, list(tree.args)
    if name in RANGE_FUNCTIONS and isinstance(arguments[0], promql.MatrixSelector):
        return RangeCall(name, _matrix(arguments[0]))
    if name in PLAIN_FUNCTIONS and len(arguments) == 1:
        return PlainCall(name, _node(arguments[0]))
    if name == "time":
        return Time()
    if name in RANGE_FUNCTIONS:
        raise NotSupportedError("a subquery")
    raise NotSupportedError(f"the function {name}")


def _aggregate(tree: Any) -> Node:
    operator = str(tree.op)
    if operator not in AGGREGATIONS:
        raise NotSupportedError(f"the aggregation {operator}")
    labels, keeps = None, True
    if tree.modifier is not None:
        labels = frozenset(tree.modifier.labels)
        keeps = tree.modifier.type == promql.AggModifierType.By
    count = 0
    if operator in RANKINGS:
        if not isinstance(tree.param, promql.NumberLiteral):
            raise NotSupportedError(f"{operator} with anything but a plain number")
        # What is no number chooses nothing.
        count = int(min(max(tree.param.val, 0.0), 1e6)) if tree.param.val > 0 else 0
    return Aggregate(operator, _node(tree.expr), labels, keeps, count)


def _binary(tree: Any) -> Node:
    operator = str(tree.op)
    if operator not in OPERATORS:
        raise NotSupportedError(f"the operator {operator}")
    left, right = _node(tree.lhs), _node(tree.rhs)
    modifier = tree.modifier
    if modifier is None:
        return Binary(operator, left, right)
    if modifier.card != promql.VectorMatchCardinality.OneToOne:
        raise NotSupportedError("group_left and group_right")
    matching = modifier.matching
    labels = None if matching is None else frozenset(matching.labels)
    keeps = bool(matching and matching.type == promql.LabelModifierType.Include)
    return Binary(operator, left, right, bool(modifier.return_bool), labels, keeps)


def _negative(tree: Any) -> Node:
    return Binary("*", Number(-1.0), _node(tree.expr))


KINDS: dict[type, Callable[[Any], Node]] = {
    promql.NumberLiteral: lambda tree: Number(float(tree.val)),
    promql.ParenExpr: lambda tree: _node(tree.expr),
    promql.UnaryExpr: _negative,
    promql.VectorSelector: _selector,
    promql.MatrixSelector: _matrix,
    promql.Call: _call,
    promql.AggregateExpr: _aggregate,
    promql.BinaryExpr: _binary,
}
_WORDS: dict[type, str] = {
    promql.SubqueryExpr: "a subquery",
    promql.StringLiteral: "a text as an expression",
}
