"""Holds a recording against the hash that the audit trail sealed when it ended."""

import hashlib
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adminset import audit
from adminset.audit_chain import content
from adminset.audit_seal import is_authentic
from adminset.errors import DomainError
from adminset.models import AuditEntry
from tasks.models import TerminalSession
from tasks.recording import reading
from tasks.recording.retention import CLEAR
from tasks.recording.sealing import SEAL

VERIFY = "terminalsession.verify"
Recording = TerminalSession.Recording


class Verdict(models.TextChoices):
    """What came of it."""

    OK = "ok", gettext_lazy("as it was sealed")
    ALTERED = "altered", gettext_lazy("altered")
    MISSING = "missing", gettext_lazy("missing")
    UNSEALED = "unsealed", gettext_lazy("never sealed")
    OPEN = "open", gettext_lazy("still being written")
    CLEARED = "cleared", gettext_lazy("cleared away")
    NONE = "none", gettext_lazy("not recorded")


# What somebody has to look into.
BAD = frozenset({Verdict.ALTERED, Verdict.MISSING, Verdict.UNSEALED})


@dataclass(frozen=True)
class Finding:
    """A verdict with a sentence, the hash that was sealed and the one of what is there ("" where there is none)."""

    verdict: Verdict
    words: str
    sealed: str = ""
    found: str = ""

    @property
    def is_bad(self) -> bool:
        """Whether somebody has to look into it."""
        return self.verdict in BAD

    @property
    def state(self) -> str:
        """Colour of it."""
        if self.is_bad:
            return "danger"
        return "ok" if self.verdict == Verdict.OK else "idle"


def verify(session: TerminalSession) -> Finding:
    """Read the whole recording and compare; what the session's row says of its hash counts for nothing."""
    if session.recording == Recording.RUNNING:
        words = _("It is still being written; its hash is sealed at its end.")
        return Finding(Verdict.OPEN, words)
    line = _line(session, SEAL)
    if session.recording == Recording.CLEARED:
        return _cleared(session, line)
    if line is None:
        return _never_sealed(session)
    sealed = _hash_in(line)
    if not is_authentic(line.mac, content(line)):
        words = _("The line of the audit trail that holds its hash was altered.")
        return Finding(Verdict.ALTERED, words, sealed)
    return _compared(session, sealed)


def verify_now(*, actor: Any, session: TerminalSession) -> Finding:
    """Verify for somebody, and tell the trail what came of it."""
    found = verify(session)
    changes = [audit.change_of("recording", None, str(found.verdict))]
    audit.record(actor, VERIFY, session, changes=changes)
    return found


def digest_of(session: TerminalSession) -> str:
    """Give the SHA-256 of what can be read of a recording.

    Raises:
        NotFound, DomainError: it cannot be opened.
    """
    found = hashlib.sha256()
    for text in reading.texts(session):
        found.update(text)
    return found.hexdigest()


def _compared(session: TerminalSession, sealed: str) -> Finding:
    try:
        found = digest_of(session)
    except DomainError as error:
        return Finding(Verdict.MISSING, str(error.message), sealed)
    if found != sealed:
        words = _("What is there is not what was sealed: it was altered or cut short.")
        return Finding(Verdict.ALTERED, words, sealed, found)
    words = _("It is what the audit trail sealed.")
    return Finding(Verdict.OK, words, sealed, found)


def _cleared(session: TerminalSession, line: AuditEntry | None) -> Finding:
    """Only the trail can say that the policy cleared it away."""
    sealed = _hash_in(line) if line else ""
    told = _line(session, CLEAR)
    if told is None or not is_authentic(told.mac, content(told)):
        words = _("It is said to be cleared away, but the audit trail knows nothing.")
        return Finding(Verdict.MISSING, words, sealed)
    words = _("The policy cleared it away; its hash stays in the audit trail.")
    return Finding(Verdict.CLEARED, words, sealed)


def _never_sealed(session: TerminalSession) -> Finding:
    if session.recording == Recording.SEALED or session.recording_sha256:
        words = _("It is said to be sealed, but the audit trail has no hash of it.")
        return Finding(Verdict.UNSEALED, words, found=session.recording_sha256)
    words = session.recording_problem or _("This session was not recorded.")
    return Finding(Verdict.NONE, words)


def _line(session: TerminalSession, verb: str) -> AuditEntry | None:
    lines = AuditEntry.objects.filter(
        verb=verb,
        target_type=session._meta.label_lower,
        target_id=str(session.pk),
    )
    return lines.order_by("-pk").first()


def _hash_in(line: AuditEntry) -> str:
    changes = line.changes if isinstance(line.changes, list) else []
    found = (each.get("new") for each in changes if each.get("field") == "sha256")
    return str(next(found, ""))
