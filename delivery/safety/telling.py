"""What a host tells of its releases, as the portal keeps it."""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from delivery.artefacts.naming import numbers_named
from delivery.models import Artefact
from delivery.onhost.told import HostState

MOST_KEPT = 150
LONGEST_PROBLEM = 500
# The fields of a row that a host's word fills.
READ = ("said", "previous", "kept", "read_at", "problem")


def read_values(state: HostState) -> dict[str, Any]:
    """Give what a host said as the fields of its row, those of READ."""
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


def artefact_named(project_id: int, release: str) -> Artefact | None:
    """Give the artefact of a project whose release has this folder; None where there is none."""
    return artefacts_named(project_id, (release,)).get(release)


def artefacts_named(project_id: int, releases: Iterable[str]) -> dict[str, Artefact]:
    """Give the artefacts of a project by the folders of their releases; those that are none of ours are missing."""
    numbers = numbers_named(releases)
    if not numbers:
        return {}
    rows = Artefact.objects.filter(project=project_id, number__in=numbers)
    return {one.release: one for one in rows}
