"""Certificates: fetched from a real TLS server, read from a paste, and never believed."""

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from adminset import outbound
from adminset.models import AuditEntry
from cmdb.models import Certificate
from cmdb.services import certificates
from cmdb.tasks import check_certificates
from tests.certificates import Authority, make_authority, make_certificate

pytestmark = pytest.mark.django_db
LOOPBACK = ["127.0.0.0/8", "::1/128"]


class TlsServer:
    """Shows a certificate to whoever knocks, on a thread of its own."""

    def __init__(self, files: tuple[Path, Path]) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*files)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.asked: list[str | None] = []
        self._context.sni_callback = self._note
        threading.Thread(target=self._serve, daemon=True).start()

    def _note(self, _connection: Any, name: str | None, _context: Any) -> None:
        self.asked.append(name)

    def _serve(self) -> None:
        while True:
            try:
                plain, _address = self._socket.accept()
            except OSError:
                return
            with plain:
                try:
                    self._context.wrap_socket(plain, server_side=True).close()
                except (OSError, ssl.SSLError):
                    continue

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path)


@pytest.fixture
def server(authority: Authority, settings: Any) -> Iterator[TlsServer]:
    settings.OUTBOUND_ALLOWED_NETWORKS = LOOPBACK
    settings.OUTBOUND_CA_FILE = str(authority.certificate_file)
    settings.OUTBOUND_TIMEOUT_SECONDS = 3
    running = TlsServer(make_certificate(authority, "localhost"))
    yield running
    running.close()


def a_certificate(running: TlsServer, **values: Any) -> Certificate:
    known = {"name": "portal", "server": "localhost", "port": running.port}
    return Certificate.objects.create(**known | values)


def test_a_check_fetches_what_the_server_shows(
    server: TlsServer, client_of: Any, admin: User
) -> None:
    row = a_certificate(server)
    page = f"/cmdb/certificates/{row.pk}/"
    client = client_of(admin)
    assert f"{page}check/" in client.get(page).content.decode()
    answer = client.post(f"{page}check/", follow=True)
    assert "portal is fetched." in answer.content.decode()
    row.refresh_from_db()
    assert (row.subject, row.issuer) == ("CN=localhost", "CN=Test authority")
    assert (row.names, row.chain_problem, row.error) == (["localhost"], "", "")
    assert len(row.fingerprint) == 64
    assert row.not_after is not None
    assert row.expires_on == row.not_after.date()
    line = AuditEntry.objects.get(verb="certificate.check")
    assert line.actor == admin
    assert "fingerprint" in [change["field"] for change in line.changes]
    assert (
        "is as it was before"
        in client.post(f"{page}check/", follow=True).content.decode()
    )


def test_a_certificate_that_is_not_trusted_is_read_and_its_problem_said(
    server: TlsServer, settings: Any, admin: User
) -> None:
    other = a_certificate(server, server_name="other.example.com")
    certificates.check(actor=admin, certificate=other)
    other.refresh_from_db()
    assert "Hostname mismatch" in other.chain_problem
    assert other.subject == "CN=localhost"
    assert server.asked == ["other.example.com"] * 2
    settings.OUTBOUND_CA_FILE = ""
    unknown = a_certificate(server, name="second")
    certificates.check(actor=admin, certificate=unknown)
    unknown.refresh_from_db()
    assert "issuer" in unknown.chain_problem
    assert unknown.state[0] == "warning"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "169.254.169.254", "::1"])
def test_a_server_of_our_own_networks_is_not_asked_unless_it_is_allowed(
    server: TlsServer, settings: Any, admin: User, host: str
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    row = a_certificate(server, server=host)
    certificates.check(actor=admin, certificate=row)
    row.refresh_from_db()
    assert "where the portal may not go" in row.error
    assert (row.subject, server.asked) == ("", [])
    assert row.state == ("danger", "unreachable")


def test_a_server_that_is_away_leaves_what_was_known(
    server: TlsServer, admin: User
) -> None:
    row = a_certificate(server)
    certificates.check(actor=admin, certificate=row)
    server.close()
    row.refresh_from_db()
    certificates.check(actor=admin, certificate=row)
    row.refresh_from_db()
    assert row.subject == "CN=localhost"
    assert "shows no certificate on port" in row.error


def test_a_server_that_says_nothing_is_left_in_time(settings: Any, admin: User) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = LOOPBACK
    settings.OUTBOUND_TIMEOUT_SECONDS = 1
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(outbound.OutboundError) as failed,
    ):
        outbound.shown_certificate("127.0.0.1", silent.getsockname()[1])
    assert failed.value.code == "outbound_no_tls"


