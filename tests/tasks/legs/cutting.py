"""A way to a server that breaks off: connections through it are cut after so many bytes."""

from __future__ import annotations

import contextlib
import socket
import threading


class Cutter:
    """Listens on loopback and passes bytes on to a port; the first `cuts` connections end after `after` bytes to the server."""

    def __init__(self, port: int, *, after: int, cuts: int = 1) -> None:
        self._target = port
        self._after = after
        self._cuts = cuts
        self.connections = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _address = self._server.accept()
            except OSError:
                return
            self.connections += 1
            far = socket.create_connection(("127.0.0.1", self._target))
            left = self._after if self.connections <= self._cuts else None
            for words in ((near, far, left), (far, near, None)):
                threading.Thread(target=_pass_on, args=words, daemon=True).start()


def _pass_on(begin: socket.socket, end: socket.socket, left: int | None) -> None:
    with contextlib.suppress(OSError):
        while data := begin.recv(65536):
            if left is not None and len(data) > left:
                break
            left = None if left is None else left - len(data)
            end.sendall(data)
    for sock in (begin, end):
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
