"""Makes plans: everything that a deploy would do is known, shown and hashed before anything happens."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from adminset.errors import Conflict, DomainError
from appconf.models import Environment
from appconf.vouching import ensure_may_deploy
from cmdb.models import Host
from delivery.configs.pending import Pending, pending_of
from delivery.models import Artefact, Deploy, LiveRelease, Pipeline
from delivery.planning import targets, way_back
from delivery.planning.blast import blast_of, critical_words
from delivery.planning.bound import left_to_texts
from delivery.planning.looking import (
    binding_of,
    blind_words,
    problems_of,
    warnings_of,
)
from delivery.planning.one_host import one_host
from delivery.planning.plan import Plan, PlanCommand, PlanRow
from delivery.planning.sizes import Sizes
from delivery.planning.wanted import Wanted, commits_between, wanted_of
from delivery.safety.giving_way import cancels_words
from delivery.safety.reach import ensure_goes_to
from delivery.safety.windows import closed_words
from delivery.selectors import most_live
from delivery.stages import ALL, is_at_portal, is_for_one, title_of
from delivery.way_models import Way


def make_plan(  # noqa: PLR0913 - what is asked for, each part by its name
    *,
    actor: Any,
    pipeline: Pipeline,
    environment: Environment,
    ref_kind: str = "branch",
    ref: str = "",
    host_ids: Collection[int] = (),
    artefact: Artefact | None = None,
    kind: str = Deploy.Kind.DEPLOY,
) -> Plan:
    """Say what a deploy would do; nothing is written, and nothing happens on a host. It may ask the source: seconds.

    Args:
        ref: branch, tag, commit or revision, or the id of an artefact, as `ref_kind` says.
        host_ids: only these hosts of the environment; none: all of them.
        artefact: deliver this one, whatever the reference says.

    Raises:
        Forbidden: the actor may not deploy there. DomainError: the reference is not there, or the hosts are not.
    """
    ensure_may_deploy(actor, environment)
    _check(pipeline, environment)
    wanted = wanted_of(actor, pipeline, ref_kind, ref, artefact)
    hosts = targets.chosen(environment, host_ids)
    rolls = kind == Deploy.Kind.ROLLBACK
    placed = (
        [(host, 0) for host in hosts]
        if rolls
        else targets.in_batches(pipeline.way, hosts)
    )
    live = targets.known_live(environment)
    return _plan(actor, pipeline, environment, wanted, placed, live, kind)


def _check(pipeline: Pipeline, environment: Environment) -> None:
    if pipeline.project_id != environment.project_id:
        raise DomainError(_("The pipeline and the environment are of two projects."))
    if not pipeline.is_active:
        raise Conflict(
            _("%(pipeline)s is not in use.") % {"pipeline": pipeline},
            _("Whoever may change the pipeline can put it into use again."),
            code="inactive",
        )
    ensure_goes_to(pipeline, environment)


def _plan(  # noqa: PLR0913 - what is known by then, each part by its name
    actor: Any,
    pipeline: Pipeline,
    environment: Environment,
    wanted: Wanted,
    placed: Sequence[tuple[Host, int]],
    live: Mapping[int, LiveRelease],
    kind: str,
) -> Plan:
    hosts = [host for host, _batch in placed]
    rolls = kind == Deploy.Kind.ROLLBACK
    way = way_back.way_of(pipeline, environment, kind)
    # What somebody said yes to before brings back without a further yes.
    passed = rolls and way is not pipeline.way
    needed = (
        0 if passed or not pipeline.guards(environment) else pipeline.approvals_needed
    )
    binding = binding_of(pipeline, way, environment, wanted, placed, kind)
    # Back nothing travels, and nobody waits for files to be compared.
    sizes = Sizes(None if rolls else wanted.artefact)
    here = [live[host.pk] for host in hosts if host.pk in live]
    pending = pending_of(environment, [host.pk for host in hosts])
    return Plan(
        pipeline_id=pipeline.pk,
        environment_id=environment.pk,
        kind=kind,
        ref_kind=wanted.kind,
        ref=wanted.ref,
        commit=wanted.commit,
        branch=wanted.branch,
        artefact_id=wanted.artefact.pk if wanted.artefact else None,
        to_release=wanted.release,
        rows=_rows(sizes, pending, wanted, placed, live),
        commands=tuple(commands_of(way, rolls=rolls, one=one_host(way, placed, kind))),
        # A way back waits for no git host: the release lies on the hosts already.
        commits=()
        if rolls
        else tuple(commits_between(actor, pipeline, wanted, live.values())),
        blast=tuple(blast_of(actor, environment, hosts)),
        warnings=(
            *warnings_of(environment, wanted, hosts, live),
            *(() if rolls else blind_words(way)),
            *(() if rolls else targets.canary_words(way, hosts)),
            *left_to_texts(binding["variables"]),
            *(way_back.left_out(environment, wanted, hosts, live)[1] if rolls else ()),
            *(cancels_words(environment) if rolls else ()),
        ),
        problems=tuple(problems_of(pipeline, environment, wanted, hosts, live, kind)),
        closed="" if rolls else closed_words(pipeline, environment),
        approvals_needed=needed,
        changes=tuple(sizes.changes(most_live(here))),
        unpushed=pending.unpushed,
        binding=binding,
    )


def _rows(
    sizes: Sizes,
    pending: Pending,
    wanted: Wanted,
    placed: Sequence[tuple[Host, int]],
    live: Mapping[int, LiveRelease],
) -> tuple[PlanRow, ...]:
    rows = []
    for host, batch in placed:
        known = live.get(host.pk)
        files, size, sent = sizes.to(known.artefact if known else None)
        rows.append(
            PlanRow(
                host_id=host.pk,
                host=host.hostname,
                batch=batch,
                from_release=known.release if known else "",
                to_release=wanted.release,
                files=files,
                size=size,
                bytes=sent,
                config=pending.hosts.get(host.pk, ()),
                critical=critical_words(host),
                warnings=(known.drift_words,) if known and known.has_drifted else (),
            )
        )
    return tuple(rows)


def commands_of(
    way: Way, *, rolls: bool = False, one: Host | None = None
) -> list[PlanCommand]:
    """List the commands that will run, in their order.

    Args:
        one: the host on which those run that are for one host only; None: it is not known yet.
    """
    told = []
    for stage in () if rolls else way.stages:
        where = "portal" if is_at_portal(stage) else "hosts"
        if stage["kind"] == "activate":
            told += _around_the_switch(way)
        elif stage.get("command"):
            name = one.hostname if one and is_for_one(stage) else ""
            on = stage.get("on", ALL)
            told.append(PlanCommand(title_of(stage), where, stage["command"], on, name))
    return _around_the_switch(way) if rolls else told


def _around_the_switch(way: Way) -> list[PlanCommand]:
    blue_green = way.policy == Way.Policy.BLUE_GREEN
    health = way.health_target if way.health_kind == Way.Health.COMMAND else ""
    named = (
        (_("before the switch"), way.before_switch),
        (_("drain"), way.drain),
        (_("restart"), way.restart),
        (_("health"), health),
        (_("switch of blue-green"), way.switch_command if blue_green else ""),
        (_("after the switch"), way.after_switch),
        (_("return"), way.back),
    )
    return [PlanCommand(stage, "hosts", text) for stage, text in named if text.strip()]
