"""The gate of a canary in words: names of metrics that are refused, and what is compared with what."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from monitor.metrics import CATALOGUE
from monitor.prometheus.names import CUSTOM, query_name

RATE = "rate"


def check_metric(value: str) -> None:
    """Refuse what cannot be the name of a metric, as stored or as its sender calls it.

    Raises:
        ValidationError: says what to write.
    """
    if any(sign in value for sign in "{}|="):
        raise ValidationError(
            _("Write the name alone, without labels: all series of a host count.")
        )
    if not query_name(value):
        raise ValidationError(
            _(
                "That is no name of a metric: letters, digits and _ only, such as http_errors_total."
            )
        )
    name = value.strip()
    if "." in name and name not in CATALOGUE and not name.startswith(CUSTOM):
        words = _(
            "Agents have no metric %(name)s. Write one of theirs, such as cpu.busy_percent, or the name of one of your own, such as http_errors_total."
        )
        raise ValidationError(words % {"name": name[:100]})


def gate_words(way: Mapping[str, Any]) -> str:
    """Say what a way compares with its limit; "" where that is nothing."""
    metric, divisor = way.get("gate_metric") or "", way.get("gate_divisor") or ""
    grows = way.get("gate_measure") == RATE
    told = {"metric": metric, "divisor": divisor}
    if not metric:
        return ""
    if divisor:
        words = (
            _("increase of %(metric)s per increase of %(divisor)s")
            if grows
            else _("%(metric)s per %(divisor)s")
        )
        return words % told
    return _("increase of %(metric)s per second") % told if grows else metric
