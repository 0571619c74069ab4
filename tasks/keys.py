"""Reads private keys of every common form and gives them in one."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from tasks.targets import HostRefusedError, Login

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
KINDS = (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)


def open_private_key(login: Login) -> PrivateKey:
    """Return the private key of a login that has one, decrypted.

    Takes RSA, ECDSA and Ed25519 in OpenSSH's form or PEM, with or without passphrase.
    Raises HostRefusedError with a sentence for anything else.
    """
    data = ((login.private_key or "").strip() + "\n").encode()
    if data.startswith(b"PuTTY-User-Key-File"):
        raise HostRefusedError(
            f"The private key of {login.user} is in PuTTY's form. Convert it with "
            "`puttygen KEY -O private-openssh` and store the result."
        )
    key = _load(login, data)
    if not isinstance(key, KINDS):
        raise HostRefusedError(
            f"The private key of {login.user} is of a kind that is not used any more. "
            "Make an Ed25519, ECDSA or RSA key."
        )
    return key


def _load(login: Login, data: bytes) -> object:
    load = load_ssh_private_key if b"OPENSSH PRIVATE" in data else load_pem_private_key
    for secret in _passphrases(login):
        try:
            return load(data, secret)
        except TypeError:
            continue
        except (ValueError, UnsupportedAlgorithm):
            break
    if login.passphrase:
        raise HostRefusedError(
            f"The private key of {login.user} does not open: its passphrase is wrong, "
            "or the text is not a private key. Correct the credential."
        )
    raise HostRefusedError(
        f"The private key of {login.user} cannot be read: it needs a passphrase, "
        "or the text is not a private key. Correct the credential."
    )


def _passphrases(login: Login) -> list[bytes | None]:
    """Return what to try: the loaders refuse a passphrase for a key that has none."""
    return [login.passphrase.encode(), None] if login.passphrase else [None]


def openssh_text(key: PrivateKey) -> str:
    """Return the key in OpenSSH's own form, without passphrase."""
    return key.private_bytes(
        Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()
    ).decode()
