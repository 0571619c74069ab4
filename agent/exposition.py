"""Prometheus' text format, read strictly: own and small, as the agent needs no more packages.

Names are written in our way: `custom.<name>`, labels sorted as `k=v,k2=v2`.
"""

import math
import re
from typing import Dict, Tuple

from agent.collectors.series import INSTANCE_LIMIT, Values

PREFIX = "custom."
MOST_LINE = 4096
LONGEST_NAME = 100
NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(
    r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\["\\n])*)"\s*(,|\})'
)
REST = re.compile(r"\s+(\S+)(?:\s+-?\d+)?\s*")
ESCAPES = {'\\"': '"', "\\\\": "\\", "\\n": "\n"}


class BadLineError(ValueError):
    """A line is not of the format; its number says which, never its text."""


def parse(text: str) -> Values:
    """Every value of the text; what is not a finite number is left out.

    Raises BadLineError: one bad line spoils the text, which may be half written.
    """
    values: Values = {}
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if len(line) > MOST_LINE:
            raise BadLineError(f"line {number} is longer than {MOST_LINE} characters")
        try:
            name, value = parse_line(line)
        except ValueError:
            raise BadLineError(f"line {number} is not `name{{labels}} value`") from None
        if math.isfinite(value):
            values[name] = value
    return values


def parse_line(line: str) -> Tuple[str, float]:
    """`name{label="value",...} value [milliseconds]`; raises ValueError."""
    found = NAME.match(line)
    if not found:
        raise ValueError(line)
    labels, place = labels_of(line, found.end())
    rest = REST.fullmatch(line, place)
    if not rest or "_" in rest.group(1):
        raise ValueError(line)
    return series_name(found.group(), labels), float(rest.group(1))


def labels_of(line: str, place: int) -> Tuple[Dict[str, str], int]:
    """The labels from that place on, and the place behind them."""
    labels: Dict[str, str] = {}
    if line[place : place + 1] != "{":
        return labels, place
    place += 1
    if line[place:].lstrip().startswith("}"):
        return labels, line.index("}", place) + 1
    end = ","
    while end == ",":
        found = LABEL.match(line, place)
        if not found or found.group(1) in labels:
            raise ValueError(line)
        labels[found.group(1)] = unescaped(found.group(2))
        place, end = found.end(), found.group(3)
        if end == "," and line[place:].lstrip().startswith("}"):
            return labels, line.index("}", place) + 1
    return labels, place


def unescaped(text: str) -> str:
    return re.sub(r'\\["\\n]', lambda found: ESCAPES[found.group()], text)


def series_name(name: str, labels: Dict[str, str]) -> str:
    """As the portal writes it of others: see monitor/prometheus/names.py there.

    Raises ValueError where name or labels are too long: cut, two would become one.
    """
    metric = PREFIX + name.lower().replace(":", "_")
    pairs = [f"{key}={quoted(value)}" for key, value in sorted(labels.items())]
    instance = ",".join(pairs)
    if len(metric) > LONGEST_NAME or len(instance) > INSTANCE_LIMIT:
        raise ValueError(metric)
    return f"{metric}|{instance}" if instance else metric


def quoted(value: str) -> str:
    """Percent signs, commas and what cannot be printed, as in an address."""
    return "".join(
        c if c not in "%," and c.isprintable() else percent(c) for c in value
    )


def percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "replace"))
