"""The way back: by the commands that brought what is live, and to releases that ran well."""

from collections.abc import Iterable, Mapping, Sequence

from django.utils.translation import gettext as _

from adminset.names import listed
from appconf.models import Environment
from cmdb.models import Host
from delivery.models import Artefact, Deploy, LiveRelease, Pipeline
from delivery.planning.wanted import Wanted
from delivery.selectors import most_live
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
    live = LiveRelease.objects.filter(environment=environment)
    began = environment.deploys.exclude(started_at=None).exclude(plan={})
    for artefact in most_live(live.select_related("artefact")):
        found = began.filter(artefact=artefact).order_by("-pk").first()
        if found is not None:
            return found
    return None


def reasons_against(
    environment: Environment,
    artefact: Artefact | None,
    host_ids: Iterable[int],
    live: Mapping[int, LiveRelease],
) -> dict[int, str]:
    """Say which hosts (their ids) cannot go back to a release, and why: "not_kept", or "untried" where it never ran well."""
    if artefact is None:
        return {}
    good = environment.deploys.filter(artefact=artefact, status=Deploy.Status.OK)
    ran_well = good.exists()
    found = {}
    for pk in host_ids:
        known = live.get(pk)
        kept = {one["release"]: one for one in known.kept} if known else {}
        own = kept.get(artefact.release)
        if own is None and (known is None or known.said != artefact.release):
            found[pk] = "not_kept"
        elif own is not None and not ran_well and not own.get("good"):
            found[pk] = "untried"
    return found


def words_here(reason: str, release: str) -> str:
    """Say to a host why it is left out."""
    words = {
        "not_kept": _("%(release)s is not kept here: deploy it."),
        "untried": _("%(release)s never ran well here: deploy it."),
    }
    return words[reason] % {"release": release}


def left_out(
    environment: Environment,
    wanted: Wanted,
    hosts: Sequence[Host],
    live: Mapping[int, LiveRelease],
) -> tuple[list[str], list[str]]:
    """Give what keeps a rollback from being asked for, and what somebody should know before it.

    Hosts that cannot go back are left out; it is refused only where none is left.
    """
    ids = [host.pk for host in hosts]
    reasons = reasons_against(environment, wanted.artefact, ids, live)
    words = {
        "not_kept": _("%(release)s is not kept on %(hosts)s: deploy it there."),
        "untried": _("%(release)s never ran well on %(hosts)s: deploy it."),
    }
    told = []
    for reason in sorted(set(reasons.values())):
        names = [host.hostname for host in hosts if reasons.get(host.pk) == reason]
        told.append(words[reason] % {"release": wanted.release, "hosts": listed(names)})
    if len(reasons) == len(ids):
        return told, []
    without = _("%(why)s The rollback goes on without them.")
    return [], [without % {"why": one} for one in told]
