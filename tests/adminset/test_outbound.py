"""The door to the outside: where the portal's own requests may not go, whatever a name or an address looks like."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from adminset import outbound
from adminset.outbound import OutboundError
from tests.certificates import make_authority, make_certificate

LOOPBACK = ["127.0.0.0/8"]


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))  # type: ignore[attr-defined]
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/")
            self.end_headers()
            return
        body = b"x" * 5000 if self.path == "/long" else b"fine"
        self.send_response(500 if self.path.startswith("/broken") else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.posted.append(json.loads(self.rfile.read(length)))  # type: ignore[attr-defined]
        self.do_GET()

    def log_message(self, *args: Any) -> None:
        """Stay quiet."""


def _serve(context: ssl.SSLContext | None = None) -> Any:
    server: Any = HTTPServer(("127.0.0.1", 0), _Handler)
    server.asked, server.posted = [], []
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture
def server() -> Iterator[Any]:
    running = _serve()
    yield running
    running.shutdown()
    running.server_close()


def _url(server: Any, path: str = "/", host: str = "127.0.0.1") -> str:
    return f"http://{host}:{server.server_port}{path}"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",  # noqa: S104 - it is what is refused
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "fec0::1",
        "192.0.0.8",
        "3fff::1",
    ],
)
def test_the_portal_goes_to_no_address_of_our_own_networks(address: str) -> None:
    assert not outbound.is_allowed(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111"])
def test_the_portal_goes_to_public_addresses(address: str) -> None:
    assert outbound.is_allowed(address)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "http://",
        "http://user:word@example.com/",
        "http://example.com:99999/",
        "//example.com/",
        "javascript:alert(1)",
    ],
)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(OutboundError) as refused:
        outbound.fetch("GET", url)
    assert refused.value.code == "outbound_address"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "127.1"]
)
def test_loopback_is_refused_however_it_is_written(server: Any, host: str) -> None:
    with pytest.raises(OutboundError) as refused:
        outbound.fetch("GET", _url(server, host=host))
    assert refused.value.code in {"outbound_refused", "outbound_unknown_host"}
    assert server.asked == []


def test_an_allowed_network_is_reached_and_gets_the_name_it_was_asked_by(
    server: Any, settings: Any
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = LOOPBACK
    answer = outbound.post_json(_url(server, "/hook", "localhost"), {"a": 1})
    assert (answer.status, answer.body) == (200, b"fine")
    assert server.posted == [{"a": 1}]
    assert server.asked[0][1]["Host"] == f"localhost:{server.server_port}"


def test_a_name_that_moves_after_the_check_leads_nowhere_else(
    server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = LOOPBACK
    lookups: list[str] = []
    real = socket.getaddrinfo

    def moving(host: str, *args: Any, **kwargs: Any) -> Any:
        lookups.append(host)
        # The second look-up, if there were one by name, would lead to an address that refuses.
        name = "127.0.0.1" if lookups.count("moving.test") <= 1 else "127.0.0.99"
        return real(name if host == "moving.test" else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", moving)
    assert outbound.fetch("GET", _url(server, host="moving.test")).status == 200
    assert lookups.count("moving.test") == 1


def test_one_forbidden_address_among_several_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [(2, 1, 6, "", (a, 80)) for a in ("93.184.216.34", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: found)
    with pytest.raises(OutboundError) as refused:
        outbound.checked("http://mixed.test/")
    assert refused.value.code == "outbound_refused"


def test_a_redirect_is_an_answer_and_is_not_followed(
    server: Any, settings: Any
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = LOOPBACK
    answer = outbound.fetch("GET", _url(server, "/redirect"))
    assert answer.status == 302
    assert len(server.asked) == 1


def test_an_answer_that_is_too_long_is_not_read_to_its_end(
    server: Any, settings: Any
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = LOOPBACK
    settings.OUTBOUND_MAX_BYTES = 1024
    with pytest.raises(OutboundError) as refused:
        outbound.fetch("GET", _url(server, "/long"))
    assert refused.value.code == "outbound_too_long"


def test_the_secret_of_a_web_hooks_address_stands_in_no_error(
    server: Any, settings: Any
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = LOOPBACK
    with pytest.raises(OutboundError) as failed:
        outbound.post_json(_url(server, "/broken?token=hush"), {})
    assert "hush" not in str(failed.value) + failed.value.hint
    server.shutdown()
    server.server_close()
    with pytest.raises(OutboundError) as away:
        outbound.post_json(_url(server, "/?token=hush"), {})
    assert "hush" not in str(away.value) + away.value.hint
    assert away.value.__cause__ is None


def test_a_proxy_of_the_environment_is_not_used(
    server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = LOOPBACK
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert outbound.fetch("GET", _url(server)).status == 200


def test_tls_proves_the_name_although_the_address_is_pinned(
    settings: Any, tmp_path: Path
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = LOOPBACK
    authority = make_authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*make_certificate(authority, "localhost"))
    server = _serve(context)
    try:
        right = f"https://localhost:{server.server_port}/"
        settings.OUTBOUND_CA_FILE = str(authority.certificate_file)
        assert outbound.fetch("GET", right).body == b"fine"
        with pytest.raises(OutboundError):
            outbound.fetch("GET", f"https://127.0.0.1:{server.server_port}/")
        settings.OUTBOUND_CA_FILE = ""
        with pytest.raises(OutboundError):
            outbound.fetch("GET", right)
    finally:
        server.shutdown()
        server.server_close()
