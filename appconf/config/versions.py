"""Versions of configuration files: added, approved by somebody else, brought back, pinned. None ever changes its text."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import Conflict, DomainError
from appconf.config.judging import (
    ensure_may,
    ensure_may_approve,
    ensure_second_person,
)
from appconf.config.places import needs_approval
from appconf.config.questions import newest_of
from appconf.config.texts import check_text, sha256_of, with_plain_ends
from appconf.models import ConfigFile, ConfigVersion
from appconf.pull.bell import ring

Status = ConfigVersion.Status
REASON_LENGTH = 500


@transaction.atomic
def add_version(
    *, actor: Any, file: ConfigFile, text: str, reason: str = "", draft: bool = False
) -> ConfigVersion | None:
    """Keep a text as the newest version of a file, if it is another than the newest has.

    Args:
        reason: why, in the author's words. draft: it counts for nothing until it is handed in.

    Returns:
        The version; None where nothing changed.

    Raises:
        Forbidden: the actor may not change the file.
        DomainError: it is no text, or too long.
    """
    ensure_may(actor, "change", file)
    return keep_text(actor=actor, file=file, text=text, reason=reason, draft=draft)


@transaction.atomic
def keep_text(
    *, actor: Any, file: ConfigFile, text: str, reason: str = "", draft: bool = False
) -> ConfigVersion | None:
    """Do as `add_version` where it was asked before whether the actor may: a new file comes with its first text."""
    held = locked(file)
    plain = _checked(text)
    newest = newest_of(held)
    if newest is not None and newest.sha256 == sha256_of(plain):
        return None
    return _write(actor, held, plain, reason, draft=draft)


@transaction.atomic
def roll_back(
    *, actor: Any, file: ConfigFile, to: ConfigVersion, reason: str
) -> ConfigVersion:
    """Bring an earlier text back as a new version; where versions need approval, this one does too.

    Raises:
        Forbidden: the actor may not change the file.
        DomainError: no reason is given, or the newest version has this text already.
    """
    ensure_may(actor, "change", file)
    held = locked(file)
    if not reason.strip():
        raise DomainError(
            _("Say why."), code="reason_needed", fields={"reason": _("Say why.")}
        )
    source = held.versions.filter(pk=to.pk).first()
    if source is None:
        raise DomainError(_("There is no such version of this file."), status=404)
    newest = newest_of(held)
    if newest is not None and newest.sha256 == source.sha256:
        raise Conflict(
            _("The newest version has this text already."), code="nothing_changes"
        )
    told = _("Back to version %(number)s: %(reason)s")
    words = told % {"number": source.number, "reason": reason}
    return _write(actor, held, source.text, words, draft=False)


@transaction.atomic
def submit_version(*, actor: Any, version: ConfigVersion) -> ConfigVersion:
    """Hand in a draft: it waits for approval, or counts at once where none is needed.

    Raises:
        Forbidden: the actor may not change the file.
        Conflict: it is no draft any more.
    """
    ensure_may(actor, "change", version.file)
    file = locked(version.file)
    found = _in_status(version, Status.DRAFT)
    return _set(actor, found, _first_status(file), "submit")


@transaction.atomic
def approve_version(
    *, actor: Any, version: ConfigVersion, reason: str = ""
) -> ConfigVersion:
    """Let a version that waits go to hosts and programs.

    Raises:
        Forbidden: the actor may not approve versions of this file, wrote it, or is spoken for by a token.
        Conflict: it does not wait any more.
    """
    return _decide(actor, version, Status.APPROVED, reason)


@transaction.atomic
def refuse_version(
    *, actor: Any, version: ConfigVersion, reason: str = ""
) -> ConfigVersion:
    """Let a version that waits go nowhere; raises as `approve_version`, but one's own may be refused."""
    return _decide(actor, version, Status.REFUSED, reason)


