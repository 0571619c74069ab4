"""What stands on hosts as pushes and readings found it: kept sealed, drift told once."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit, audit_many
from adminset.many_rows import update_rows
from adminset.models import AuditEntry
from appconf.models import ConfigFile
from delivery.configs.drift import OFF, READER
from delivery.configs.pushed import opened_if_possible
from delivery.configs.told import Found
from delivery.models import ConfigDrift, ConfigPush, ConfigPushHost

State = ConfigDrift.State
Key = tuple[int, int]
STATES = {
    "same": State.SAME,
    "differs": State.DRIFTED,
    "missing": State.MISSING,
    "unreadable": State.UNREADABLE,
}
# What the end of a push or a reading writes of a file on a host.
FIELDS = (
    "version",
    "path",
    "secrets",
    "state",
    "expected_sha256",
    "found_sha256",
    "found",
    "found_mode",
    "found_owner",
    "found_size",
    "found_changed_at",
    "explanation",
    "read_at",
    "since",
)


class Notes:
    """What becomes known of the files of a push on its hosts: gathered, then written in a few statements, however many there are."""

    def __init__(self, push: ConfigPush) -> None:
        self._push = push
        keys = [one["file"] for one in push.files]
        # Somebody may have deleted a file, or a host, while the hosts were busy.
        self._files = ConfigFile.objects.select_related("project").in_bulk(keys)
        rows = ConfigDrift.objects.filter(environment=push.environment_id)
        listed = rows.filter(file__in=keys).defer("found")
        self._known = {(row.host_id, row.file_id): row for row in listed}
        self._noted: dict[Key, ConfigDrift] = {}
        self._tried: dict[Key, ConfigDrift] = {}
        self._news: list[tuple[ConfigDrift, str, str]] = []

    def placed(
        self,
        row: ConfigPushHost,
        one: Mapping[str, Any],
        sha256: str,
        secrets: Collection[str] = (),
    ) -> None:
        """Note that a push put a file in place, or found it there, with which secrets in it."""
        self._note(
            row,
            one,
            path=one["path"],
            secrets=json.dumps(list(secrets)) if secrets else None,
            state=State.SAME,
            expected_sha256=sha256,
            found_sha256=sha256,
            found=None,
            explanation="",
            read_at=timezone.now(),
        )

    def tried(
        self, row: ConfigPushHost, one: Mapping[str, Any], secrets: Collection[str]
    ) -> None:
        """Note that secrets may stand in a file: nobody said whether it came there, beside those that stood there before."""
        drift = self._known.get((row.host_id or 0, one["file"]))
        if drift is None or not secrets:
            return
        kept: Any = drift.secrets
        merged = json.dumps(sorted({*opened_if_possible(kept), *secrets}))
        drift.secrets = merged
        self._tried[(drift.host_id, drift.file_id)] = drift

    def found(
        self, row: ConfigPushHost, one: Mapping[str, Any], found: Found, sha256: str
    ) -> None:
        """Note what was read back of a file."""
        state = STATES.get(found.word)
        if state is None:
            return
        self._note(
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

    def _note(self, row: ConfigPushHost, one: Mapping[str, Any], **values: Any) -> None:
        file = self._files.get(one["file"])
        if row.host is None or file is None:
            return
        key = (row.host.pk, file.pk)
        drift = self._known.get(key) or ConfigDrift(environment=self._push.environment)
        drift.file, drift.host = file, row.host
        before = drift.state
        if before != values["state"] or drift.since is None:
            values["since"] = timezone.now()
        for name, value in values.items():
            setattr(drift, name, value)
        drift.version_id = one["version"]
        self._noted[key] = drift
        if drift.state in OFF and before not in OFF:
            self._news.append((drift, before, one["path"]))

    def write(self) -> None:
        """Write all of it; drift that was not there before is told in the trail."""
        tried = [row for key, row in self._tried.items() if key not in self._noted]
        update_rows(ConfigDrift, ("secrets",), tried)
        rows = list(self._noted.values())
        update_rows(ConfigDrift, FIELDS, [row for row in rows if row.pk])
        ConfigDrift.objects.bulk_create(
            [row for row in rows if not row.pk],
            update_conflicts=True,
            unique_fields=("environment", "file", "host"),
            update_fields=FIELDS,
        )
        audit_many.write([_line(*each) for each in self._news])


def _line(drift: ConfigDrift, before: str, path: str) -> AuditEntry:
    changes: list[audit.Change] = [
        {"field": "state", "old": str(before), "new": str(drift.state)}
    ]
    words = _(
        "%(path)s on %(host)s is not as it should be; who changed it is not known."
    )
    told = words % {"path": path, "host": drift.host.hostname}
    return audit.line(READER, "configdrift.drift", drift, changes=changes, reason=told)
