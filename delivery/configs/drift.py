"""When files on hosts are read back: where a push put them, and when their time has come."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Max, Min, Q
from django.utils import timezone

from adminset import audit
from appconf.config.places import place_of
from appconf.models import ConfigFile, Environment
from delivery.models import ConfigDrift, ConfigPush

READER = audit.SystemActor("configuration reader")
State = ConfigDrift.State
OFF = (State.DRIFTED, State.MISSING)


def due_environments(most: int = 200) -> list[tuple[Environment, list[int]]]:
    """List environments with the ids of those of their files that are due to be read back.

    Only what was pushed once is read, and where it was pushed to: elsewhere nothing of ours lies.
    """
    now = timezone.now()
    rows = ConfigDrift.objects.filter(file__drift_minutes__gt=0).exclude(path="")
    grouped = rows.values("environment", "file", "path", "file__drift_minutes")
    found: dict[int, dict[int, str]] = {}
    for row in grouped.annotate(last=Min("read_at")).order_by("last"):
        span = timedelta(minutes=row["file__drift_minutes"])
        if row["last"] is None or row["last"] + span <= now:
            found.setdefault(row["environment"], {})[row["file"]] = row["path"]
    tried = _tried(found)
    late = now - timedelta(seconds=settings.CONFIG_READ_AGAIN_SECONDS)
    wanted = [pk for pk in found if tried.get(pk) is None or tried[pk] < late][:most]
    rows_of = Environment.objects.select_related("project").in_bulk(wanted)
    due = [
        (rows_of[pk], _lying(rows_of[pk], found[pk])) for pk in wanted if pk in rows_of
    ]
    return [(environment, keys) for environment, keys in due if keys]


def _lying(environment: Environment, paths: Mapping[int, str]) -> list[int]:
    """Keep the files that still belong where they were pushed to: at another path nothing is read before a push."""
    files = ConfigFile.objects.in_bulk(paths)
    folder = environment.config_folder
    return [
        pk
        for pk, path in paths.items()
        if pk in files and place_of(files[pk], folder) == path
    ]


def _tried(ids: Mapping[int, Any]) -> dict[int, Any]:
    """Say when an environment was worked on last: hosts that do not answer are not asked again and again."""
    rows = ConfigPush.objects.filter(environment__in=list(ids)).order_by()
    latest = rows.values("environment").annotate(at=Max("created_at"))
    return dict(latest.values_list("environment", "at"))


def needs_look() -> Q:
    """Give the condition of rows that are not as they should be."""
    return Q(state__in=[*OFF, State.UNREADABLE])
