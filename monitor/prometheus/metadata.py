"""What the metrics are, as Prometheus' API tells it: kind, unit and a sentence."""

from typing import Any

from monitor.metrics import CATALOGUE
from monitor.prometheus.names import public_name


def metadata(metric: str, most: int) -> dict[str, list[dict[str, Any]]]:
    """Give metadata of the agents' metrics, of one or of `most`; all are gauges, rates among them."""
    found = {
        public_name(name): [{"type": "gauge", "help": each.title, "unit": each.unit}]
        for name, each in CATALOGUE.items()
        if not metric or metric == public_name(name)
    }
    return dict(list(found.items())[:most])
