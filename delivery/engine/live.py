"""What is live where: written down whenever a host said so, and whenever the portal made it so."""

from typing import Any

from django.utils import timezone

from delivery.models import Artefact, Deploy, DeployHost, LiveRelease
from delivery.onhost.told import HostState
from tasks.legs.reading import HostReport

MOST_KEPT = 150
LONGEST_NUMBER = 9


def note_said(deploy: Deploy, row: DeployHost, state: HostState) -> None:
    """Keep what a host said of itself before a deploy. A host that is new to us is taken at its word."""
    values = read_values(state)
    found = _row(deploy, row)
    if found.pk is None or (not found.expected and found.deploy_id is None):
        values |= _made(deploy, state.live)
    _save(found, values)


def read_values(state: HostState) -> dict[str, Any]:
    """Give what a host said as the fields of its row."""
    good, bad = set(state.good), set(state.bad)
    kept = [
        {"release": one, "good": one in good, "bad": one in bad}
        for one in state.releases
    ]
    return {
        "said": state.live[:200],
        "previous": state.previous[:200],
        "kept": kept[:MOST_KEPT],
        "read_at": timezone.now(),
        "problem": "",
    }


def note_live(deploy: Deploy, row: DeployHost, release: str) -> None:
    """Keep that a release was made live, and read back."""
    found = _row(deploy, row)
    values = _made(deploy, release)
    if found.said != release:
        values["previous"] = found.said
    values |= {"deploy": deploy, "said": release, "read_at": timezone.now()}
    if found.expected != release or found.since is None:
        values["since"] = timezone.now()
    _save(found, values)


def note_now(deploy: Deploy, row: DeployHost, release: str) -> None:
    """Keep what a host says is live, wanted or not."""
    _save(_row(deploy, row), {"said": release[:200], "read_at": timezone.now()})


def note_finished(deploy: Deploy, row: DeployHost, report: HostReport) -> None:
    """Keep that the release is good, and which ones were cleared away."""
    found = _row(deploy, row)
    gone = set(report.said.get("removed", "").split())
    kept = [one for one in found.kept if one["release"] not in gone]
    kept = [one for one in kept if one["release"] != deploy.release]
    kept.insert(0, {"release": deploy.release, "good": True, "bad": False})
    _save(found, {"kept": kept[:MOST_KEPT]})


def _made(deploy: Deploy, release: str) -> dict[str, Any]:
    return {"expected": release[:200], "artefact": artefact_of(deploy, release)}


def artefact_of(deploy: Deploy, release: str) -> Artefact | None:
    """Give the artefact of a release's folder; None where it is none of ours."""
    return artefact_named(deploy.pipeline.project_id, release)


def artefact_named(project_id: int, release: str) -> Artefact | None:
    """Give the artefact of a project whose release has this folder; None where there is none."""
    number, _dash, _sha = release.partition("-")
    if not number.isdecimal() or len(number) > LONGEST_NUMBER:
        return None
    rows = Artefact.objects.filter(project=project_id, number=int(number))
    return next((one for one in rows if one.release == release), None)


def _row(deploy: Deploy, row: DeployHost) -> LiveRelease:
    found = LiveRelease.objects.filter(
        environment=deploy.environment_id, host=row.host_id
    ).first()
    return found or LiveRelease(
        environment=deploy.environment, host_id=row.host_id or 0
    )


def _save(row: LiveRelease, values: dict[str, Any]) -> None:
    if not row.host_id:
        return
    for name, value in values.items():
        setattr(row, name, value)
    row.save()
