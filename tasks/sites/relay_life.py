"""Starts the station of relays with a worker that serves queues of sites, and ends it with the worker."""

import os
from typing import Any

from tasks.site_models import QUEUE_PREFIX
from tasks.sites.relay_station import Station

_stations: list[Station] = []
# Kept from being collected.
_inherited: list[Station] = []


def begin(sender: Any, **_: Any) -> None:
    """Begin, in the worker's first process, where it serves queues of sites."""
    names = sender.app.amqp.queues.consume_from
    queues = sorted(name for name in names if name.startswith(QUEUE_PREFIX))
    if queues and not _stations:
        _stations.append(Station(queues))
        _stations[-1].start()


def refuse(**_: Any) -> None:
    """Take no further orders; terminals last as long as the tasks for which the worker waits."""
    for station in _stations:
        station.refuse()


def end(**_: Any) -> None:
    """End with the worker."""
    while _stations:
        _stations.pop().stop()


def _forget() -> None:
    """In a process that was just forked off: a host's connection ends with the process that opened it."""
    while _stations:
        _inherited.append(_stations.pop())
        _inherited[-1].forget()


os.register_at_fork(after_in_child=_forget)
