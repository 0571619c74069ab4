"""Temperatures, fans and the battery, as far as psutil finds them."""

from typing import Any, Dict, List, Tuple

import psutil

from agent.collectors.series import Field, Values, series
from agent.tables import Found, Row, table

COLUMNS = ("kind", "name", "value", "unit")
FIELDS = (
    Field("sensor.temperature_celsius", "°C", "of a chip's sensor"),
    Field("sensor.fan_rpm", "1/min", "turns of a fan"),
    Field("battery.charge_percent", "%", "charge of the battery"),
    Field("battery.on_mains", "flag", "1: the mains are there"),
)
MOST_SENSORS = 100
# Outside of these a sensor is broken or not connected.
COLDEST, HOTTEST = -60.0, 200.0


def collect() -> Found:
    """Nothing in most virtual machines."""
    temperatures = [
        (name, entry.current)
        for name, entry in named(asked("sensors_temperatures"))
        if entry.current is not None and COLDEST < entry.current < HOTTEST
    ]
    fans = [(name, entry.current) for name, entry in named(asked("sensors_fans"))]
    values: Values = {}
    rows: List[Row] = []
    for name, degrees in temperatures[:MOST_SENSORS]:
        values[series("sensor.temperature_celsius", name)] = degrees
        rows.append(("temperature", name, degrees, "°C"))
    for name, turns in fans[:MOST_SENSORS]:
        values[series("sensor.fan_rpm", name)] = turns
        rows.append(("fan", name, turns, "1/min"))
    values.update(battery())
    for metric, unit in (("battery.charge_percent", "%"), ("battery.on_mains", "")):
        if metric in values:
            rows.append(("battery", metric.split(".")[1], values[metric], unit))
    dropped = max(len(temperatures) - MOST_SENSORS, 0) + max(
        len(fans) - MOST_SENSORS, 0
    )
    tables = [table("sensors", COLUMNS, rows)] if rows else []
    return Found(tables, values, {"sensors": dropped})


def asked(name: str) -> Dict[str, List[Any]]:
    """psutil has these functions on some systems only."""
    function = getattr(psutil, name, None)
    return function() if function else {}


def named(chips: Dict[str, List[Any]]) -> List[Tuple[str, Any]]:
    """`chip label`, and a number behind it where two would have one name."""
    found: Dict[str, Any] = {}
    for chip in sorted(chips):
        for entry in chips[chip]:
            name = f"{chip} {entry.label}".strip()
            number = 2
            while name in found:
                name = f"{chip} {entry.label}".strip() + f" {number}"
                number += 1
            found[name] = entry
    return list(found.items())


def battery() -> Values:
    function = getattr(psutil, "sensors_battery", None)
    found = function() if function else None
    if found is None:
        return {}
    values: Values = {"battery.charge_percent": round(found.percent, 1)}
    if found.power_plugged is not None:
        values["battery.on_mains"] = int(found.power_plugged)
    return values
