"""The way back: by the commands that brought what is live, and to releases that ran well."""

from collections import Counter
from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from appconf.models import Environment
from cmdb.models import Host
from delivery.engine.moves import listed
from delivery.models import Deploy, LiveRelease, Pipeline
from delivery.planning.wanted import Wanted
from delivery.way_models import Way


def way_of(pipeline: Pipeline, environment: Environment, kind: str) -> Way:
    """Give the way of a plan. Back it is that which brought the live release: a rollback waits for nobody's yes, and so runs nothing new.

    Where no deploy of the portal brought it, the pipeline's own, which needs its approvals.
    """
    if kind != Deploy.Kind.ROLLBACK:
        return pipeline.way
    brought = _brought(environment)
    if brought is None:
        return pipeline.way
    return Pipeline(
        **{name: value for name, value in brought.way.items() if name in Way.FIELDS}
    )


def _brought(environment: Environment) -> Deploy | None:
    """Give the deploy that brought what most hosts run; it began, so people had their say."""
    live = LiveRelease.objects.filter(environment=environment).exclude(artefact=None)
    counted = Counter(live.values_list("artefact_id", flat=True))
    began = environment.deploys.exclude(started_at=None).exclude(plan={})
    for pk, _count in counted.most_common():
        found = began.filter(artefact=pk).order_by("-pk").first()
        if found is not None:
            return found
    return None


def untried(
    environment: Environment,
    wanted: Wanted,
    hosts: Sequence[Host],
    live: Mapping[int, LiveRelease],
) -> list[str]:
    """Say on which hosts a release is kept that never ran well: nobody goes back to that."""
    ended_well = environment.deploys.filter(
        artefact=wanted.artefact, status=Deploy.Status.OK
    )
    if ended_well.exists():
        return []
    names = []
    for host in hosts:
        kept = live[host.pk].kept if host.pk in live else []
        own = [one for one in kept if one["release"] == wanted.release]
        if own and not own[0].get("good"):
            names.append(host.hostname)
    if not names:
        return []
    words = _("%(release)s never ran well on %(hosts)s: deploy it.")
    return [words % {"release": wanted.release, "hosts": listed(names)}]
