"""What holds for a host: how often it is measured and how long that stays, by the policies of its groups, else by the settings."""

import threading
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings

from cmdb.membership import in_groups
from cmdb.models import Host
from monitor.policy_models import CollectionPolicy, least_raw_hours
from monitor.prometheus.lanes import owner_of
from monitor.records import DAY_SECONDS, HOUR_SECONDS, chunks, remember
from monitor.tiers import Retention

# A changed policy, or a host that moved to another group, is seen after so long.
KEPT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for one host; `retention` in seconds."""

    sample_seconds: int
    flush_seconds: int
    retention: Retention


def default_policy() -> Policy:
    """Give what the settings say; single samples stay at least as long as late ones are taken."""
    retention = Retention(
        raw=max(settings.METRICS_RAW_HOURS, least_raw_hours()) * HOUR_SECONDS,
        minute=settings.METRICS_MINUTE_DAYS * DAY_SECONDS,
        ten_minutes=settings.METRICS_TEN_MINUTE_DAYS * DAY_SECONDS,
        two_hours=settings.METRICS_TWO_HOUR_DAYS * DAY_SECONDS,
    )
    return Policy(
        settings.AGENT_SAMPLE_SECONDS, settings.AGENT_FLUSH_SECONDS, retention
    )


class Policies:
    """Remembers for a while which hosts have a policy of their own; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Look again."""
        self._until = 0.0
        self._rows: list[CollectionPolicy] = []
        self._known: dict[int, Policy] = {}

    def of(self, host_ids: Iterable[int]) -> dict[int, Policy]:
        """Give what holds for each host."""
        wanted = list(host_ids)
        with self._lock:
            if time.monotonic() >= self._until:
                self.forget()
                self._rows = list(CollectionPolicy.objects.order_by("pk"))
                self._until = time.monotonic() + KEPT_SECONDS
            rows, known = self._rows, self._known
        usual = default_policy()
        if not rows:
            return dict.fromkeys(wanted, usual)
        unknown = [host_id for host_id in wanted if host_id not in known]
        found = _joined(unknown, rows, usual)
        for host_id in unknown:
            remember(known, host_id, found.get(host_id, usual))
        return {h: known.get(h) or found.get(h, usual) for h in wanted}


def _joined(
    host_ids: Collection[int], rows: Collection[CollectionPolicy], usual: Policy
) -> dict[int, Policy]:
    """Give hosts with a policy: of several the shortest intervals and the longest retention."""
    mine: dict[int, list[CollectionPolicy]] = {}
    for some in chunks(host_ids, 500):
        hosts = Host.objects.filter(pk__in=some).order_by()
        for row in rows:
            members = in_groups(hosts, [row.host_group_id])
            for host_id in members.values_list("pk", flat=True):
                mine.setdefault(host_id, []).append(row)
    return {host_id: _one(listed, usual) for host_id, listed in mine.items()}


def _one(rows: Collection[CollectionPolicy], usual: Policy) -> Policy:
    def said(name: str) -> list[int]:
        return [v for row in rows if (v := getattr(row, name)) is not None]

    def longest(name: str, seconds: int, otherwise: float) -> float:
        return max((v * seconds for v in said(name)), default=otherwise)

    kept, late = usual.retention, float(least_raw_hours() * HOUR_SECONDS)
    return Policy(
        min(said("sample_seconds"), default=usual.sample_seconds),
        min(said("flush_seconds"), default=usual.flush_seconds),
        Retention(
            max(longest("raw_hours", HOUR_SECONDS, kept.raw), late),
            longest("minute_days", DAY_SECONDS, kept.minute),
            longest("ten_minute_days", DAY_SECONDS, kept.ten_minutes),
            longest("two_hour_days", DAY_SECONDS, kept.two_hours),
        ),
    )


policies = Policies()


def policy_of(host_ids: Iterable[int]) -> dict[int, Policy]:
    """Give what holds for each host, remembered for a minute."""
    return policies.of(host_ids)


def retention_of(host_ids: Collection[int]) -> Mapping[int, Retention]:
    """Give how long each host's tiers stay."""
    # What others wrote of a host stays as long as what its agent sent.
    owners = {key: owner_of(key) for key in host_ids}
    found = policy_of(set(owners.values()))
    return {key: found[owner].retention for key, owner in owners.items()}
