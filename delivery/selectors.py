"""Questions of the room that join several sources: latest deploys, what is live where, which hosts somebody may know of."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Max, QuerySet

from adminset.querysets import everywhere
from appconf.models import Environment, Project
from cmdb.models import Host
from delivery.models import (
    Artefact,
    Deploy,
    DeployHost,
    DeployLock,
    DeployStep,
    LiveRelease,
    Pipeline,
)

CARD_ROWS = 6


def latest_deploys(user: Any, count: int = CARD_ROWS) -> list[Deploy]:
    """Give the newest deploys that a user may see."""
    rows = Deploy.objects.visible_to(user).defer("plan")
    related = ("pipeline__project", "environment", "artefact__project")
    return list(rows.select_related(*related).order_by("-pk")[:count])


@dataclass
class Place:
    """An environment and what is live on its hosts, as far as somebody may see it.

    Attributes:
        releases: (release, number of hosts), most first; "" where nothing is live. rows: one a host.
        hidden: hosts that the reader may not see.
    """

    environment: Environment
    rows: list[LiveRelease] = field(default_factory=list)
    hidden: int = 0
    lock: DeployLock | None = None
    last: Deploy | None = None

    @property
    def releases(self) -> list[tuple[str, int]]:
        """What is live, as hosts said last; those that never said anything are not counted."""
        known = [row for row in self.rows if row.read_at or row.expected]
        return Counter(row.release for row in known).most_common()

    @property
    def drifted(self) -> list[LiveRelease]:
        """Hosts that say something else than the portal."""
        return [row for row in self.rows if row.has_drifted]

    @property
    def changed(self) -> list[LiveRelease]:
        """Hosts with files of the live release that somebody changed there."""
        return [row for row in self.rows if row.changed_words]

    @property
    def problems(self) -> list[LiveRelease]:
        """Hosts that could not be read the last time, or are out of the balancer."""
        return [row for row in self.rows if row.problem]

    @property
    def state(self) -> tuple[str, str]:
        """Colour and word key of the whole: drifted, mixed, unread, same, empty."""
        if self.drifted:
            return "warning", "drifted"
        if not self.rows:
            return "idle", "empty"
        if self.problems:
            return "warning", "unread"
        return ("ok", "same") if len(self.releases) == 1 else ("warning", "mixed")


def places_of(user: Any, environments: Iterable[Environment]) -> list[Place]:
    """Give what is live in environments that the user may see: four queries, however many there are."""
    places = {one.pk: Place(one) for one in environments}
    seen = Host.objects.visible_to(user)
    rows = LiveRelease.objects.filter(environment__in=places)
    shown = rows.filter(host__in=seen).select_related("host", "artefact__project")
    # A plan of many hosts is large, and would come once for each of them.
    for row in shown.select_related("deploy").defer("deploy__plan"):
        places[row.environment_id].rows.append(row)
    every = Counter(rows.order_by().values_list("environment", flat=True))
    for pk, place in places.items():
        place.hidden = every[pk] - len(place.rows)
    locks = DeployLock.objects.filter(environment__in=places)
    for lock in locks.select_related("deploy").defer("deploy__plan"):
        places[lock.environment_id].lock = lock
    _add_last(user, places)
    return list(places.values())


def _add_last(user: Any, places: dict[int, Place]) -> None:
    """Tell each place its last deploy that ended well or goes on."""
    seen = Deploy.objects.visible_to(user).filter(environment__in=places)
    newest = seen.order_by().values("environment").annotate(newest=Max("pk"))
    rows = Deploy.objects.filter(pk__in=newest.values("newest")).defer("plan")
    for deploy in rows.select_related("pipeline__project", "artefact"):
        places[deploy.environment_id].last = deploy


def places_of_project(user: Any, project: Project) -> list[Place]:
    """Give what is live in the environments of a project, in the order of travel."""
    rows = Environment.objects.visible_to(user).filter(project=project)
    return places_of(user, rows.select_related("project").order_by("position", "name"))


def reached_by(pipeline: Pipeline) -> set[int]:
    """Give the keys of the environments to which a pipeline may go."""
    rows = pipeline.reached(Environment.objects.order_by())
    return set(rows.values_list("pk", flat=True))


def hosts_seen(user: Any, deploy: Deploy) -> QuerySet[DeployHost]:
    """Give the hosts of a deploy whose names the user may know; those that are gone from the CMDB for who sees all."""
    if everywhere(user, "cmdb.view_host"):
        return deploy.hosts.all()
    return deploy.hosts.filter(host__in=Host.objects.visible_to(user))


def host_ids_seen(user: Any, ids: Iterable[int]) -> set[int]:
    """Keep of some hosts those that the user may see."""
    rows = Host.objects.visible_to(user).filter(pk__in=list(ids))
    return set(rows.values_list("pk", flat=True))


def current_of(steps: list[DeployStep]) -> DeployStep | None:
    """Give the step that runs, else the first that failed, else the last that printed something."""
    running = [step for step in steps if step.status == DeployStep.Status.RUNNING]
    bad = [step for step in steps if step.status == DeployStep.Status.FAILED]
    spoke = [step for step in steps if step.run_id or step.build_id]
    for found in (running, bad, spoke[-1:]):
        told = [step for step in found if step.run_id or step.build_id]
        if told:
            return told[0]
    return None


def most_live(rows: Iterable[LiveRelease]) -> list[Artefact]:
    """Give the artefacts that are live in some rows, which bring theirs along, that of most hosts first; nothing where nobody knows."""
    known = [row.artefact for row in rows if row.artefact is not None]
    by_key = {artefact.pk: artefact for artefact in known}
    counted = Counter(artefact.pk for artefact in known)
    return [by_key[pk] for pk, _count in counted.most_common()]
