"""Reads certificates: what stands in one, made harmless; nothing in it is believed."""

import ssl
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from cmdb.facts import plain_text

MOST_NAMES = 200
PEM_HEAD = "-----BEGIN CERTIFICATE-----"
PEM_FOOT = "-----END CERTIFICATE-----"


class BadCertificate(DomainError):
    """What was sent is no certificate that can be read."""


@dataclass(frozen=True)
class Found:
    """What stands in a certificate."""

    subject: str
    issuer: str
    names: list[str]
    serial: str
    fingerprint: str
    not_before: datetime
    not_after: datetime


def read_pem(text: str) -> Found:
    """Read the first certificate of a PEM text.

    Raises:
        BadCertificate: there is none, or it cannot be read.
    """
    _before, head, rest = text.partition(PEM_HEAD)
    body, foot, _after = rest.partition(PEM_FOOT)
    if not head or not foot:
        raise _bad()
    try:
        return read_der(ssl.PEM_cert_to_DER_cert(f"{head}{body}{foot}"))
    except ValueError as error:
        raise _bad() from error


def read_der(content: bytes) -> Found:
    """Read a certificate.

    Raises:
        BadCertificate: it cannot be read.
    """
    try:
        certificate = x509.load_der_x509_certificate(content)
        return Found(
            subject=_name(certificate.subject),
            issuer=_name(certificate.issuer),
            names=_names(certificate),
            serial=f"{certificate.serial_number:x}"[:64],
            fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
        )
    # The library raises many kinds of error for what somebody has made up.
    except (
        ValueError,
        TypeError,
        OverflowError,
        UnsupportedAlgorithm,
        x509.InvalidVersion,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    ) as error:
        raise _bad() from error


def _name(name: x509.Name) -> str:
    return plain_text(name.rfc4514_string(), 500)


def _names(certificate: x509.Certificate) -> list[str]:
    """List the names and addresses that it is made out for."""
    try:
        extension = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except x509.ExtensionNotFound:
        return []
    listed = extension.value
    named = [
        *listed.get_values_for_type(x509.DNSName),
        *map(str, listed.get_values_for_type(x509.IPAddress)),
    ]
    plain = (plain_text(each, 253) for each in named[:MOST_NAMES])
    return [each for each in plain if each]


def _bad() -> BadCertificate:
    return BadCertificate(
        _("This is no certificate that can be read."),
        _("Paste the lines from BEGIN CERTIFICATE to END CERTIFICATE."),
        code="bad_certificate",
    )
