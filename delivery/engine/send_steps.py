"""Packs on their way to the hosts: each gets what it lacks; what a host could not use is packed anew by a worker, never in here."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from adminset.errors import DomainError
from adminset.many_rows import update_rows
from adminset.names import listed
from delivery.artefacts.naming import numbers_named
from delivery.artefacts.packs import Pack, at_hand
from delivery.engine.host_steps import nobody, rows_of, spoil
from delivery.engine.legwork import heard, request
from delivery.engine.moves import Outcome, again, end_step, failed
from delivery.models import Artefact, DeployHost, DeployStep, LiveRelease
from delivery.onhost import legs
from delivery.onhost.ended import is_ok, why
from delivery.onhost.told import base_broken, pack_broken
from tasks.legs.reading import HostReport

Kind = DeployStep.Kind
Host = DeployHost.Status
# Host -> (release there, SHA-256 of its artefact) on which its pack builds; none: ("", "").
Bases = dict[int, tuple[str, str]]
Reports = Mapping[int, HostReport]
# Packs are made for a step again at most so often by itself: a fault of ours must not turn in circles.
MOST_PACKINGS = 5


def bases_of(step: DeployStep) -> Bases:
    """Choose for each host that still needs the release on what its pack builds.

    Args:
        step: the one that sends, which knows whose base is not what it was; or the one that packs.
    """
    rows = LiveRelease.objects.filter(environment=step.deploy.environment_id)
    there = {
        row.host_id: [
            name
            for name in (row.said, row.previous)
            if name in {one["release"] for one in row.kept}
        ]
        for row in rows
    }
    known = _stored(step, {name for names in there.values() for name in names})
    whole = set(step.found.get("whole", ()))
    found: Bases = {}
    for pk in (row.host_id for row in _lacking(step) if row.host_id):
        names = [] if pk in whole else [n for n in there.get(pk, []) if n in known]
        found[pk] = (names[0], known[names[0]]) if names else ("", "")
    return found


def _stored(step: DeployStep, releases: Iterable[str]) -> dict[str, str]:
    """Give release -> SHA-256 of those whose files are here."""
    rows = Artefact.objects.filter(
        project=step.deploy.pipeline.project_id, number__in=numbers_named(releases)
    )
    return {one.release: one.sha256 for one in rows if one.is_stored}


def _lacking(step: DeployStep) -> list[DeployHost]:
    """Give the hosts to which a step has not brought the release yet."""
    received = set(step.found.get("received", ()))
    return [row for row in rows_of(step) if row.host_id not in received]


def wanted_sha(step: DeployStep) -> str:
    """Give the SHA-256 of the artefact that a deploy is for.

    Raises:
        DomainError: none was built.
    """
    artefact = step.deploy.artefact
    if artefact is None:
        raise DomainError(_("There is no artefact to deliver."))
    return artefact.sha256


def sender_of(step: DeployStep) -> DeployStep:
    """Give the step that sends what a step packs."""
    behind = step.deploy.steps.filter(kind=Kind.DISTRIBUTE, position__gt=step.position)
    return behind.select_related("deploy").order_by("position").first() or step


def begin_distribute(step: DeployStep) -> Outcome | None:
    """Send the release to the hosts that have none of it yet; where a pack is not at hand, the step before makes it."""
    bases = bases_of(step)
    packs = _packs_at_hand(step, bases)
    if packs is None:
        return _pack_again(step, _("Its packs are not there any more."))
    names = {pk: release for pk, (release, _sha) in bases.items() if release}

    def make(context: Any, ids: tuple[int, ...]) -> Any:
        own = {pk: packs[bases[pk][1]] for pk in ids}
        return legs.receive_leg(context, own, names)

    rows = [row for row in _lacking(step) if row.host_id in bases]
    if not request(step, rows, make):
        return nobody(step)
    for row in rows:
        row.total_bytes = packs[bases[row.host_id or 0][1]].size
    update_rows(DeployHost, ["total_bytes"], rows)
    step.done, step.total = 0, sum(row.total_bytes for row in rows)
    step.save(update_fields=["done", "total"])
    return None


def _packs_at_hand(step: DeployStep, bases: Bases) -> dict[str, Pack] | None:
    """Give the packs by SHA-256 of their base, as the step that packs left them; None where one is not there or another one."""
    before = _packer_of(step)
    marks = before.found.get("packs", {}) if before is not None else {}
    packs: dict[str, Pack] = {}
    for base in {sha256 for _release, sha256 in bases.values()}:
        pack = at_hand(wanted_sha(step), base, marks.get(base))
        if pack is None:
            return None
        packs[base] = pack
    return packs


def _packer_of(step: DeployStep) -> DeployStep | None:
    before = step.deploy.steps.filter(kind=Kind.PACK, position__lt=step.position)
    return before.order_by("-position").first()


def judge_distribute(step: DeployStep) -> Outcome | None:
    """Keep how far each host is; where some could not use what came, let it be packed anew: as a whole where their base is broken."""
    said = heard(step)
    if said is None:
        _count(step)
        return None
    rows = _lacking(step)
    good = [row for row in rows if is_ok(said.get(row.host_id or 0))]
    bad = [row for row in rows if not is_ok(said.get(row.host_id or 0))]
    _received(step, good, said)
    mended = _mended(step, bad, said)
    if mended is None:
        return _judged(step, spoil(bad, said))
    names = listed([row.host_name for row in bad])
    words = f"{names}: {why(said.get(bad[0].host_id or 0))}"
    received = [*step.found.get("received", ()), *(row.host_id for row in good)]
    return _pack_again(step, words, received=received, **mended)


def _judged(step: DeployStep, outcome: Outcome) -> Outcome:
    """Let a step that ended well say why its packs were made again; a retry by hand says that itself."""
    if outcome.is_bad or not step.found.get("packings"):
        return outcome
    why_not = step.past[-1]["explanation"]
    words = _("It was packed anew. %(why)s") % {"why": why_not}
    return Outcome(outcome.status, words)


def _mended(
    step: DeployStep, bad: list[DeployHost], said: Reports
) -> dict[str, list[int]] | None:
    """Say what a step has to know when it sends again; None where that would not help, or nothing is wrong."""
    whole, refused = (set(step.found.get(key, ())) for key in ("whole", "refused"))
    ids = {row.host_id or 0 for row in bad}
    broken = {pk for pk in ids - whole if base_broken(said.get(pk))}
    damaged = {pk for pk in ids - refused if pack_broken(said.get(pk))}
    if not ids or broken | damaged != ids:
        return None
    return {"whole": sorted(whole | broken), "refused": sorted(refused | damaged)}


def _pack_again(step: DeployStep, words: str, **found: Any) -> Outcome | None:
    """Go back to the step that packs; `found` is kept for when this one begins again, but not for a retry by hand."""
    before = _packer_of(step)
    packings = step.found.get("packings", 0)
    if before is None or packings >= MOST_PACKINGS:
        return failed(words)
    kept = {**step.found, **found, "packings": packings + 1}
    end_step(step, failed(words))
    again(before)
    again(step)
    step.found = kept
    step.save(update_fields=["found"])
    return None


def _received(step: DeployStep, rows: list[DeployHost], said: Reports) -> None:
    for row in rows:
        row.status, row.to_release = Host.RECEIVED, step.deploy.release
        row.sent_bytes = said[row.host_id or 0].sent
    update_rows(DeployHost, ["status", "to_release", "sent_bytes"], rows)


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
