"""Measurements made up for tests of charts: an hour of one host with a silence in it, a slower line, a band, a mark."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

STEP, SILENCE = 15, range(80, 120)
MARK = "deploy of the shop"
MARK_URL = "/cmdb/hosts/1/history/"


def answer(url: str) -> dict[str, Any]:
    """Give what the portal answers to a host's charts, for the range that the address names; `since` brings one new second."""
    asked = {
        name: float(values[0])
        for name, values in parse_qs(urlsplit(url).query).items()
        if name != "range"
    }
    end = asked.get("to", time.time())
    start = asked.get("from", end - 3600)
    count = int((end - start) / STEP)
    times = [start + i * STEP for i in range(count) if i not in SILENCE]
    if "since" in asked:
        times = [end - 1]
    shared = {
        "times": times,
        "start": start,
        "end": end,
        "resolution": STEP,
        "no_data_since": None,
    }
    marks = [
        {
            "time": (start + end) * 500,
            "kind": "deploy",
            "title": MARK,
            "url": MARK_URL,
        }
    ]
    return shared | {"charts": _charts(len(times)), "marks": marks}


def _charts(count: int) -> dict[str, Any]:
    flat = [1.0] * count
    busy = [30.0 + i % 7 for i in range(count)]
    slow = [None if i % 4 else 5.0 for i in range(count)]
    holed: list[float | None] = [2.0 + i % 3 for i in range(count)]
    if count > 30:
        holed[20:26] = [None] * 6
    cpu = [
        {"name": "Busy", "metric": "cpu.busy_percent", "average": busy},
        {"name": "User", "metric": "u", "average": [20.0] * count, "stacked": True},
        {"name": "System", "metric": "s", "average": [10.0] * count, "stacked": True},
    ]
    load = {"name": "One minute", "metric": "load.1", "average": holed}
    band = {
        "low": [v and v - 1 for v in holed],
        "high": [v and v + 1 for v in holed],
    }
    memory = [
        {"name": "Used", "metric": "memory.used_bytes", "average": flat},
        {"name": "Slow", "metric": "custom.slow", "average": slow},
    ]
    return {
        "cpu": {"unit": "%", "coverage": 0.9, "series": cpu},
        "load": {"unit": "tasks", "coverage": 0.9, "series": [load | band]},
        "memory": {"unit": "B", "coverage": 1, "series": memory},
    }
