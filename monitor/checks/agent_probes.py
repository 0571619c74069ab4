"""Checks that read what the host's agent sent: whether a process runs, whether a port listens."""

import time
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from monitor.checks.verdicts import Outcome
from monitor.metric_store import store
from monitor.models import ServiceCheck, State
from monitor.store import StoreUnavailable

ACTIVE = {"active", "activating", "reloading"}


def process(check: ServiceCheck) -> Outcome:
    """Look for a process, a unit of systemd or a listener of that name."""
    tables = _tables(check)
    if isinstance(tables, Outcome):
        return tables
    wanted = check.process
    unit = _unit(tables, wanted)
    if unit is not None and unit not in ACTIVE:
        words = _("The unit %(name)s is %(state)s.") % {"name": wanted, "state": unit}
        return Outcome(State.DOWN, words)
    if unit is not None or _named(tables, wanted):
        return Outcome(State.UP, _("%(name)s runs.") % {"name": wanted})
    processes = tables.get("processes")
    if processes is None or processes.left_out:
        # The busiest processes only: that it is not among them says nothing.
        words = _("%(name)s is not among the processes that the agent sends.")
        return Outcome(State.UNKNOWN, words % {"name": wanted})
    words = _("No process of the name %(name)s runs.") % {"name": wanted}
    return Outcome(State.DOWN, words)


def port(check: ServiceCheck) -> Outcome:
    """Look for a listener on a port."""
    tables = _tables(check)
    if isinstance(tables, Outcome):
        return tables
    ports = tables.get("ports")
    said = {"port": check.port}
    if ports is None:
        return Outcome(State.UNKNOWN, _("The agent sends no list of its ports."))
    if any(row.get("port") == check.port for row in _rows(ports)):
        return Outcome(State.UP, _("Port %(port)s listens.") % said)
    if ports.left_out:
        words = _("Port %(port)s is not among the ports that the agent sends.")
        return Outcome(State.UNKNOWN, words % said)
    return Outcome(State.DOWN, _("Nothing listens on port %(port)s.") % said)


def _tables(check: ServiceCheck) -> dict[str, Any] | Outcome:
    """Give the host's tables that are fresh, or say why there is none."""
    if check.host_id is None:
        return Outcome(State.UNKNOWN, _("The check names no host."))
    try:
        found = store().read_tables(check.host_id)
    except StoreUnavailable as error:
        return Outcome(State.UNKNOWN, error.message)
    oldest = time.time() - settings.CHECK_TABLE_SECONDS
    fresh = {name: table for name, table in found.items() if table.time >= oldest}
    if not fresh:
        return Outcome(State.UNKNOWN, _("The host's agent sent nothing lately."))
    return fresh


def _rows(table: Any) -> Iterator[dict[str, Any]]:
    for row in table.rows:
        yield dict(zip(table.columns, row, strict=False))


def _unit(tables: dict[str, Any], wanted: str) -> str | None:
    """Give the state of a unit, None where there is none of that name."""
    rows: Iterable[dict[str, Any]] = _rows(tables["units"]) if "units" in tables else ()
    names = {wanted, f"{wanted}.service"}
    return next(
        (str(row.get("active")) for row in rows if row.get("name") in names), None
    )


def _named(tables: dict[str, Any], wanted: str) -> bool:
    for kind, column in (("processes", "name"), ("ports", "process")):
        if kind in tables:
            for row in _rows(tables[kind]):
                if row.get(column) == wanted:
                    return True
    return False