def test_a_server_without_tls_is_said_to_have_none(settings: Any) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = LOOPBACK
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def answer() -> None:
            taken, _address = plain.accept()
            with taken:
                taken.sendall(b"220 mail.example.com ESMTP\r\n" * 20)
                taken.recv(1000)

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(outbound.OutboundError):
            outbound.shown_certificate("127.0.0.1", plain.getsockname()[1])


def test_the_schedule_checks_what_is_due_and_tells_of_changes_only(
    server: TlsServer,
) -> None:
    due = a_certificate(server)
    a_certificate(server, name="fresh", checked_at=timezone.now())
    pasted = Certificate.objects.create(name="pasted", pem="x")
    check_certificates()
    assert server.asked == ["localhost"]
    assert AuditEntry.objects.get(verb="certificate.check").target_name == "portal"
    later = timezone.now() - timedelta(hours=25)
    Certificate.objects.filter(pk=due.pk).update(checked_at=later)
    assert certificates.check_due() == 1
    assert AuditEntry.objects.filter(verb="certificate.check").count() == 1
    pasted.refresh_from_db()
    assert pasted.checked_at is None


def test_one_who_only_sees_may_not_check(
    server: TlsServer, client_of: Any, auditor: User
) -> None:
    row = a_certificate(server)
    answer = client_of(auditor).post(f"/cmdb/certificates/{row.pk}/check/")
    assert (answer.status_code, server.asked) == (403, [])


def test_a_pasted_certificate_is_read_and_has_nothing_to_check(
    authority: Authority, client_of: Any, admin: User
) -> None:
    pem = make_certificate(authority, "www.example.com")[0].read_text()
    client = client_of(admin)
    sent = {"name": "pasted", "pem": pem, "port": 443}
    made = client.post("/api/v1/certificates/", sent, content_type="application/json")
    assert made.status_code == 201, made.json()
    assert made.json()["names"] == ["www.example.com"]
    assert made.json()["subject"] == "CN=www.example.com"
    page = f"/cmdb/certificates/{made.json()['id']}/"
    assert f"{page}check/" not in client.get(page).content.decode()
    assert client.post(f"{page}check/").status_code == 422


def test_a_private_key_is_never_taken(
    authority: Authority, client_of: Any, admin: User
) -> None:
    certificate, key = make_certificate(authority, "www.example.com")
    client = client_of(admin)
    sent = {"name": "slip", "pem": certificate.read_text() + key.read_text()}
    for pages in ("/cmdb/certificates/add/", "/api/v1/certificates/"):
        answer = client.post(pages, sent | {"port": 443})
        assert answer.status_code in {415, 422}
    answer = client.post(
        "/api/v1/certificates/", sent | {"port": 443}, content_type="application/json"
    )
    assert list(answer.json()["error"]["fields"]) == ["pem"]
    body = key.read_text().splitlines()[1]
    page = client.post("/cmdb/certificates/add/", sent | {"port": 443})
    assert body not in page.content.decode()
    assert not Certificate.objects.exists()
    assert not any(body in str(line.changes) for line in AuditEntry.objects.all())


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"server": "www.example.com", "pem": "x"},
        {"server": "www example com"},
        {"server": "http://www.example.com/"},
        {"pem": "nonsense"},
        {"pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"},
        {"server": "www.example.com", "port": 0},
        {"server": "www.example.com", "server_name": "../../etc"},
    ],
)
def test_what_names_no_certificate_is_refused(
    client_of: Any, admin: User, values: dict[str, Any]
) -> None:
    client = client_of(admin)
    sent = {"name": "odd", "port": 443, **values}
    page = client.post("/cmdb/certificates/add/", sent)
    assert page.status_code == 422
    answer = client.post("/api/v1/certificates/", sent, content_type="application/json")
    assert answer.status_code == 422
    assert not Certificate.objects.exists()


def test_another_server_forgets_what_the_old_one_showed(
    server: TlsServer, client_of: Any, admin: User
) -> None:
    row = a_certificate(server)
    certificates.check(actor=admin, certificate=row)
    answer = client_of(admin).patch(
        f"/api/v1/certificates/{row.pk}/",
        {"server": "www.example.com"},
        content_type="application/json",
    )
    assert answer.status_code == 200
    row.refresh_from_db()
    assert (row.subject, row.expires_on, row.checked_at) == ("", None, None)


def test_a_certificate_that_runs_out_says_so() -> None:
    today = timezone.now().date()
    states = {
        -1: ("danger", "expired"),
        10: ("warning", "expires soon"),
        90: ("ok", "valid"),
    }
    for days, state in states.items():
        row = Certificate(name="x", expires_on=today + timedelta(days=days))
        assert row.state == state
