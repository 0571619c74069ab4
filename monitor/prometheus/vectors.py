"""What an expression evaluates to: series with a value for each moment, or plain numbers; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.prometheus.functions import Column
from monitor.prometheus.names import NAME, Labels


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an answer: a value for each moment, None where it has none."""

    labels: Labels
    values: Column


Vector = list[Series]
Scalar = list[float]
Key = frozenset[tuple[str, str]]


def unnamed(labels: Labels) -> Labels:
    """Leave out the name: what was computed is no longer that metric."""
    return {name: value for name, value in labels.items() if name != NAME}


def key_of(labels: Mapping[str, str], chosen: frozenset[str], *, keeps: bool) -> Key:
    """Give the labels that count: those chosen, or all but those."""
    return frozenset(pair for pair in labels.items() if (pair[0] in chosen) is keeps)
