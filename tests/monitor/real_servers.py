"""Real servers of this machine for checks to ask: HTTP, TLS, TCP, DNS."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dns.message
import dns.rrset

from tests.certificates import make_authority, make_certificate


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server: Any = self.server
        server.asked.append((self.command, self.path, dict(self.headers)))
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path[4:])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path == "/slow":
            server.wait.wait(3)
        body = server.bodies.get(self.path, b"all is well")
        self.send_response(server.statuses.get(self.path, 200))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *args: Any) -> None:
        """Stay quiet."""


class _Server(ThreadingHTTPServer):
    # Many ask at once.
    request_queue_size = 256

    def handle_error(self, *args: Any) -> None:
        """Stay quiet where a client went away."""


@contextmanager
def web_server(folder: Path | None = None) -> Iterator[Any]:
    """Run a web server, over TLS with a certificate of a made-up authority where a folder is given."""
    server: Any = _Server(("127.0.0.1", 0), _Handler)
    server.asked, server.bodies, server.statuses = [], {}, {}
    server.wait, server.authority = threading.Event(), None
    if folder is not None:
        server.authority = make_authority(folder)
        certificate, key = make_certificate(server.authority, "web.test")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.wait.set()
        server.shutdown()
        server.server_close()


@contextmanager
def dns_server(records: dict[str, list[str]]) -> Iterator[int]:
    """Run a DNS server that knows some A records; gives its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]

        def serve() -> None:
            while True:
                try:
                    sent, client = door.recvfrom(4096)
                except OSError:
                    return
                if not sent:
                    return
                asked = dns.message.from_wire(sent)
                answer = dns.message.make_response(asked)
                name = asked.question[0].name
                found = records.get(name.to_text())
                if found:
                    answer.answer.append(
                        dns.rrset.from_text(name, 60, "IN", "A", *found)
                    )
                else:
                    answer.set_rcode(3)
                door.sendto(answer.to_wire(), client)

        threading.Thread(target=serve, daemon=True).start()
        yield port
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", port))


def closed_port() -> int:
    """Give a port on which nobody listens."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])
