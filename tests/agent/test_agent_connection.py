"""TLS that is verified, proxies, and connections that end: each with a real server."""

import datetime
import socket
import socketserver
import ssl
import threading
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agent import sender as http
from agent.connection import is_excepted, proxy_for
from agent.errors import ConfigError
from agent.sender import Sender

TOKEN = "0123456789abcdef0123456789abcdef.s3cr3t-and-long-enough"


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def certificate(tmp_path):
    """A certificate for `localhost` that signs itself: PEM files of it and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test portal")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return tmp_path / "cert.pem", tmp_path / "key.pem"


@pytest.fixture
def safe_portal(portal, certificate):
    """The portal behind TLS; gives its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*map(str, certificate))
    portal.server.socket = context.wrap_socket(
        portal.server.socket, server_side=True, do_handshake_on_connect=False
    )
    return f"https://localhost:{portal.port}"


class Tunnel(socketserver.BaseRequestHandler):
    """A proxy that understands CONNECT alone."""

    def handle(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.request.recv(1)
        self.server.heads.append(head.decode())
        host, port = head.split()[1].decode().rsplit(":", 1)
        with socket.create_connection((host, int(port))) as there:
            self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=pump, args=(there, self.request))
            back.start()
            pump(self.request, there)
            back.join()


def pump(source, target):
    try:
        for part in iter(lambda: source.recv(65536), b""):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.fixture
def tunnel():
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tunnel)
    server.daemon_threads, server.heads = True, []
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_unknown_certificate_is_refused_and_nothing_is_sent(
    config, portal, safe_portal
):
    reply = Sender(safe_portal, TOKEN, config).post("facts", {})
    assert (reply.action, reply.status) == (http.RETRY, 0)
    assert "CERTIFICATE_VERIFY_FAILED" in reply.sentence
    assert portal.requests == []


def test_the_authority_of_the_configuration_is_believed(
    config, portal, safe_portal, certificate
):
    trusting = config._replace(ca_file=str(certificate[0]))
    sender = Sender(safe_portal, TOKEN, trusting)
    assert [sender.post("facts", {}).action for _ in range(3)] == [http.STORED] * 3
    assert len(portal.clients) == 1
    elsewhere = safe_portal.replace("localhost", "127.0.0.1")
    reply = Sender(elsewhere, TOKEN, trusting).post("facts", {})
    assert "CERTIFICATE_VERIFY_FAILED" in reply.sentence
    assert len(portal.requests) == 3
    sender.close()


def test_verification_ends_only_where_it_is_switched_off(config, safe_portal):
    sender = Sender(safe_portal, TOKEN, config._replace(verify_tls=False))
    assert sender.post("facts", {}).action == http.STORED
    sender.close()


def test_https_goes_through_the_tunnel_of_a_proxy(
    config, portal, safe_portal, certificate, tunnel, monkeypatch
):
    port = tunnel.server_address[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://eve:p%40ss@127.0.0.1:{port}")
    trusting = config._replace(ca_file=str(certificate[0]))
    sender = Sender(safe_portal, TOKEN, trusting)
    assert [sender.post("facts", {}).action for _ in range(2)] == [http.STORED] * 2
    sender.close()
    assert len(tunnel.heads) == 1
    assert f"CONNECT localhost:{portal.port} HTTP/1." in tunnel.heads[0]
    assert "Proxy-Authorization: Basic ZXZlOnBAc3M=" in tunnel.heads[0]
    assert "s3cr3t" not in tunnel.heads[0]
    assert "Proxy-Authorization" not in portal.requests[0][1]


def test_http_asks_the_proxy_for_the_whole_address(config, portal, monkeypatch):
    monkeypatch.setenv("http_proxy", portal.url)
    sender = Sender("http://adminset.example", TOKEN, config)
    assert sender.post("facts", {}).action == http.STORED
    assert portal.requests[0][1]["Host"] == "adminset.example"
    sender.close()


def test_a_connection_that_the_server_closed_meanwhile_is_opened_again(
    config, portal, monkeypatch
):
    sender = Sender(config.server, TOKEN, config)
    assert sender.post("facts", {}).action == http.STORED
    sender.connection.open.sock.shutdown(socket.SHUT_RDWR)
    assert sender.post("facts", {}).action == http.STORED
    assert len(portal.clients) == 2
    sender.close()


def test_a_portal_below_a_path_is_asked_there(config, portal):
    sender = Sender(config.server + "/tools", TOKEN, config)
    assert sender.post("facts", {}).action == http.STORED
    assert sender.path == "/tools/api/agent/v1/"
    sender.close()


@pytest.mark.parametrize("wrong", ["https://proxy:3128", "socks5://p:1", "http://"])
def test_a_proxy_that_cannot_be_used_is_told(config, monkeypatch, wrong):
    monkeypatch.setenv("HTTP_PROXY", wrong)
    with pytest.raises(ConfigError, match="names a proxy that cannot be used"):
        Sender(config.server, TOKEN, config)


@pytest.mark.parametrize(
    ("host", "exceptions", "truth"),
    [
        ("portal.example.com", "example.com", True),
        ("portal.example.com", ".example.com,other", True),
        ("portal.example.com", "*.example.com", True),
        ("badexample.com", "example.com", False),
        ("10.1.2.3", "10.0.0.0/8", True),
        ("11.1.2.3", "10.0.0.0/8", False),
        ("127.0.0.1", "localhost, 127.0.0.1", True),
        ("any", "*", True),
        ("any", "", False),
    ],
)
def test_exceptions_of_proxies(host, exceptions, truth):
    assert is_excepted(host, exceptions) is truth
    environ = {"NO_PROXY": exceptions, "HTTPS_PROXY": "proxy:3128"}
    found = proxy_for(urlsplit(f"https://{host}"), environ)
    assert (found is None) is truth
