"""The newest values of some metrics on all hosts at once: read in one pass, without what a page of one host needs besides."""

from collections.abc import Collection

from monitor.metrics import split_name
from monitor.records import Tables, doubles
from monitor.shapes import Shapes

# Host id -> value.
Values = dict[int, float]


def read_newest(
    tables: Tables, shapes: Shapes, metrics: Collection[str]
) -> tuple[Values, dict[str, Values]]:
    """Give Unix seconds of each host's newest sample, and of each metric its newest values.

    Where a host has several instances of a metric (disks, cores) the highest counts; hosts that never sent it are missing.
    """
    documents = list(tables["latest"].find({}, {"t": 1, "s": 1, "v": 1}))
    names = shapes.names_of(tables, {doc["s"] for doc in documents})
    places = {shape: _places(known, metrics) for shape, known in names.items()}
    seen: Values = {}
    found: dict[str, Values] = {metric: {} for metric in metrics}
    for doc in documents:
        seen[doc["_id"]] = doc["t"] / 1000
        values = doubles(doc["v"])
        for metric, at in places.get(doc["s"], {}).items():
            inside = [values[i] for i in at if i < len(values)]
            if inside:
                found[metric][doc["_id"]] = max(inside)
    return seen, found


def _places(names: Collection[str], metrics: Collection[str]) -> dict[str, list[int]]:
    """Give where the values of each metric stand in a sample of these names."""
    places: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        metric = split_name(name)[0]
        if metric in metrics:
            places.setdefault(metric, []).append(i)
    return places
