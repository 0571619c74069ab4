"""Certificates that somebody has made up: none of them is an error of ours, none stops the round of the schedule."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from adminset import outbound
from cmdb import certificates as reading
from cmdb.models import Certificate
from cmdb.services import certificates
from tests.certificates import make_authority, make_certificate

pytestmark = pytest.mark.django_db


@pytest.fixture
def odd(tmp_path: Path) -> bytes:
    """A certificate of a version that does not exist."""
    pem = make_certificate(make_authority(tmp_path), "localhost")[0].read_text()
    content = bytearray(ssl.PEM_cert_to_DER_cert(pem))
    content[content.find(b"\xa0\x03\x02\x01\x02") + 4] = 38
    return bytes(content)


def test_a_version_that_does_not_exist_is_no_certificate(odd: bytes) -> None:
    with pytest.raises(reading.BadCertificate):
        reading.read_der(odd)


def test_a_pasted_one_is_refused_in_words(
    odd: bytes, client_of: Any, admin: User
) -> None:
    sent = {"name": "odd", "pem": ssl.DER_cert_to_PEM_cert(odd), "port": 443}
    client = client_of(admin)
    answer = client.post("/api/v1/certificates/", sent, content_type="application/json")
    assert answer.status_code == 422
    assert client.post("/cmdb/certificates/add/", sent).status_code == 422
    assert not Certificate.objects.exists()


def test_a_server_that_shows_one_is_noted(odd: bytes, monkeypatch: Any) -> None:
    shown = outbound.ShownCertificate(odd, "")
    monkeypatch.setattr(outbound, "shown_certificate", lambda *_args: shown)
    row = Certificate.objects.create(name="odd", server="odd.example.com")
    assert certificates.check_due() == 1
    row.refresh_from_db()
    assert "no certificate that can be read" in row.error


def test_one_that_fails_in_an_unforeseen_way_stops_nobody_elses_check(
    monkeypatch: Any,
) -> None:
    asked = []

    def shown(server: str, *_args: Any) -> outbound.ShownCertificate:
        asked.append(server)
        raise RuntimeError(server)

    monkeypatch.setattr(outbound, "shown_certificate", shown)
    for name in ("a", "b"):
        Certificate.objects.create(name=name, server=f"{name}.example.com")
    assert certificates.check_due() == 2
    assert asked == ["a.example.com", "b.example.com"]
