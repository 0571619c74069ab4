"""What the portal left out of a host's reports, or put right, as sentences: what, how many, since when, by which limit, what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from cmdb.models import Host
from monitor.intake_models import HostIntake, forgotten_before
from monitor.metric_store import store
from monitor.prometheus.lanes import all_keys, owner_of
from monitor.titles import title_of

# Metrics with values that cannot be true are told one by one, up to so many.
MOST_METRICS = 20
RAISE = _lazy("Raise the limit, or have the host report less.")
AT_THE_AGENT = _lazy(
    "The agent has a limit of its own here. Have the host report less."
)
BY_ITS_NAME = _lazy(
    "A metric is named in small letters, digits, dots and underscores. Give these another name."
)


@dataclass(frozen=True)
class Part:
    """A kind of part that may be left out: its title, the setting that limits it, what to do."""

    title: Any
    setting: str = ""
    advice: Any = RAISE


PARTS = {
    "mounts": Part(_lazy("File systems"), "AGENT_MAX_MOUNTS"),
    "interfaces": Part(_lazy("Network interfaces"), "AGENT_MAX_INTERFACES"),
    "disks": Part(_lazy("Disks"), "AGENT_MAX_DISKS"),
    "containers": Part(_lazy("Containers"), "AGENT_MAX_CONTAINERS"),
    "custom": Part(_lazy("Custom values in one sample"), "AGENT_MAX_CUSTOM_SERIES"),
    "tables": Part(_lazy("Tables"), "AGENT_MAX_TABLES"),
    "rows": Part(_lazy("Rows of tables"), "AGENT_MAX_TABLE_ROWS"),
    "series": Part(_lazy("Series of a Prometheus"), "PROM_MAX_SERIES_PER_HOST"),
    "hour_full": Part(_lazy("Samples of one hour"), "METRICS_HOUR_SAMPLES"),
    "custom_files": Part(_lazy("Files of custom values"), advice=AT_THE_AGENT),
    "pushed": Part(_lazy("Values pushed to the agent"), advice=AT_THE_AGENT),
    "names": Part(_lazy("Values without a metric's name"), advice=BY_ITS_NAME),
    "values": Part(_lazy("Values in one sample"), advice=AT_THE_AGENT),
}


@dataclass(frozen=True)
class Loss:
    """One line: `limit` None where no setting limits it; `example` "" where there is none."""

    title: Any
    count: int
    since: datetime | None
    last: datetime | None
    advice: Any
    setting: str = ""
    limit: int | None = None
    example: str = ""


def losses_of(host: Host) -> list[Loss]:
    """List what was left out of one host's reports lately, and a clock that is put right.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    return losses_of_many([host]).get(host.pk, [])


def losses_of_many(hosts: Iterable[Host]) -> dict[int, list[Loss]]:
    """List the same of several hosts; those with nothing are missing.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    keys = [host.pk for host in hosts]
    rows = HostIntake.objects.in_bulk(keys)
    moved = set(HostIntake.objects.corrected().filter(pk__in=keys).values_list("pk"))
    found: dict[int, list[Loss]] = {key: [] for key in keys}
    for key, row in rows.items():
        found[key] += [*_parts(row), *_implausible(row)]
        if (key,) in moved:
            found[key].append(_clock(row))
    for key, loss in _overflows(keys):
        found[key].append(loss)
    return {key: lines for key, lines in found.items() if lines}


def hosts_with_losses() -> set[int]:
    """Give the keys of all hosts of which something was left out lately, or whose clock is put right.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    found = set(HostIntake.objects.lately().values_list("pk", flat=True))
    found |= set(HostIntake.objects.corrected().values_list("pk", flat=True))
    return found | overflowing()


def overflowing() -> set[int]:
    """Give the keys of hosts with more custom series than may be kept.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    since = forgotten_before().timestamp()
    return {owner_of(key) for key in store().custom_overflows(since)}


def _parts(row: HostIntake) -> Iterable[Loss]:
    for kind, count in sorted(row.left_out.items()):
        times = row.times_of(f"left_out.{kind}")
        if times is None:
            continue
        part = PARTS.get(kind) or Part(kind, advice=AT_THE_AGENT)
        yield Loss(
            part.title,
            count,
            since=_moment(times[0]),
            last=_moment(times[1]),
            advice=part.advice,
            setting=f"ADMINSET_{part.setting}" if part.setting else "",
            limit=getattr(settings, part.setting) if part.setting else None,
        )


def _implausible(row: HostIntake) -> Iterable[Loss]:
    counted = sorted(row.implausible.items(), key=lambda each: (-each[1], each[0]))
    for metric, count in counted[:MOST_METRICS]:
        times = row.times_of(f"implausible.{metric}")
        if times is not None:
            yield Loss(
                _("Values that cannot be true: %(metric)s")
                % {"metric": title_of(metric)},
                count,
                since=_moment(times[0]),
                last=_moment(times[1]),
                advice=_(
                    "Look at what the host says there: a driver, a virtual machine or an old agent may be wrong."
                ),
                example=metric,
            )


def _clock(row: HostIntake) -> Loss:
    seconds = abs(row.clock_seconds)
    ahead = (
        _("The host's clock is ahead: its samples are moved back by so many seconds")
        if row.clock_seconds > 0
        else _(
            "The host's clock is behind: its samples are moved on by so many seconds"
        )
    )
    return Loss(
        ahead,
        seconds,
        row.clock_since,
        None,
        advice=_("Set the clock right: let the host use NTP."),
        setting="ADMINSET_AGENT_CLOCK_TOLERANCE_SECONDS",
        limit=settings.AGENT_CLOCK_TOLERANCE_SECONDS,
    )


def _overflows(host_ids: list[int]) -> Iterable[tuple[int, Loss]]:
    known = store().custom_series(all_keys(host_ids))
    oldest = forgotten_before().timestamp()
    for key, series in known.items():
        if series.last < oldest:
            continue
        loss = Loss(
            _("Series of custom metrics"),
            series.left_out,
            _moment(series.first),
            _moment(series.last),
            advice=_(
                "Labels that keep changing make new series: have the host send fewer, or raise the limit."
            ),
            setting="ADMINSET_METRICS_CUSTOM_SERIES",
            limit=settings.METRICS_CUSTOM_SERIES,
            example=", ".join(series.examples),
        )
        yield owner_of(key), loss


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
