"""Looks at a plan before anybody says yes: what keeps it from being done, what may stand in its way, what binds it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from adminset.names import listed
from appconf.config.resolving import resolve_hosts
from appconf.models import Environment
from cmdb.models import Host
from delivery.models import Deploy, LiveRelease, Pipeline
from delivery.planning import bound, way_back
from delivery.planning.one_host import KEY, one_host
from delivery.planning.targets import left_out
from delivery.planning.wanted import Wanted
from delivery.safety import locks
from delivery.way_models import Way


def problems_of(
    pipeline: Pipeline,
    environment: Environment,
    wanted: Wanted,
    hosts: Sequence[Host],
    live: Mapping[int, LiveRelease],
    kind: str,
) -> list[str]:
    """Say what keeps a deploy from being asked for."""
    told = []
    if not hosts:
        told.append(_("The environment has no host that is delivered to."))
    if not environment.path:
        told.append(_("The environment has no deploy path, and the project has none."))
    artefact = wanted.artefact
    if artefact is not None and artefact.bad:
        words = _("%(release)s is marked bad: %(why)s")
        told.append(words % {"release": artefact.release, "why": artefact.bad_reason})
    if artefact is not None and not artefact.is_stored and kind != Deploy.Kind.ROLLBACK:
        words = _("The files of %(release)s were cleared away: build it anew.")
        told.append(words % {"release": artefact.release})
    if kind == Deploy.Kind.ROLLBACK:
        told += way_back.left_out(environment, wanted, hosts, live)[0]
    elif pipeline.in_order:
        told += _out_of_order(environment, wanted)
    return told


def _out_of_order(environment: Environment, wanted: Wanted) -> list[str]:
    """Say where a release did not run well in the environment before."""
    before = environment.project.environments.filter(position__lt=environment.position)
    nearest = before.order_by("-position").first()
    if nearest is None:
        return []
    artefact = wanted.artefact
    if (
        artefact is not None
        and nearest.deploys.filter(artefact=artefact, status=Deploy.Status.OK).exists()
    ):
        return []
    words = _(
        "It did not run well in %(environment)s yet, and this pipeline goes through the environments in order."
    )
    return [words % {"environment": nearest.name}]


def warnings_of(
    environment: Environment,
    wanted: Wanted,
    hosts: Sequence[Host],
    live: Mapping[int, LiveRelease],
) -> list[str]:
    """Say what somebody should know before a yes."""
    told = []
    lock = locks.holder(environment)
    if lock is not None:
        words = _("The environment is held by %(holder)s.")
        told.append(words % {"holder": locks.words_of(lock)})
    out = left_out(environment)
    if out:
        words = _(
            "Nobody with the right to run work added %(hosts)s: nothing is delivered there."
        )
        told.append(words % {"hosts": listed(out)})
    new = [h.hostname for h in hosts if h.pk not in live or not live[h.pk].release]
    if new:
        words = _(
            "Nothing is known to be live on %(hosts)s: there is nothing to go back to."
        )
        told.append(words % {"hosts": listed(new)})
    same = [
        h
        for h in hosts
        if h.pk in live and wanted.release and live[h.pk].release == wanted.release
    ]
    if same:
        words = _("%(release)s is live on %(hosts)s already.")
        names = listed([host.hostname for host in same])
        told.append(words % {"release": wanted.release, "hosts": names})
    waiting = environment.deploys.filter(status__in=Deploy.OPEN).count()
    if waiting and lock is None:
        told.append(_("Another deploy to this environment was asked for before."))
    return told


def blind_words(way: Way) -> list[str]:
    """Say where a deploy would end well whatever became of the application."""
    if way.restart.strip() or way.health_kind != Way.Health.NONE:
        return []
    words = _("Nothing restarts the application and nothing asks whether it is well.")
    return [words]


def binding_of(
    pipeline: Pipeline,
    way: Way,
    environment: Environment,
    wanted: Wanted,
    placed: Sequence[tuple[Host, int]],
    kind: str,
) -> dict[str, Any]:
    """Give what people say yes to: any change of it is another plan."""
    one = one_host(way, placed, kind)
    return {
        # Batches alone do not say which host of the first one it is.
        **({KEY: one.pk} if one else {}),
        "pipeline": pipeline.pk,
        "environment": environment.pk,
        "path": environment.path,
        "kind": kind,
        "commit": wanted.commit,
        "artefact": wanted.artefact.sha256 if wanted.artefact else "",
        "origin": bound.origin_of(environment.project, wanted.kind),
        "account": [environment.project.run_user, environment.project.run_group],
        "way": way.frozen(),
        "hosts": {str(host.pk): batch for host, batch in placed},
        "variables": variables_of(environment, [host for host, _batch in placed]),
    }


def variables_of(environment: Environment, hosts: Sequence[Host]) -> bound.Bound:
    """Give each variable's name with keyed hashes of its values on the hosts: a change shows, the values do not."""
    return bound.hashes_of(resolve_hosts(environment, hosts))
