"""What is live where: written down whenever hosts said so, and whenever the portal made it so; all hosts of a step at once."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from adminset.many_rows import update_rows
from delivery.models import Artefact, Deploy, DeployHost, LiveRelease
from delivery.onhost.told import HostState
from delivery.safety.telling import (
    LONGEST_PROBLEM,
    MOST_KEPT,
    READ,
    artefacts_named,
    read_values,
)
from tasks.legs.reading import HostReport


def note_said(deploy: Deploy, states: Mapping[DeployHost, HostState]) -> None:
    """Keep what hosts said of themselves before a deploy. A host that is new to us is taken at its word."""
    found = _rows(deploy, states)
    artefacts = _artefacts(deploy, (state.live for state in states.values()))
    for host, state in states.items():
        row = found.get(host.host_id or 0)
        if row is None:
            continue
        if row.pk is None or (not row.expected and row.deploy_id is None):
            row.expected = state.live[:200]
            row.artefact = artefacts.get(state.live)
        _set(row, read_values(state))
    _save(found.values(), ("expected", "artefact", *READ))


def note_live(deploy: Deploy, releases: Mapping[DeployHost, str]) -> None:
    """Keep that releases were made live, and read back."""
    found, now = _rows(deploy, releases), timezone.now()
    artefacts = _artefacts(deploy, releases.values())
    for host, release in releases.items():
        row = found.get(host.host_id or 0)
        if row is None:
            continue
        if row.said != release:
            row.previous = row.said
        if row.expected != release or row.since is None:
            row.since = now
        row.expected, row.artefact = release[:200], artefacts.get(release)
        # Its files are others now: that those before could not be compared is past.
        row.problem = row.compare_problem = ""
        _set(row, {"deploy": deploy, "said": release, "read_at": now})
    fields = ("expected", "artefact", "deploy", "said", "previous", "since")
    _save(found.values(), (*fields, "read_at", "problem", "compare_problem"))


def note_now(deploy: Deploy, releases: Mapping[DeployHost, str]) -> None:
    """Keep what hosts say is live, wanted or not."""
    found, now = _rows(deploy, releases), timezone.now()
    for host, release in releases.items():
        if host.host_id in found:
            values = {"said": release[:200], "read_at": now, "problem": ""}
            _set(found[host.host_id], values)
    _save(found.values(), ("said", "read_at", "problem"))


def note_silent(deploy: Deploy, problems: Mapping[DeployHost, str]) -> None:
    """Keep why hosts did not say what is live: what they said before that stands, with the problem beside it."""
    found = _rows(deploy, problems)
    for host, why in problems.items():
        if host.host_id in found:
            found[host.host_id].problem = why[:LONGEST_PROBLEM]
    _save(found.values(), ("problem",))


def note_finished(deploy: Deploy, reports: Mapping[DeployHost, HostReport]) -> None:
    """Keep that the release is good, and which ones were cleared away."""
    found = _rows(deploy, reports)
    for host, report in reports.items():
        row = found.get(host.host_id or 0)
        if row is None:
            continue
        gone = {*report.said.get("removed", "").split(), deploy.release}
        kept = [one for one in row.kept if one["release"] not in gone]
        kept.insert(0, {"release": deploy.release, "good": True, "bad": False})
        row.kept = kept[:MOST_KEPT]
    _save(found.values(), ("kept",))


def _artefacts(deploy: Deploy, releases: Iterable[str]) -> dict[str, Artefact]:
    return artefacts_named(deploy.pipeline.project_id, releases)


def _rows(deploy: Deploy, hosts: Iterable[DeployHost]) -> dict[int, LiveRelease]:
    """Give the rows of hosts by the host's id, new ones where there are none; hosts that are gone from the CMDB have none."""
    ids = [host.host_id for host in hosts if host.host_id]
    environment = deploy.environment
    # A look that ends in this moment does not write what was before.
    stored = LiveRelease.objects.select_for_update().order_by("pk")
    known = {
        row.host_id: row for row in stored.filter(environment=environment, host__in=ids)
    }
    return {
        pk: known.get(pk) or LiveRelease(environment=environment, host_id=pk)
        for pk in ids
    }


def _set(row: LiveRelease, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)


def _save(rows: Iterable[LiveRelease], fields: tuple[str, ...]) -> None:
    listed = list(rows)
    update_rows(LiveRelease, fields, [row for row in listed if row.pk])
    LiveRelease.objects.bulk_create(
        [row for row in listed if row.pk is None],
        update_conflicts=True,
        unique_fields=["environment", "host"],
        update_fields=list(fields),
    )
