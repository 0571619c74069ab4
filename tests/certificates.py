"""A certificate authority for one test, and certificates of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Authority:
    """A made-up authority: its files, and what signs."""

    folder: Path
    certificate: x509.Certificate
    key: Any

    @property
    def certificate_file(self) -> Path:
        """File with the certificate that clients trust."""
        return self.folder / "authority.pem"


def make_authority(folder: Path) -> Authority:
    """Make an authority and write its certificate into the folder."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Test authority")
    certificate = (
        _builder(name, name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    authority = Authority(folder, certificate, key)
    authority.certificate_file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
    )
    return authority


def make_certificate(authority: Authority, host: str) -> tuple[Path, Path]:
    """Make a certificate for a host name; give (certificate file, key file)."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder(_name(host), authority.certificate.subject, key)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False
        )
        .sign(authority.key, hashes.SHA256())
    )
    files = (authority.folder / f"{host}.pem", authority.folder / f"{host}.key")
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Any
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=2))
    )
