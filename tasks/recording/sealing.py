"""What becomes of a recording: begun, sealed into the audit trail, failed; also where the process that wrote it died."""

import fcntl
import hashlib
import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import DomainError, NotFound
from tasks.models import TerminalSession
from tasks.recording import reading
from tasks.recording.frames import path_of

KEEPER = audit.SystemActor("terminal-recorder")
SEAL = "terminalsession.seal"
FAIL = "terminalsession.unrecorded"
# A process that ends sessions seals their recordings itself; after so long it is thought dead.
GRACE = timedelta(seconds=60)
AT_ONCE = 100
# Those that wait for their key or their writer must not hide the others: all are looked at, for so long at most.
LOOK_SECONDS = 20.0
Recording = TerminalSession.Recording
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sealed:
    """A recording that is closed: SHA-256 of its text (the .cast as it is exported), bytes of its file."""

    sha256: str
    size: int


def begun(session: TerminalSession) -> None:
    """Note that a recording is being written."""
    _note(session, recording=Recording.RUNNING, recording_problem="")


def seal(
    session: TerminalSession, sealed: Sealed, problem: str = "", note: str = ""
) -> None:
    """Write the hash of a closed recording into the audit trail, whose chain seals it, and into the session's row.

    Args:
        problem: why it ends before the session did: it failed. note: what else there is to say of one that did not.
    """
    state = Recording.FAILED if problem else Recording.SEALED
    words = problem or note
    changes = [
        audit.change_of("sha256", None, sealed.sha256),
        audit.change_of("bytes", None, sealed.size),
        audit.change_of("recording", Recording.RUNNING, str(state)),
    ]
    with transaction.atomic():
        _note(
            session,
            recording=state,
            recording_problem=words[:500],
            recording_sha256=sealed.sha256,
            recording_bytes=sealed.size,
        )
        audit.record(KEEPER, SEAL, session, changes=changes, reason=words)


def failed(session: TerminalSession, error: DomainError) -> bool:
    """Note that a session has no recording, or none any more, and tell the trail.

    Returns:
        whether the session has to end, or must not begin: TERMINAL_MUST_RECORD is on.
    """
    problem = str(error.message)
    try:
        with transaction.atomic():
            _note(session, recording=Recording.FAILED, recording_problem=problem[:500])
            audit.record(KEEPER, FAIL, session, reason=problem)
    except DatabaseError:
        # A full disk is often the database's too: what the policy says counts all the same.
        logger.exception("recording of %s failed: %s", session.pk, problem)
    return bool(settings.TERMINAL_MUST_RECORD)


def _note(session: TerminalSession, **values: Any) -> None:
    TerminalSession.objects.filter(pk=session.pk).update(**values)
    for name, value in values.items():
        setattr(session, name, value)


def seal_forsaken() -> int:
    """Seal the recordings whose process died: what is there counts; gives how many."""
    late = timezone.now() - GRACE
    over = ~Q(state__in=TerminalSession.OPEN) & (
        Q(ended_at__lt=late) | Q(ended_at=None, opened_at__lt=late)
    )
    rows = TerminalSession.objects.filter(
        over | Q(lease_until__lt=late), recording=Recording.RUNNING
    )
    sealed, deadline = 0, time.monotonic() + LOOK_SECONDS
    for pk in list(rows.order_by("pk").values_list("pk", flat=True)):
        session = TerminalSession.objects.filter(pk=pk).first()
        sealed += session is not None and _seal_or_tell(session)
        if sealed >= AT_ONCE or time.monotonic() > deadline:
            break
    return sealed


def _seal_or_tell(session: TerminalSession) -> bool:
    """Seal one; what is wrong with it is no reason to leave the others unsealed."""
    try:
        return _seal_forsaken(session)
    except Exception:
        logger.exception("recording of %s could not be sealed", session.pk)
        return False


def _seal_forsaken(session: TerminalSession) -> bool:
    """Seal one; not where its writer holds the file, who is slow and not dead."""
    words = _("It was sealed later, without the process that wrote it.")
    try:
        with path_of(session.key).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            found = hashlib.sha256()
            for text in reading.texts(session):
                found.update(text)
            size = file.seek(0, 2)
    except BlockingIOError:
        return False
    except (OSError, NotFound):
        failed(session, DomainError(_("The file of the recording is not there.")))
        return True
    except DomainError as error:
        # The key may come back; the recording waits for it.
        logger.warning("recording of %s: %s", session.pk, error.message)
        return False
    seal(session, Sealed(found.hexdigest(), size), note=words)
    return True
