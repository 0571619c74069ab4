"""Which artefacts' files stay: never is one cleared away that is live somewhere, was so before, is on its way, or is kept."""

from django.conf import settings
from django.utils import timezone

from adminset import audit
from delivery.artefacts import clearing, packs
from delivery.artefacts.naming import numbers_named
from delivery.models import Artefact, Build, Deploy, LiveRelease


def wanted() -> set[int]:
    """Name the artefacts (ids) whose files may not go."""
    found = set(Artefact.objects.filter(kept=True).values_list("pk", flat=True))
    found |= _live()
    open_ones = Deploy.objects.open().exclude(artefact=None)
    found |= set(open_ones.values_list("artefact", flat=True))
    found |= _last_good()
    found |= _newest()
    return found


def _live() -> set[int]:
    """Name what hosts say or are said to run, what they ran before, and what they still have on their disks."""
    found: set[int] = set()
    names: dict[int, set[str]] = {}
    rows = LiveRelease.objects.select_related("environment")
    for row in rows.iterator():
        if row.artefact_id:
            found.add(row.artefact_id)
        there = [one.get("release", "") for one in row.kept if isinstance(one, dict)]
        of_project = names.setdefault(row.environment.project_id, set())
        of_project.update((row.said, row.expected, row.previous, *there))
    for project, said in names.items():
        numbers = numbers_named(said)
        # Hosts may name more than a query takes.
        ours = Artefact.objects.filter(project=project).values_list("pk", "number")
        found |= {pk for pk, number in ours if number in numbers}
    return found


def _last_good() -> set[int]:
    """Name what was live last in each environment, and before that: also where nobody has read it back."""
    found: set[int] = set()
    ended = Deploy.objects.filter(status=Deploy.Status.OK).exclude(artefact=None)
    for environment in (
        ended.order_by().values_list("environment", flat=True).distinct()
    ):
        rows = ended.filter(environment=environment).order_by("-pk")
        seen: list[int] = []
        for pk in rows.values_list("artefact", flat=True)[:100]:
            if pk not in seen:
                seen.append(pk)
        found |= set(seen[:2])
    return found


def _newest() -> set[int]:
    """Name the newest artefacts of each project, as many as stay anyway."""
    found: set[int] = set()
    rows = Artefact.objects.filter(cleared_at=None)
    for project in rows.order_by().values_list("project", flat=True).distinct():
        newest = rows.filter(project=project, bad=False).order_by("-number")
        found |= set(newest.values_list("pk", flat=True)[: settings.ARTEFACT_KEEP])
    return found


def clean() -> int:
    """Clear away the files of all artefacts that nobody wants any more; give how many. Their rows stay."""
    keep = wanted()
    # What is being built is not in the way: the store leaves alone what came in the last day.
    rows = Artefact.objects.filter(cleared_at=None).exclude(pk__in=keep)
    young = Build.objects.filter(status__in=Build.OPEN).exclude(artefact=None)
    gone = list(rows.exclude(pk__in=young.values("artefact")))
    for artefact in gone:
        artefact.cleared_at = timezone.now()
        artefact.save(update_fields=["cleared_at"])
    # Somebody may have asked for one of them meanwhile; from now on it says itself that it is gone.
    again = wanted()
    Artefact.objects.filter(pk__in=[a.pk for a in gone if a.pk in again]).update(
        cleared_at=None
    )
    gone = [artefact for artefact in gone if artefact.pk not in again]
    if gone:
        changes = [{"field": "cleared", "old": None, "new": [str(a) for a in gone]}]
        audit.record(
            audit.SystemActor("delivery"), "artefact.clear", Artefact, changes=changes
        )
    stored = Artefact.objects.filter(cleared_at=None).values_list("sha256", flat=True)
    packs.clean()
    clearing.clean(set(stored))
    return len(gone)
