"""Under which keys the store keeps what others wrote of a host: beside what its agent sends, not among it.

A host of the store has one newest sample, one sample a millisecond, and in an hour a table of all its names by all its
times. Series of a Prometheus among those of the agent would hide the agent's newest sample, make each of its reports look
late, and fill the table with holes. So they lie under keys of their own, several for each host: its metrics by lanes, so
that a query reads one lane, and requests that Prometheus cuts elsewhere each time make few different lists of names.
"""

import zlib
from collections.abc import Iterable

from monitor.prometheus.names import CUSTOM, PUBLIC

LANES = 8
# Beyond every key of the CMDB, and still ten digits.
FIRST = 5_000_000_000


def lane_of(host_id: int, name: str) -> int:
    """Give the key of a remote-written value, by its name with or without an instance."""
    metric = name.partition("|")[0]
    return FIRST + host_id * LANES + zlib.crc32(metric.encode()) % LANES


def lanes_of(host_id: int) -> list[int]:
    """Give all keys of a host for what others wrote."""
    first = FIRST + host_id * LANES
    return list(range(first, first + LANES))


def owner_of(key: int) -> int:
    """Give the host of a key of either kind."""
    return (key - FIRST) // LANES if key >= FIRST else key


def keys_for(host_id: int, metric: str) -> list[int]:
    """Give the keys under which a metric may lie, the likeliest first; "" asks for all metrics.

    Args:
        metric: as queries name it.
    """
    if metric in PUBLIC:
        return [host_id]
    if metric:
        # Agents have metrics of this kind too (docs/agent-protocol.md).
        return [lane_of(host_id, f"{CUSTOM}{metric}"), host_id]
    return [host_id, *lanes_of(host_id)]


def all_keys(host_ids: Iterable[int]) -> list[int]:
    """Give all keys of hosts."""
    return [key for host_id in host_ids for key in (host_id, *lanes_of(host_id))]
