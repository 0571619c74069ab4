"""Codes of authenticator apps (TOTP, RFC 6238) and recovery codes: made and compared here, kept by services/second_factor.py."""

import base64
import secrets
import time

import segno
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

ISSUER = "AdminSet"
SECRET_BYTES = 20
DIGITS = 6
STEP_SECONDS = 30
# A telephone's clock may be one step ahead or behind.
STEPS_ASIDE = 1
RECOVERY_CODES = 10
# Without I, L, O, U and the like: people read these from paper. 12 of 32 letters are 60 bits.
ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ0123456789"
GROUPS, GROUP_LENGTH = 3, 4


def new_secret() -> str:
    """Make a secret of 160 bits, in the base32 that apps take."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _totp(secret: str) -> TOTP:
    # SHA-1 is what all apps know; as a keyed hash over a counter it is not weakened by collisions (RFC 6238, B.).
    key = base64.b32decode(secret)
    return TOTP(key, DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303 - see above


def uri_of(secret: str, username: str) -> str:
    """Give the otpauth:// address that an app scans."""
    return _totp(secret).get_provisioning_uri(username, ISSUER)


def picture_of(secret: str, username: str) -> str:
    """Give the QR code of that address as a data: address for an image."""
    code = segno.make(uri_of(secret, username), error="m", micro=False)
    return code.svg_data_uri(scale=5, border=2, light="#fff")


def in_groups(secret: str) -> str:
    """Write a secret as people type it: groups of four."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def matching_step(secret: str, code: str, now: float | None = None) -> int | None:
    """Say which time step a code belongs to, None for a wrong one; compared in constant time."""
    digits = "".join(code.split())
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdecimal()):
        return None
    totp, moment = _totp(secret), time.time() if now is None else now
    here = int(moment) // STEP_SECONDS
    for step in range(here - STEPS_ASIDE, here + STEPS_ASIDE + 1):
        try:
            totp.verify(digits.encode(), step * STEP_SECONDS)
        except InvalidToken:
            continue
        return step
    return None


def new_recovery_codes() -> list[str]:
    """Make a set of recovery codes ("K3PT-0VQX-7MNA")."""

    def group() -> str:
        return "".join(secrets.choice(ALPHABET) for _letter in range(GROUP_LENGTH))

    return [
        "-".join(group() for _group in range(GROUPS)) for _code in range(RECOVERY_CODES)
    ]


def plain_recovery_code(text: str) -> str:
    """Bring a recovery code into the form that is hashed: capitals, no blanks, no hyphens."""
    return "".join(text.upper().replace("-", "").split())
