"""What the portal says of itself at /metrics: its counters, its parts and its fleet, each asked cheaply."""

import time
from collections.abc import Callable, Iterator

import redis
from django.conf import settings
from django.db.models import Count
from prometheus_client import GC_COLLECTOR, PLATFORM_COLLECTOR, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from adminset import redis_door
from adminset.health import SIGN_OF_LIFE
from cmdb.models import Agent, Host
from monitor.intake_models import HostIntake
from monitor.losses import overflowing
from monitor.metric_store import store
from monitor.prometheus.counters import REGISTRY
from monitor.prometheus.series_book import BOOK
from monitor.store import StoreUnavailable
from tasks.sites.questions import with_queue

# A store that is away is asked again after so long: each try may cost a time-out.
STORE_SECONDS = 10

Families = Iterator[Metric]


class Store:
    """Whether the metric store answers, remembered for a moment."""

    def __init__(self) -> None:
        self._asked_at = float(-STORE_SECONDS)
        self._answer = (0.0, 0.0)

    def state(self) -> tuple[float, float]:
        """Give (1.0 if it answers, seconds that it took)."""
        if time.monotonic() - self._asked_at >= STORE_SECONDS:
            found = store().ping()
            self._answer = (float(found.ok), found.milliseconds / 1000)
            self._asked_at = time.monotonic()
        return self._answer


STORE = Store()


def _store() -> Families:
    up, seconds = STORE.state()
    yield _gauge("adminset_store_up", "1 where the metric store answers.", up)
    yield _gauge("adminset_store_ping_seconds", "How long it took.", seconds)
    if up:
        text = "Hours and days of hosts that the last try could not roll up; the log says why."
        failed = store().failed_markers()
        yield _gauge("adminset_store_rollups_failed", text, failed)


def _fleet() -> Families:
    hosts = GaugeMetricFamily("adminset_hosts", "Hosts by status.", labels=["status"])
    rows = Host.objects.order_by().values_list("status__name")
    for status, count in rows.annotate(Count("pk")):
        hosts.add_metric([status or ""], count)
    yield hosts
    agents = Agent.objects.filter(revoked_at=None)
    waiting = agents.filter(approved_at=None).count()
    yield _gauge("adminset_agents_waiting", "Agents to be let in.", waiting)
    silent = Host.objects.silent().count()
    text = "Hosts whose agent has stopped sending."
    yield _gauge("adminset_hosts_silent", text, silent)
    live = Host.objects.reporting().count()
    yield _gauge("adminset_hosts_reporting", "Hosts whose agent reports.", live)


def _queues() -> Families:
    names = {settings.CELERY_TASK_DEFAULT_QUEUE, settings.RUN_QUEUE}
    names |= {settings.URGENT_QUEUE, settings.DELIVERY_QUEUE, settings.QUESTION_QUEUE}
    names |= {site.queue for site in with_queue()}
    queues = GaugeMetricFamily(
        "adminset_queue_length", "Tasks that wait, by queue.", labels=["queue"]
    )
    pipe = redis_door.client().pipeline(transaction=False)
    for name in sorted(names):
        pipe.llen(name)
    pipe.get(SIGN_OF_LIFE)
    *lengths, written = pipe.execute()
    for name, length in zip(sorted(names), lengths, strict=True):
        queues.add_metric([name], length)
    yield queues
    if written:
        age = time.time() - float(written)
        text = "Seconds since the scheduler's last sign of life."
        yield _gauge("adminset_beat_age_seconds", text, age)


def _remote_write() -> Families:
    counts = BOOK.counts()
    text = "Remote-written series that this process has seen lately."
    yield _gauge("adminset_remote_write_series", text, sum(counts.values()))


def _left_out() -> Families:
    text = "Hosts of whose reports something was not kept lately, or whose clock is put right."
    hosts = GaugeMetricFamily("adminset_hosts_left_out", text, labels=["what"])
    hosts.add_metric(["reports"], HostIntake.objects.lately().count())
    hosts.add_metric(["clock"], HostIntake.objects.corrected().count())
    # A store that is away costs its own lines: the part "store" says so.
    if STORE.state()[0]:
        hosts.add_metric(["custom_series"], len(overflowing()))
    yield hosts


PARTS: dict[str, Callable[[], Families]] = {
    "store": _store,
    "fleet": _fleet,
    "queues": _queues,
    "remote_write": _remote_write,
    "left_out": _left_out,
}


class Parts(Collector):
    """Asks the parts of the portal when somebody scrapes; one that is away costs its own lines only."""

    def describe(self) -> Families:
        """Say nothing beforehand, so that making the registry asks nobody."""
        return iter(())

    def collect(self) -> Families:
        """Give what the parts say, and which of them said nothing."""
        fine = GaugeMetricFamily(
            "adminset_part_readable", "1 where a part could be asked.", labels=["part"]
        )
        for name, ask in PARTS.items():
            try:
                yield from list(ask())
                fine.add_metric([name], 1)
            except (redis.RedisError, StoreUnavailable, ValueError):
                fine.add_metric([name], 0)
        yield fine


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


REGISTRY.register(Parts())
REGISTRY.register(GC_COLLECTOR)
REGISTRY.register(PLATFORM_COLLECTOR)
ProcessCollector(registry=REGISTRY)


def written(accept: str) -> tuple[bytes, str]:
    """Give (text, content type) of all that is measured, in the best format that `accept` names."""
    encode, content_type = choose_encoder(accept)
    return encode(REGISTRY), content_type
