"""What a run would touch, before it runs: its hosts, what is critical, whose they are, what hangs on them, what is in the way."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from adminset.querysets import everywhere, scope_of
from cmdb import impact_many
from cmdb.models import Host
from cmdb.selectors import hosts_for_run
from tasks.launching import host_filter
from tasks.models import Run, RunHost
from tasks.selectors import resolve_hosts
from tasks.services.launch import RunSpec, judge
from tasks.services.shape import by_limit
from tasks.taskmodules.resolving import resolve

OWNERS = 12


@dataclass(frozen=True)
class Obstacle:
    """Why a host will not be reached, and the page where that is mended."""

    text: str
    url: str


@dataclass(frozen=True)
class PlannedHost:
    """A host that a run would touch.

    Attributes:
        warnings: why it would not be reached. critical: why it counts as critical, "" where it does not.
        frozen: the word by which the CMDB says that it must not be changed now. busy: what runs on it at this moment.
    """

    host: Host
    warnings: list[Obstacle] = field(default_factory=list)
    critical: str = ""
    frozen: str = ""
    busy: tuple[Run | None, ...] = ()


@dataclass(frozen=True)
class Preview:
    """What a run would touch. `seal` is the same as long as it is the same hosts.

    Attributes:
        problem: why it cannot be started, "" where it can. left_out: hosts of the groups and of the filter on which the
            user may not run work. outside: hosts that Ansible's limit leaves out.
    """

    rows: list[PlannedHost] = field(default_factory=list)
    problem: str = ""
    left_out: int = 0
    outside: int = 0
    user: Any = None

    @cached_property
    def seal(self) -> str:
        """Fingerprint of the list of hosts."""
        ids = ",".join(str(pk) for pk in sorted(row.host.pk for row in self.rows))
        return sha256(ids.encode()).hexdigest()[:32]

    @cached_property
    def warned(self) -> int:
        """Number of hosts that will not be reached as they stand."""
        return sum(bool(row.warnings) for row in self.rows)

    @cached_property
    def critical(self) -> list[PlannedHost]:
        """The hosts that count as critical."""
        return [row for row in self.rows if row.critical]

    @cached_property
    def frozen(self) -> list[PlannedHost]:
        """The hosts that must not be changed now."""
        return [row for row in self.rows if row.frozen]

    @cached_property
    def busy(self) -> list[PlannedHost]:
        """The hosts on which something runs at this moment."""
        return [row for row in self.rows if row.busy]

    @cached_property
    def sorted_rows(self) -> list[PlannedHost]:
        """The hosts, those of which something is to be known first."""
        return sorted(
            self.rows,
            key=lambda row: (
                not (row.critical or row.frozen or row.busy or row.warnings)
            ),
        )

    @cached_property
    def owners(self) -> list[tuple[str, int]]:
        """Who owns them, with the number of hosts, most first; "" are those that nobody owns."""
        return Counter(row.host.owner.strip() for row in self.rows).most_common()

    @property
    def owners_shown(self) -> list[tuple[str, int]]:
        """The first owners."""
        return self.owners[:OWNERS]

    @cached_property
    def touched(self) -> list[impact_many.Share]:
        """The product lines and clusters, with the share of each that is touched."""
        hosts = [row.host for row in self.rows]
        lines = impact_many.shares(self.user, hosts, "product_line")
        return lines + impact_many.shares(self.user, hosts, "cluster")

    @cached_property
    def dependents(self) -> impact_many.Dependents:
        """What hangs on these hosts."""
        return impact_many.dependents(self.user, [row.host.pk for row in self.rows])


def preview(user: Any, spec: RunSpec) -> Preview:
    """Say which hosts a run would touch and what is to be known of each; a run that is refused says why."""
    problem = ""
    beyond: list[Host] = []
    try:
        judged = judge(actor=user, spec=spec)
        hosts, beyond = by_limit(resolve(spec, user), judged)
    except DomainError as error:
        problem = f"{error.message} {error.hint}".strip()
        hosts = resolve_hosts(user, spec.host_ids, spec.group_ids, spec.host_filter)
    ids = [host.pk for host in hosts]
    words, busy = _marks(ids), _busy(user, ids)
    critical, frozen = set(settings.RUN_CRITICAL_TAGS), set(settings.RUN_FREEZE_TAGS)
    rows = [
        PlannedHost(
            host,
            warnings_of(host),
            why_critical(host, sorted(words.get(host.pk, set()) & critical)),
            ", ".join(sorted(words.get(host.pk, set()) & frozen)),
            busy.get(host.pk, ()),
        )
        for host in hosts
    ]
    ids += [host.pk for host in beyond]
    return Preview(rows, problem, _left_out(user, spec, ids), len(beyond), user)


def _left_out(user: Any, spec: RunSpec, ids: list[int]) -> int:
    """Count the hosts of the groups and of the filter that the user sees and may not run work on."""
    if scope_of(user, "cmdb.run_host").everything:
        return 0
    seen = hosts_for_run(user, (), spec.group_ids, action="view")
    rows = Host.objects.filter(pk__in=seen.order_by().values("pk"))
    if spec.host_filter:
        found = host_filter.matching_hosts(user, spec.host_filter)
        rows |= Host.objects.filter(pk__in=found.order_by().values("pk"))
    return rows.exclude(pk__in=ids).count()


def _marks(ids: list[int]) -> Mapping[int, set[str]]:
    """Give those tags of hosts that mean something here."""
    asked = [*settings.RUN_CRITICAL_TAGS, *settings.RUN_FREEZE_TAGS]
    links = Host.tags.through.objects.filter(host__in=ids, tag__name__in=asked)
    found: dict[int, set[str]] = {}
    for pk, name in links.values_list("host_id", "tag__name"):
        found.setdefault(pk, set()).add(name)
    return found


def why_critical(host: Host, tags: Iterable[str]) -> str:
    """Say why a host counts as critical: one of `tags`, the critical ones that it bears, or a value of a further field."""
    for tag in tags:
        return _("tag %(tag)s") % {"tag": tag}
    custom = host.custom if isinstance(host.custom, dict) else {}
    for rule in settings.RUN_CRITICAL_FIELDS:
        key, _equals, value = rule.partition("=")
        if str(custom.get(key.strip(), "")).lower() == value.strip().lower():
            return f"{key.strip()}: {value.strip()}"
    return ""


def _busy(user: Any, ids: list[int]) -> Mapping[int, tuple[Run | None, ...]]:
    """Give the runs that go on on hosts; None for one that the user may not see."""
    rows = RunHost.objects.filter(
        host__in=ids, status__in=RunHost.OPEN, run__status__in=Run.OPEN
    )
    pairs = list(rows.order_by("-run").values_list("host_id", "run_id", "run__title"))
    wanted = {run for _host, run, _title in pairs}
    if wanted and not everywhere(user, "tasks.view_run"):
        seen = Run.objects.visible_to(user).filter(pk__in=wanted)
        wanted = set(seen.values_list("pk", flat=True))
    found: dict[int, tuple[Run | None, ...]] = {}
    for pk, run, title in pairs:
        shown = Run(pk=run, title=title) if run in wanted else None
        found[pk] = (*found.get(pk, ()), shown)
    return found


def warnings_of(host: Host) -> list[Obstacle]:
    """Say why a host would not be reached."""
    edit = reverse("cmdb:host_edit", args=[host.pk])
    found = []
    if not host.address:
        found.append(Obstacle(_("It has no management address."), edit))
    if host.credential_id is None:
        found.append(Obstacle(_("It has no credential to sign in with."), edit))
    if host.address and not host.host_key:
        key = reverse("tasks:host_key", args=[host.pk])
        found.append(Obstacle(_("Its host key is not accepted yet."), key))
    return found
