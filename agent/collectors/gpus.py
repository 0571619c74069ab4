"""Graphics cards of NVIDIA, as nvidia-smi says where it is installed."""

import csv
from typing import Any, Dict, List

from agent import programs
from agent.collectors.series import Field, Values, series
from agent.tables import Found, table

SECONDS = 10.0
MEBIBYTE = 1 << 20
FIELDS = (
    Field("gpu.busy_percent", "%", "time in which it computed"),
    Field("gpu.memory_used_bytes", "B", "of its own memory"),
    Field("gpu.memory_total_bytes", "B", "of its own memory"),
    Field("gpu.temperature_celsius", "°C", "of the chip"),
    Field("gpu.power_watts", "W", "drawn now"),
)
# What nvidia-smi calls it -> ours, and the factor.
QUERY = (
    ("utilization.gpu", "busy_percent", 1),
    ("memory.used", "memory_used_bytes", MEBIBYTE),
    ("memory.total", "memory_total_bytes", MEBIBYTE),
    ("temperature.gpu", "temperature_celsius", 1),
    ("power.draw", "power_watts", 1),
)
COLUMNS = ("index", "name", *(name for _, name, _ in QUERY))


def collect() -> Found:
    path = programs.find("nvidia-smi")
    if path is None:
        return Found()
    asked = ",".join(["index", "name", *(name for name, _, _ in QUERY)])
    arguments = ["--query-gpu=" + asked, "--format=csv,noheader,nounits"]
    text = programs.output(path, arguments, SECONDS)
    cards = [card for card in map(parse, csv.reader(text.splitlines())) if card]
    values: Values = {}
    for card in cards:
        instance = f"{card['index']} {card['name']}"
        for _, name, _ in QUERY:
            if card[name] is not None:
                values[series("gpu." + name, instance)] = card[name]
    rows = [[card[name] for name in COLUMNS] for card in cards]
    return Found([table("gpus", COLUMNS, rows)] if rows else [], values)


def parse(words: List[str]) -> Dict[str, Any]:
    """A line of CSV; {} for one of another form, None for `[N/A]`."""
    words = [word.strip() for word in words]
    if len(words) != len(COLUMNS):
        return {}
    card: Dict[str, Any] = dict(zip(COLUMNS, words[:2]))
    for (_, name, factor), word in zip(QUERY, words[2:]):
        try:
            card[name] = float(word) * factor
        except ValueError:
            card[name] = None
    return card
