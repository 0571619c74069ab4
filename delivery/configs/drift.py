"""What stands on hosts compared with what belongs there: kept sealed, told once, read again when it is time."""

import json
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Max, Min, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from appconf.config.places import place_of
from appconf.models import ConfigFile, Environment
from delivery.configs.pushed import opened
from delivery.configs.told import Found
from delivery.models import ConfigDrift, ConfigPush, ConfigPushHost

READER = audit.SystemActor("configuration reader")
State = ConfigDrift.State
STATES = {
    "same": State.SAME,
    "differs": State.DRIFTED,
    "missing": State.MISSING,
    "unreadable": State.UNREADABLE,
}
OFF = (State.DRIFTED, State.MISSING)


def note_placed(
    push: ConfigPush,
    row: ConfigPushHost,
    one: Mapping[str, Any],
    sha256: str,
    secrets: Collection[str] = (),
) -> None:
    """Keep that a push put a file in place, or found it there, with which secrets in it."""
    if row.host is None or not _is_there(one):
        return
    now = timezone.now()
    _write(
        push,
        row,
        one,
        path=one["path"],
        secrets=json.dumps(list(secrets)) if secrets else None,
        state=State.SAME,
        expected_sha256=sha256,
        found_sha256=sha256,
        found=None,
        explanation="",
        read_at=now,
    )


def note_tried(
    push: ConfigPush,
    row: ConfigPushHost,
    one: Mapping[str, Any],
    secrets: Collection[str],
) -> None:
    """Keep that secrets may stand in a file: nobody said whether it came there, beside those that stood there before."""
    rows = ConfigDrift.objects.filter(
        environment=push.environment_id, file=one["file"], host=row.host
    )
    for drift in rows if secrets else ():
        kept: Any = drift.secrets
        drift.secrets = json.dumps(sorted({*opened(kept), *secrets}))
        drift.save(update_fields=["secrets"])


def note_found(
    push: ConfigPush,
    row: ConfigPushHost,
    one: Mapping[str, Any],
    found: Found,
    sha256: str,
) -> None:
    """Keep what was read back of a file; drift that was not there before is told in the trail."""
    state = STATES.get(found.word)
    if row.host is None or state is None or not _is_there(one):
        return
    drift, before = _write(
        push,
        row,
        one,
        state=state,
        expected_sha256=sha256,
        found_sha256=sha256 if state == State.SAME else "",
        found=found.text or None,
        found_mode=found.mode,
        found_owner=found.owner,
        found_size=found.size,
        found_changed_at=found.changed_at,
        explanation=found.why,
        read_at=timezone.now(),
    )
    if state in OFF and before not in OFF:
        changes: list[audit.Change] = [
            {"field": "state", "old": str(before), "new": str(state)}
        ]
        words = _(
            "%(path)s on %(host)s is not as it should be; who changed it is not known."
        )
        told = words % {"path": one["path"], "host": row.host_name}
        audit.record(READER, "configdrift.drift", drift, changes=changes, reason=told)


def _is_there(one: Mapping[str, Any]) -> bool:
    """Say whether the file still is: somebody may have deleted it while the hosts were busy."""
    return ConfigFile.objects.filter(pk=one["file"]).exists()


def _write(
    push: ConfigPush, row: ConfigPushHost, one: Mapping[str, Any], **values: Any
) -> tuple[ConfigDrift, str]:
    """Write what is known of a file on a host now; gives the row, and how it stood before."""
    drift, _new = ConfigDrift.objects.get_or_create(
        environment_id=push.environment_id, file_id=one["file"], host=row.host
    )
    before = drift.state
    if before != values["state"] or drift.since is None:
        values["since"] = timezone.now()
    for name, value in values.items():
        setattr(drift, name, value)
    drift.version_id = one["version"]
    drift.save()
    return drift, before


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
