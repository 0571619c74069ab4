"""Keeps how a push or a reading ended, once its run has ended: per host and file, what drifted, and a line on the trail."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.many_rows import update_rows
from delivery.configs import told
from delivery.configs.holding import let_go
from delivery.configs.judging import push_of
from delivery.configs.notes import Notes
from delivery.configs.pushed import opened_if_possible
from delivery.models import ConfigPush, ConfigPushHost
from tasks.legs.reading import HostReport, reports
from tasks.models import Run, RunHost, RunLeg

ENGINE = audit.SystemActor("configuration")
Status = ConfigPush.Status
HostStatus = ConfigPushHost.Status
# How a run ended on a host -> how the push did there, where the program did not say it itself.
PLAIN = {
    "unreachable": HostStatus.UNREACHABLE,
    "timed_out": HostStatus.FAILED,
    "failed": HostStatus.FAILED,
    "cancelled": HostStatus.CANCELLED,
    "skipped": HostStatus.CANCELLED,
    "not_started": HostStatus.CANCELLED,
}


def run_ended(run_id: int) -> None:
    """Settle the push to which a run belongs, if it belongs to one."""
    run = Run.objects.filter(pk=run_id, kind=Run.Kind.DEPLOY).first()
    push = push_of(run.subject) if run is not None else None
    if push is not None:
        settle(push.pk)


@transaction.atomic
def settle(pk: int) -> None:
    """Keep how a push ended; nothing where its run goes on, or where that was kept already."""
    push = ConfigPush.objects.select_for_update().filter(pk=pk).first()
    if push is None or push.status != Status.RUNNING:
        return
    if push.run_id is not None and push.run.is_open:  # type: ignore[union-attr]
        return
    rows = list(push.hosts.select_related("host"))
    if push.run is None and not rows:
        # A worker is still to fill in its texts (preparing.py).
        return
    said = reports(push.run) if push.run is not None else {}
    notes = Notes(push)
    for row in rows:
        _settle_host(push, notes, row, said.get(row.host_id or 0))
    notes.write()
    _end(push, rows, _verdict(push, rows))


@transaction.atomic
def give_up(
    pk: int, why: str, *, only: Callable[[ConfigPush], bool] | None = None
) -> None:
    """End a push that cannot be prepared, or whose end cannot be kept, as a failed one; nothing waits for it any longer.

    Args:
        only: it is given up only where this still holds of its row, which is locked; elsewhere it goes on.
    """
    push = ConfigPush.objects.select_for_update().filter(pk=pk).first()
    if push is None or push.status != Status.RUNNING:
        return
    if only is not None and not only(push):
        return
    rows = list(push.hosts.all())
    for row in rows:
        row.status, row.explanation = HostStatus.UNKNOWN, why[:4000]
    push.explanation = why[:4000]
    _end(push, rows, Status.FAILED)


def _end(push: ConfigPush, rows: list[ConfigPushHost], status: str) -> None:
    for row in rows:
        # From now on they stand beside what is known of each file.
        row.secrets = None  # type: ignore[assignment]
    fields = ("status", "files", "explanation", "secrets")
    update_rows(ConfigPushHost, fields, rows)
    let_go(push)
    push.status, push.ended_at = status, timezone.now()
    push.save(update_fields=["status", "explanation", "lock", "ended_at", "updated_at"])
    _forget_texts(push)
    if push.kind == ConfigPush.Kind.PUSH:
        _record(push, rows)


def _forget_texts(push: ConfigPush) -> None:
    """Take texts and secrets out of the rows of a run that has ended: it never runs again, and they stand in versions and variables."""
    if push.run_id is None:
        return
    Run.objects.filter(pk=push.run_id).update(sealed=None)
    RunLeg.objects.filter(run=push.run_id).update(host_values={})
    if push.kind == ConfigPush.Kind.READ:
        # What was found is kept sealed from now on, in rows of its own.
        RunHost.objects.filter(run=push.run_id).update(report={})


def _settle_host(
    push: ConfigPush, notes: Notes, row: ConfigPushHost, report: HostReport | None
) -> None:
    if report is None:
        row.status = HostStatus.UNKNOWN
        row.explanation = _("The run is not there any more.")
        secrets = _secrets(row)
        for one in push.files:
            notes.tried(row, one, secrets.get(str(one["file"]), []))
        return
    row.explanation = report.explanation
    if push.kind == ConfigPush.Kind.READ:
        _settle_read(push, notes, row, report)
    else:
        _settle_push(push, notes, row, report)


def _settle_read(
    push: ConfigPush, notes: Notes, row: ConfigPushHost, report: HostReport
) -> None:
    is_ok = report.status == RunHost.Status.OK
    row.status = (
        HostStatus.OK if is_ok else PLAIN.get(report.status, HostStatus.UNKNOWN)
    )
    files: dict[str, Any] = {}
    for number, one in enumerate(push.files):
        wanted = row.files.get(str(one["file"]), {})
        found = told.found(report.said, number)
        files[str(one["file"])] = {**wanted, "word": found.word}
        notes.found(row, one, found, wanted.get("sha256", ""))
    row.files = files


def _settle_push(
    push: ConfigPush, notes: Notes, row: ConfigPushHost, report: HostReport
) -> None:
    files, words, secrets = {}, [], _secrets(row)
    for number, one in enumerate(push.files):
        key = str(one["file"])
        own = secrets.get(key, [])
        became = told.pushed(report.said, number)
        files[key] = {**row.files.get(key, {}), "word": became.word}
        if became.word == "failed":
            files[key]["why"] = became.why
            words.append(f"{one['path']}: {became.why}.")
        if became.word in ("placed", "same"):
            notes.placed(row, one, files[key].get("sha256", ""), own)
        else:
            notes.tried(row, one, own)
    if failed := told.reload_failed(report.said, len(push.files)):
        text = _("%(count)s reload commands failed; the files are in place.")
        words.append(text % {"count": len(failed)})
    row.files = files
    row.status = _host_status(report, files)
    row.explanation = " ".join([*words, report.explanation])[:4000]


def _secrets(row: ConfigPushHost) -> dict[str, list[str]]:
    """Give the secrets that stand in the files as they went to a host, by the file's id."""
    kept: Any = row.secrets
    return dict(opened_if_possible(kept))


def _host_status(report: HostReport, files: Mapping[str, Mapping[str, str]]) -> str:
    if report.status != RunHost.Status.OK:
        return PLAIN.get(report.status, HostStatus.UNKNOWN)
    words = {one["word"] for one in files.values()}
    if words <= {"same"}:
        return HostStatus.UNCHANGED
    return HostStatus.OK if words <= {"same", "placed"} else HostStatus.UNKNOWN


def _verdict(push: ConfigPush, rows: list[ConfigPushHost]) -> str:
    found = {row.status for row in rows}
    if found <= {HostStatus.OK, HostStatus.UNCHANGED}:
        return Status.OK
    stopped = push.run is not None and push.run.cancel_requested_at is not None
    return Status.CANCELLED if stopped else Status.FAILED


def _record(push: ConfigPush, rows: list[ConfigPushHost]) -> None:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.status] = counts.get(row.status, 0) + 1
    changes: list[audit.Change] = [
        {"field": "status", "old": "running", "new": str(push.status)},
        {"field": "hosts", "old": None, "new": counts},
    ]
    audit.record(ENGINE, "configpush.finish", push, changes=changes)
