"""Public keys of hosts as OpenSSH writes them: read, checked, and their fingerprints. No SSH is spoken here."""

import base64
import binascii
import hashlib

from django.utils.translation import gettext as _

from adminset.errors import DomainError

ALGORITHMS = frozenset(
    {
        "ssh-ed25519",
        "ssh-rsa",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
    }
)


def parse(public_key: str) -> tuple[str, bytes]:
    """Give (algorithm, key) of "ssh-ed25519 AAAA... [comment]".

    Raises:
        DomainError: this is no public key of a host.
    """
    algorithm, encoded, *_rest = [*public_key.strip().split(), "", ""]
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        blob = b""
    name = algorithm.encode()
    if algorithm not in ALGORITHMS or blob[4 : 4 + len(name)] != name:
        raise DomainError(
            _("This is not a host key."),
            _('Give it as OpenSSH writes it: "ssh-ed25519 AAAA...".'),
            code="not_a_host_key",
        )
    return algorithm, blob


def normalised(public_key: str) -> str:
    """Give "algorithm base64" without a comment."""
    algorithm, blob = parse(public_key)
    return f"{algorithm} {base64.b64encode(blob).decode()}"


def fingerprint(public_key: str) -> str:
    """Give "SHA256:..." exactly as `ssh-keygen -l` prints it."""
    _algorithm, blob = parse(public_key)
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
    return f"SHA256:{digest}"
