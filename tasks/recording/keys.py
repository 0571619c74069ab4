"""The key of a recording: random, one for each, stored with the session under the portal's ring (rotate_keys changes that)."""

import base64
import secrets
from typing import Any

from django.utils.translation import gettext as _

from adminset import crypto
from adminset.crypto import Secret
from adminset.errors import DomainError
from tasks.models import TerminalSession
from tasks.recording.frames import Cipher

KEY_BYTES = 32


def make(session: TerminalSession) -> Cipher:
    """Make the key of a session's recording and store it sealed, before anything is written with it."""
    data_key = secrets.token_bytes(KEY_BYTES)
    context = _context()
    text = crypto.encrypt(base64.b64encode(data_key).decode(), context)
    sealed: Any = Secret(text, context)
    TerminalSession.objects.filter(pk=session.pk).update(recording_key=sealed)
    session.recording_key = sealed
    return Cipher(data_key, session.key)


def cipher_of(session: TerminalSession) -> Cipher | None:
    """Give what opens a session's recording; None where there is no key (never recorded, cleared away).

    Not through Secret.reveal(): a key of which nobody ever sees a letter need not be masked in logs, and there are many.

    Raises:
        DomainError: the key of the ring that sealed it is gone.
    """
    sealed: Any = session.recording_key
    if sealed is None:
        return None
    try:
        data_key = base64.b64decode(crypto.decrypt(sealed.sealed, _context()))
        return Cipher(data_key, session.key)
    except ValueError as error:
        raise DomainError(
            _("The key of this recording is broken."), code="broken_secret"
        ) from error


def _context() -> str:
    return TerminalSession._meta.get_field("recording_key").context
