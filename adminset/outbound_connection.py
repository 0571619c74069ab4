"""Connections of ours to the outside: to the address that was checked, and for so long only, whatever the other side does."""

import socket
import threading
import time
from functools import partial
from types import TracebackType
from typing import Any, Self

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection

from adminset.outbound_trust import trust


class Limit:
    """Ends a connection at a moment: the time-out of a socket is one for each read, so who sends drops could go on for ever.

    Args:
        seconds: from now on, for all that happens inside the `with`.
    """

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._held: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._end)
        # A process that ends does not wait for it.
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for each in self._held:
                each.close()
            self._held = []

    @property
    def left(self) -> float:
        """Seconds that are left; a moment at least, as zero means "for ever" to a socket."""
        return max(self._until - time.monotonic(), 0.001)

    @property
    def is_over(self) -> bool:
        """Say whether the time is up: what ended then may be a part only."""
        return time.monotonic() >= self._until

    def name_of(self, error: Exception) -> str:
        """Name what went wrong: a connection that we ended looks broken, and was too slow."""
        return "Timeout" if self.is_over else type(error).__name__

    def hold(self, connection: socket.socket) -> socket.socket:
        """Have a connection ended when the time is up; gives it back."""
        with self._lock:
            # A handle of our own: TLS takes the one that it is given, and its number may be another's by then.
            self._held.append(connection.dup())
        if self.is_over:
            self._end()
        return connection

    def _end(self) -> None:
        with self._lock:
            for each in self._held:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    # The other side was quicker.
                    continue


class _Limited:
    """A connection that a limit holds from its first byte on: through the TLS handshake and the headers too."""

    def __init__(self, limit: Limit, *told: Any, **more: Any) -> None:
        self._limit = limit
        super().__init__(*told, **more)

    def _new_conn(self) -> socket.socket:
        made: socket.socket = super()._new_conn()  # type: ignore[misc]
        return self._limit.hold(made)


class _Plain(_Limited, HTTPConnection):
    """Over TCP."""


class _Sealed(_Limited, HTTPSConnection):
    """Over TLS."""


class PinnedAdapter(HTTPAdapter):
    """Connects to the address that was checked, whatever the name resolves to by now; TLS still proves the name."""

    def __init__(self, host: str, address: str, limit: Limit) -> None:
        self._host, self._address, self._limit = host, address, limit
        super().__init__(max_retries=0)

    def get_connection_with_tls_context(self, *told: Any, **more: Any) -> Any:
        """Have the connections held to the limit."""
        pool: Any = super().get_connection_with_tls_context(*told, **more)
        kind = _Sealed if pool.scheme == "https" else _Plain
        pool.ConnectionCls = partial(kind, self._limit)
        return pool

    def build_connection_pool_key_attributes(
        self, request: Any, verify: Any, cert: Any = None
    ) -> Any:
        """Put the address in the place of the name."""
        attributes: Any = super().build_connection_pool_key_attributes(
            request, verify, cert
        )
        place, tls = attributes
        place["host"] = self._address
        if place["scheme"] == "https":
            tls["server_hostname"] = tls["assert_hostname"] = self._host
            authorities = verify if isinstance(verify, str) else DEFAULT_CA_BUNDLE_PATH
            tls["ssl_context"] = trust(authorities, verify=bool(verify))
            tls.pop("ca_certs", None)
        return place, tls

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the authorities where they are: the shared context has read them."""
        conn.cert_reqs = "CERT_REQUIRED" if verify else "CERT_NONE"