@transaction.atomic
def pin_version(
    *, actor: Any, file: ConfigFile, version: ConfigVersion | None, reason: str = ""
) -> ConfigFile:
    """Let one approved version count whatever comes after it; None: the newest approved one counts again.

    Raises:
        Forbidden: the actor may not approve versions of this file.
        Conflict: the version is not approved.
    """
    held = locked(file)
    ensure_may_approve(actor, held)
    if version is not None:
        version = _in_status(version, Status.APPROVED)
        if version.file_id != held.pk:
            raise DomainError(_("There is no such version of this file."), status=404)
    before = audit.snapshot_of(held, ["pinned"])
    held.pinned = version
    held.save(update_fields=["pinned", "updated_at"])
    changes = audit.changed(before, audit.snapshot_of(held, ["pinned"]))
    if changes:
        audit.record(actor, "configfile.pin", held, changes=changes, reason=reason)
        ring([held.project.code])
    return held


def locked(file: ConfigFile) -> ConfigFile:
    """Hold a file until the transaction ends, so that two versions never get one number; gives it as it is stored.

    Raises:
        Conflict: somebody deleted it.
    """
    # The row alone: PostgreSQL locks no outer join, and MariaDB knows no OF.
    found = ConfigFile.objects.select_for_update().filter(pk=file.pk).first()
    if found is None:
        raise Conflict(
            _("%(name)s was deleted meanwhile.") % {"name": file}, code="gone"
        )
    return found


def _checked(text: str) -> str:
    plain = with_plain_ends(text)
    try:
        check_text(plain)
    except ValidationError as error:
        words = " ".join(error.messages)
        raise DomainError(words, fields={"text": words}) from error
    return plain


def _write(
    actor: Any, file: ConfigFile, text: str, reason: str, *, draft: bool
) -> ConfigVersion:
    most = file.versions.aggregate(most=Max("number"))["most"] or 0
    version = ConfigVersion.objects.create(
        file=file,
        number=most + 1,
        text=text,
        sha256=sha256_of(text),
        author=actor if getattr(actor, "pk", None) else None,
        author_name=actor.audit_name[:150],
        reason=reason[:REASON_LENGTH],
        status=Status.DRAFT if draft else _first_status(file),
    )
    told = {
        "number": version.number,
        "sha256": version.sha256,
        "size": len(text.encode()),
        "status": str(version.status),
    }
    changes = [{"field": name, "old": None, "new": told[name]} for name in told]
    audit.record(
        actor, "configversion.create", version, changes=changes, reason=reason[:500]
    )
    ring([file.project.code])
    return version


def _first_status(file: ConfigFile) -> Status:
    return Status.WAITING if needs_approval(file) else Status.APPROVED


def _decide(
    actor: Any, version: ConfigVersion, status: Status, reason: str
) -> ConfigVersion:
    file = locked(version.file)
    ensure_may_approve(actor, file)
    found = _in_status(version, Status.WAITING)
    if status == Status.APPROVED:
        ensure_second_person(actor, found)
    found.decided_by = actor if getattr(actor, "pk", None) else None
    found.decided_name = actor.audit_name[:150]
    found.decided_at = timezone.now()
    found.decided_reason = reason[:REASON_LENGTH]
    verb = "approve" if status == Status.APPROVED else "refuse"
    return _set(actor, found, status, verb, reason)


def _set(
    actor: Any, version: ConfigVersion, status: Status, verb: str, reason: str = ""
) -> ConfigVersion:
    old = version.status
    version.status = status
    version.save(
        update_fields=[
            "status",
            "decided_by",
            "decided_name",
            "decided_at",
            "decided_reason",
        ]
    )
    changes = [{"field": "status", "old": old, "new": str(status)}]
    audit.record(
        actor, f"configversion.{verb}", version, changes=changes, reason=reason
    )
    ring([version.file.project.code])
    return version


def _in_status(version: ConfigVersion, wanted: Status) -> ConfigVersion:
    found = ConfigVersion.objects.select_for_update().filter(pk=version.pk).first()
    if found is None or found.status != wanted:
        raise Conflict(
            _("%(version)s is not in the state %(wanted)s.")
            % {"version": version, "wanted": wanted.label},
            _("Look at it again: somebody else decided meanwhile."),
            code="conflict",
        )
    return found
