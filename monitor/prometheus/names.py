"""How the store's names of values and Prometheus' labels become each other; pure, no Django.

`cpu.busy_percent` is adminset_cpu_busy_percent; `fs.used_percent|/var` is adminset_fs_used_percent{mount="/var"};
`custom.node_load1|job=node` is what somebody wrote as node_load1{job="node"}, and comes back so.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import unquote

from monitor.metrics import CATALOGUE, split_name

PREFIX = "adminset_"
CUSTOM = "custom."
NAME = "__name__"
METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,199}")
# As METRIC_NAME, with the dots that agents may send.
DOTTED_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:.]{0,199}")
LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
PORT = re.compile(r"(.*):([0-9]{1,5})", re.DOTALL)
# Labels that the portal says of every host: what a series says under these names moves aside, as in Prometheus.
OURS = frozenset({"host", "group", "idc"})
ASIDE = "exported_"

Labels = dict[str, str]


def public_name(metric: str) -> str:
    """Give a metric of the agents the name that queries use."""
    return PREFIX + metric.replace(".", "_")


PUBLIC = {public_name(name): name for name in CATALOGUE}


def stored_metric(name: str) -> str:
    """Give the store's name of a metric that a query names."""
    return PUBLIC.get(name, f"{CUSTOM}{name}")


def query_name(text: str) -> str:
    """Give the name that queries use of a metric as people write it; "" where no metric has such a name.

    "cpu.busy_percent" is one of the agents'; "custom.http_errors_total" and "http_errors_total" are the same.
    """
    name = text.strip()
    if name in CATALOGUE:
        return public_name(name)
    name = name.removeprefix(CUSTOM)
    return name if DOTTED_NAME.fullmatch(name) else ""


def patterns_of(metric: str) -> list[str]:
    """Give what to ask the store for: all instances of a stored metric; "" for all metrics."""
    return [metric, f"{metric}|*"] if metric else ["*"]


def written_name(labels: Mapping[str, str], host_label: str, port: str) -> str:
    """Give the store's name of a remote-written series.

    Args:
        labels: all of them, the name included.
        host_label: which one named the host: it is left out, but for
        port: what stood behind the host in it, "" where nothing did.
    """
    kept = {
        (f"{ASIDE}{name}" if name in OURS else name): value
        for name, value in labels.items()
        if name not in (NAME, host_label)
    }
    if port:
        kept.setdefault("instance", f":{port}")
    metric = f"{CUSTOM}{labels[NAME]}"
    instance = ",".join(f"{name}={_quoted(kept[name])}" for name in sorted(kept))
    return f"{metric}|{instance}" if instance else metric


def place_of(value: str) -> tuple[str, str]:
    """Split "web1:9100" and "[::1]:9100" into host and port; the port is "" where there is none."""
    found = PORT.fullmatch(value)
    # An IPv6 address without brackets has no port behind it.
    if found and (":" not in found[1] or found[1].endswith("]")):
        return found[1].strip("[]"), found[2]
    return value.strip("[]"), ""


@lru_cache(maxsize=100_000)
def told(name: str) -> tuple[tuple[str, str], ...]:
    """Give the labels of a stored name, without those of its host; the metric's name is among them."""
    metric, instance = split_name(name)
    if metric.startswith(CUSTOM):
        pairs = [(NAME, metric.removeprefix(CUSTOM)), *_pairs(instance)]
        return tuple(dict(pairs).items())
    known = CATALOGUE.get(metric)
    kind = known.instance if known and known.instance else "name"
    return ((NAME, public_name(metric)), *([(kind, instance)] if instance else []))


def labels_of(name: str, host: Mapping[str, str]) -> Labels:
    """Give all labels of a stored value.

    Args:
        host: what the portal says of the host: host, group, idc.
    """
    labels = dict(told(name))
    port = labels.get("instance", "")
    if not port or port.startswith(":"):
        labels["instance"] = f"{host['host']}{port}"
    labels.update(host)
    return labels


def _pairs(instance: str) -> Iterable[tuple[str, str]]:
    for pair in instance.split(",") if instance else ():
        name, _, value = pair.partition("=")
        if LABEL_NAME.fullmatch(name):
            yield (f"{ASIDE}{name}" if name in OURS else name), unquote(value)


def _quoted(value: str) -> str:
    """Write a label's value so that it neither ends the pair nor the name."""
    return "".join(
        c if c not in "%," and c.isprintable() else _percent(c) for c in value
    )


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())
