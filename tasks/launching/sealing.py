"""Secrets between two pages: sealed for one user, so that a page carries them without showing them."""

import json
from typing import Any

from django.utils.translation import gettext as _

from adminset.crypto import Secret, decrypt, encrypt
from adminset.errors import DomainError
from adminset.redaction import known

# Nobody types more.
LONGEST = 65536


def opened(sealed: Any) -> dict[str, str]:
    """Give the secrets of a row (`Work.sealed`): name -> value.

    Raises:
        DomainError: they cannot be opened: the key is gone, or the text was altered.
    """
    if not sealed:
        return {}
    text = sealed.reveal() if isinstance(sealed, Secret) else str(sealed)
    return _read(text)


def names_of(sealed: Any) -> list[str]:
    """Name the secrets of a row; none where they cannot be opened."""
    try:
        return sorted(opened(sealed))
    except DomainError:
        return []


def text_of(secrets: dict[str, str]) -> str | None:
    """Give what `Work.sealed` takes: the field seals it."""
    return json.dumps(secrets, sort_keys=True) if secrets else None


def carry(secrets: dict[str, str], user: Any) -> str:
    """Seal secrets for a hidden input of a page of this user; "" for none."""
    return encrypt(json.dumps(secrets), _context(user)) if secrets else ""


def carried(token: str, user: Any) -> dict[str, str]:
    """Open what `carry` sealed.

    Raises:
        DomainError: it is not from a page of this user.
    """
    if not token:
        return {}
    if len(token) > 2 * LONGEST:
        raise DomainError(_("The secrets of this page cannot be opened."))
    return _read(decrypt(token, _context(user)))


def _context(user: Any) -> str:
    return f"tasks.launch.{user.pk}"


def _read(text: str) -> dict[str, str]:
    found = json.loads(text)
    secrets = {str(name): str(value) for name, value in found.items()}
    for value in secrets.values():
        # Logs of this process mask it from now on.
        known.add(value)
    return secrets
