"""Packs on their way to the hosts: each gets what it lacks; where its base turns out to be broken, the whole."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from adminset.errors import DomainError
from delivery.artefacts.packs import Pack, pack_for
from delivery.engine.host_steps import mark, rows_of, spoil
from delivery.engine.legwork import heard, is_ok, request
from delivery.engine.live import artefact_named
from delivery.engine.moves import Outcome, failed
from delivery.models import DeployHost, DeployStep, LiveRelease
from delivery.onhost import legs
from delivery.onhost.told import base_broken
from tasks.legs.reading import HostReport

Host = DeployHost.Status
Bases = dict[int, tuple[str, str]]


def bases_of(step: DeployStep) -> Bases:
    """Choose for each host on what its pack builds: (release there, SHA-256 of its artefact); hosts without any are missing."""
    deploy = step.deploy
    rows = LiveRelease.objects.filter(environment=deploy.environment_id)
    found: Bases = {}
    for row in rows:
        there = {one["release"] for one in row.kept}
        for name in (row.said, row.previous):
            artefact = artefact_named(deploy.pipeline.project_id, name)
            if artefact is not None and name in there and artefact.is_stored:
                found[row.host_id] = (name, artefact.sha256)
                break
    return found


def wanted_sha(step: DeployStep) -> str:
    """Give the SHA-256 of the artefact that a deploy is for.

    Raises:
        DomainError: none was built.
    """
    artefact = step.deploy.artefact
    if artefact is None:
        raise DomainError(_("There is no artefact to deliver."))
    return artefact.sha256


def packs_for(step: DeployStep, ids: tuple[int, ...], bases: Bases) -> dict[int, Pack]:
    """Give each host its pack; made before, in the step that packs, so that this is quick.

    Raises:
        DomainError: the artefact is not in the store any more, or damaged.
    """
    sha256 = wanted_sha(step)
    made: dict[str, Pack] = {}
    found = {}
    for pk in ids:
        base = bases.get(pk, ("", ""))[1]
        if base not in made:
            made[base] = pack_for(sha256, base or None)
        found[pk] = made[base]
    return found


def begin_distribute(step: DeployStep) -> Outcome | None:
    """Send the release to the hosts that have none of it yet."""
    return _send(step, rows_of(step), bases_of(step), "")


def _send(
    step: DeployStep, rows: list[DeployHost], bases: Bases, phase: str
) -> Outcome | None:
    totals: dict[int, int] = {}

    def make(context: Any, ids: tuple[int, ...]) -> Any:
        packs = packs_for(step, ids, bases)
        totals.update({pk: pack.size for pk, pack in packs.items()})
        names = {pk: base[0] for pk, base in bases.items() if pk in packs}
        return legs.receive_leg(context, packs, names)

    if not request(step, rows, make, phase=phase):
        return failed("")
    for row in rows:
        mark(row, total_bytes=totals.get(row.host_id or 0, 0))
    step.done, step.total = 0, sum(totals.values())
    step.save(update_fields=["done", "total"])
    return None


def judge_distribute(step: DeployStep) -> Outcome | None:
    """Keep how far each host is; send the whole to those whose base is not what it was."""
    said = heard(step)
    if said is None:
        _count(step)
        return None
    rows = rows_of(step)
    broken = [row for row in rows if base_broken(said.get(row.host_id or 0))]
    if broken and step.found.get("phase") != "whole":
        kept = [pk for pk, report in said.items() if is_ok(report)]
        _received(rows, said)
        step.found = {**step.found, "phase": "whole", "received": kept}
        step.save(update_fields=["found"])
        return _send(step, broken, {}, ".whole")
    _received(rows, said)
    waiting = [row for row in rows if row.status != Host.RECEIVED]
    return spoil(waiting, said)


def _received(rows: list[DeployHost], said: Mapping[int, HostReport]) -> None:
    for row in rows:
        report = said.get(row.host_id or 0)
        if is_ok(report) and report is not None:
            mark(
                row,
                status=Host.RECEIVED,
                sent_bytes=report.sent,
                to_release=row.deploy.release,
            )


def _count(step: DeployStep) -> None:
    """Bring the bytes that are there up to date, for the progress."""
    if step.run is None:
        return
    done = 0
    for told in step.run.hosts.values_list("report", flat=True):
        done += int((told or {}).get("sent", 0))
    if done != step.done:
        step.done = min(done, step.total)
        step.save(update_fields=["done"])
