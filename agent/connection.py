"""HTTP(S) to one server over one kept-alive connection: the only file that opens one.

The standard library alone: a package for it would take a third of the agent's memory.
"""

import base64
import http.client
import ipaddress
import ssl
import time
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple
from urllib.parse import SplitResult, unquote, urlsplit

MOST_ANSWER_BYTES = 1 << 20
PART_BYTES = 16384
FAULTS = (OSError, ValueError, http.client.HTTPException)
# A kept-alive connection that the server closed meanwhile; sending again is harmless.
STALE = (ConnectionError, http.client.BadStatusLine, http.client.CannotSendRequest)


class Answer(NamedTuple):
    """Status, headers in small letters, and the whole body."""

    status: int
    headers: Dict[str, str]
    body: bytes


class Tls(NamedTuple):
    """Whose certificates are believed: those of `ca_file`, else those of the system."""

    ca_file: str
    verify: bool

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca_file or None)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


class Connection:
    """Opened when it is needed and again when it broke; not for two threads."""

    def __init__(
        self,
        server: str,
        tls: Tls,
        timeouts: Tuple[float, float],
        environ: Mapping[str, str],
    ) -> None:
        self.server = urlsplit(server)
        self.tls, self.timeouts = tls, timeouts
        self.proxy = proxy_for(self.server, environ)
        self.open: Optional[http.client.HTTPConnection] = None

    def post(self, path: str, headers: Dict[str, str], body: bytes) -> Answer:
        """Follows no redirect, inflates nothing; raises what stands in FAULTS."""
        kept = self.open is not None
        try:
            return self._post(path, headers, body)
        except STALE:
            if not kept:
                raise
            return self._post(path, headers, body)

    def _post(self, path: str, headers: Dict[str, str], body: bytes) -> Answer:
        try:
            connection = self.open = self.open or self._connect()
            target, extra = path, {}
            if self.proxy and self.server.scheme == "http":
                target = f"http://{self.server.netloc}{path}"
                extra = authorization(self.proxy)
            connection.request("POST", target, body, dict(headers, **extra))
            response = connection.getresponse()
            raw = bounded(response, 2 * self.timeouts[1])
        except BaseException:
            self.close()
            raise
        if response.will_close:
            self.close()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, raw)

    def _connect(self) -> http.client.HTTPConnection:
        place = self.proxy or self.server
        host, port = place.hostname or "", place.port
        if self.server.scheme == "http":
            made = http.client.HTTPConnection(host, port, timeout=self.timeouts[0])
        else:
            # Through a proxy the tunnel's own port counts, which is plain.
            port = port or (80 if self.proxy else 443)
            made = http.client.HTTPSConnection(
                host, port, timeout=self.timeouts[0], context=self.tls.context()
            )
            if self.proxy:
                name, number = self.server.hostname or "", self.server.port or 443
                made.set_tunnel(name, number, authorization(self.proxy))
        made.connect()
        made.sock.settimeout(self.timeouts[1])
        return made

    def close(self) -> None:
        if self.open is not None:
            self.open.close()
            self.open = None


def bounded(response: http.client.HTTPResponse, seconds: float) -> bytes:
    """The body, at most 1 MiB of it, in bounded time, and never inflated."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ValueError("the answer is compressed though nobody asked for it")
    parts: List[bytes] = []
    size, deadline = 0, time.monotonic() + seconds
    while True:
        part = response.read1(PART_BYTES)
        if not part:
            # Nothing is left of it: the connection is free for the next request.
            response.close()
            return b"".join(parts)
        size += len(part)
        if size > MOST_ANSWER_BYTES:
            raise ValueError(f"the answer is larger than {MOST_ANSWER_BYTES} bytes")
        if time.monotonic() > deadline:
            raise ValueError("the answer comes too slowly")
        parts.append(part)


def proxy_for(server: SplitResult, environ: Mapping[str, str]) -> Optional[SplitResult]:
    """The proxy that the environment names for this server; None for none."""
    if is_excepted(server.hostname or "", value(environ, "no_proxy")):
        return None
    text = value(environ, server.scheme + "_proxy") or value(environ, "all_proxy")
    if not text:
        return None
    parts = urlsplit(text if "://" in text else "http://" + text)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError("the proxy in the environment is not like http://proxy:3128")
    return parts


def value(environ: Mapping[str, str], name: str) -> str:
    return (environ.get(name) or environ.get(name.upper()) or "").strip()


def is_excepted(host: str, exceptions: str) -> bool:
    """By name, by the end of a name, by address or network, or by `*`."""
    for word in filter(None, (each.strip() for each in exceptions.split(","))):
        suffix = word.lower().lstrip("*").lstrip(".")
        if not suffix or host == suffix or host.endswith("." + suffix):
            return True
        if within(host, word):
            return True
    return False


def within(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except (ValueError, TypeError):
        return False


def authorization(proxy: Any) -> Dict[str, str]:
    """The header for a proxy with a user in its address."""
    if not proxy.username:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
