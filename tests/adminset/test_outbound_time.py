"""A server that sends a drop now and then does not hold a request of ours longer than the request may take."""

import contextlib
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from adminset import outbound
from adminset.outbound import OutboundError
from adminset.outbound_reach import Reach
from tests.certificates import make_authority, make_certificate

HERE = ("127.0.0.0/8",)
REACH = Reach(networks=HERE, seconds=0.6, cut=True)
# The drops come more often than the time-out of a read, and would go on for longer than any test waits.
DROP_SECONDS, DROPS = 0.1, 100


class Dripping(socketserver.BaseRequestHandler):
    """Begins an answer and goes on drop by drop."""

    def handle(self) -> None:
        server: Any = self.server
        with contextlib.suppress(OSError):
            self.request.sendall(server.first)
            for _ in range(DROPS):
                if server.over.wait(DROP_SECONDS):
                    return
                self.request.sendall(server.drop)


class Server(socketserver.ThreadingTCPServer):
    """Each client in a thread."""

    daemon_threads = True
    context: Any = None

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Speak TLS where that is wanted."""
        with contextlib.suppress(OSError):
            if self.context:
                request = self.context.wrap_socket(request, server_side=True)
            super().finish_request(request, client_address)
            request.close()


@contextmanager
def dripping(first: bytes, drop: bytes, folder: Path | None = None) -> Iterator[int]:
    """Run such a server, over TLS where a folder is given; gives its port."""
    server: Any = Server(("127.0.0.1", 0), Dripping)
    server.first, server.drop, server.over = first, drop, threading.Event()
    if folder is not None:
        server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        files = make_certificate(make_authority(folder), "localhost")
        server.context.load_cert_chain(*files)
    threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()


def ended_in_time(ask: Any) -> str:
    """Ask; gives what was said when it was given up, which must be soon."""
    begun = time.monotonic()
    with pytest.raises(OutboundError) as ended:
        ask()
    assert time.monotonic() - begun < 3
    return ended.value.message


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    ],
    ids=["status", "headers", "body", "body without an end", "chunks"],
)
def test_drops_do_not_hold_a_request(first: bytes, drop: bytes) -> None:
    with dripping(first, drop) as port:
        url = f"http://127.0.0.1:{port}/"
        said = ended_in_time(lambda: outbound.fetch("GET", url, reach=REACH))
    assert "Timeout" in said


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_drops_inside_tls_do_not_hold_a_request(tmp_path: Path) -> None:
    reach = Reach(networks=HERE, seconds=0.6, verify=False)
    with dripping(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x", tmp_path) as port:
        url = f"https://127.0.0.1:{port}/"
        assert "Timeout" in ended_in_time(
            lambda: outbound.fetch("GET", url, reach=reach)
        )


# A record of the handshake that says it is 16 kB long and comes byte by byte.
RECORD = b"\x16\x03\x03\x40\x00"


def test_a_handshake_that_never_ends_holds_nobody() -> None:
    with dripping(RECORD, b"\x02") as port:
        url = f"https://127.0.0.1:{port}/"
        assert "Timeout" in ended_in_time(
            lambda: outbound.fetch("GET", url, reach=REACH)
        )
        assert "Timeout" in ended_in_time(
            lambda: outbound.shown_certificate("127.0.0.1", port, reach=REACH)
        )


def test_requests_leave_no_connection_and_no_thread_behind() -> None:
    def held() -> tuple[int, int]:
        timers = [t for t in threading.enumerate() if isinstance(t, threading.Timer)]
        return len(list(Path("/proc/self/fd").iterdir())), len(timers)

    with dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"x") as port:
        url = f"http://127.0.0.1:{port}/"
        assert outbound.fetch("GET", url, reach=REACH).body == b"ok"
        before = held()
        for _ in range(10):
            outbound.fetch("GET", url, reach=REACH)
        # The server's ends close a moment later.
        until = time.monotonic() + 5
        while held() > before and time.monotonic() < until:
            time.sleep(0.05)
        assert held() <= before
