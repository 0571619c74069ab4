"""The one door for requests of ours to the outside: no way into our own networks, no redirect, no endless answer (SSRF guard)."""

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from adminset.outbound_connection import Limit, PinnedAdapter
from adminset.outbound_reach import OUTSIDE, Reach, is_allowed

CHUNK_BYTES = 16 * 1024
# Whoever switches the proof of a name off knows it: a warning at each request says nothing more.
urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)


class OutboundError(DomainError):
    """A request to the outside that was refused or failed."""

    status = 502


@dataclass(frozen=True)
class Answer:
    """What came back: status, headers, and at most OUTBOUND_MAX_BYTES of body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class ShownCertificate:
    """What a TLS server showed: its certificate (DER), and why it is not to be trusted ("" when it is)."""

    der: bytes
    problem: str


def post_json(
    url: str, payload: Any, *, headers: Mapping[str, str] | None = None
) -> Answer:
    """Send JSON; anything but a 2xx is an error.

    Raises:
        OutboundError: refused, unreachable, or answered otherwise.
    """
    answer = fetch("POST", url, json=payload, headers=headers)
    if not 200 <= answer.status < 300:
        raise OutboundError(
            _("%(host)s answered with status %(status)s.")
            % {"host": urlsplit(url).hostname, "status": answer.status},
            code="outbound_status",
        )
    return answer


def fetch(
    method: str,
    url: str,
    *,
    json: Any = None,
    data: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    reach: Reach = OUTSIDE,
) -> Answer:
    """Do one request. Redirects are answers like others: nobody is led on to a place that was not checked.

    Raises:
        OutboundError: the address is not allowed, nobody answers in time, or the answer is too long.
    """
    host, address = checked(url, reach)
    sent = {"User-Agent": "AdminSet", **(headers or {}), "Host": urlsplit(url).netloc}
    limit = Limit(reach.patience)
    try:
        with limit, _session(host, address, limit) as session:
            answer = session.request(
                method,
                url,
                json=json,
                data=data,
                headers=sent,
                timeout=reach.patience,
                allow_redirects=False,
                stream=True,
                verify=reach.verify and (settings.OUTBOUND_CA_FILE or True),
            )
            with answer:
                body = _read(answer, limit, cut=reach.cut)
    except requests.RequestException as error:
        # The library's own words may repeat the whole address, and a web-hook's address is often its secret.
        raise OutboundError(
            _("%(host)s could not be asked: %(why)s.")
            % {"host": host, "why": limit.name_of(error)},
            _("See that the address is right and can be reached from the portal."),
            code="outbound_failed",
        ) from None
    return Answer(answer.status_code, answer.headers, body)


def _session(host: str, address: str, limit: Limit) -> requests.Session:
    made = requests.Session()
    made.trust_env = False  # no proxy and no .netrc of the machine
    for scheme in ("http://", "https://"):
        made.mount(scheme, PinnedAdapter(host, address, limit))
    return made


def checked(url: str, reach: Reach = OUTSIDE) -> tuple[str, str]:
    """Say where a request would go: (host name, address to connect to), resolved once.

    Raises:
        OutboundError: no plain http(s) address, an unknown name, or one that leads into a network that is not allowed.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None:
        raise OutboundError(
            _("This is no address that the portal can ask."),
            _("Write http:// or https://, a host, and no user name or password."),
            code="outbound_address",
        )
    port = port or (443 if parts.scheme == "https" else 80)
    return host, reachable(host, port, reach)


def reachable(host: str, port: int, reach: Reach = OUTSIDE) -> str:
    """Give the address behind a name, resolved once, if the portal may go to every one of them.

    Raises:
        OutboundError: an unknown name, or one that leads into a network that is not allowed.
    """
    addresses = [reach.address] if reach.address else _resolve(host, port)
    for address in addresses:
        if not is_allowed(address, reach.networks):
            raise OutboundError(
                _("%(host)s leads to %(address)s, where the portal may not go.")
                % {"host": host, "address": address},
                _(
                    "If it is meant to, add the network to ADMINSET_OUTBOUND_ALLOWED_NETWORKS."
                ),
                code="outbound_refused",
            )
    return addresses[0]


def shown_certificate(
    host: str, port: int, server_name: str = "", reach: Reach = OUTSIDE
) -> ShownCertificate:
    """Ask a TLS server for its certificate: also one that is not to be trusted is read, and what is wrong with it said.

    Nothing is sent but the handshake, and nothing that comes back is believed.

    Args:
        server_name: name to ask for and to prove; default: the host.

    Raises:
        OutboundError: the host is not allowed, or no TLS server answers in time.
    """
    address, name = reachable(host, port, reach), server_name or host
    limit = Limit(reach.patience)
    try:
        with limit:
            return _shown((address, port), name, limit)
    except (OSError, ValueError) as error:
        raise _no_handshake(host, port, limit.name_of(error)) from None


def _shown(place: tuple[str, int], name: str, limit: Limit) -> ShownCertificate:
    trust = ssl.create_default_context(cafile=settings.OUTBOUND_CA_FILE or None)
    try:
        return ShownCertificate(_handshake(trust, place, name, limit), "")
    except ssl.SSLCertVerificationError as error:
        problem = str(error.verify_message)
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    return ShownCertificate(_handshake(trust, place, name, limit), problem)


def open_port(host: str, port: int, reach: Reach = OUTSIDE) -> None:
    """Open a connection and close it again, without a word.

    Raises:
        OutboundError: the host is not allowed, or nobody listens there.
    """
    address = reachable(host, port, reach)
    try:
        socket.create_connection((address, port), timeout=reach.patience).close()
    except OSError as error:
        raise OutboundError(
            _("%(host)s takes no connection on port %(port)s: %(why)s.")
            % {"host": host, "port": port, "why": type(error).__name__},
            code="outbound_failed",
        ) from None


def _handshake(
    trust: ssl.SSLContext, place: tuple[str, int], name: str, limit: Limit
) -> bytes:
    with (
        socket.create_connection(place, timeout=limit.left) as plain,
        trust.wrap_socket(limit.hold(plain), server_hostname=name) as sealed,
    ):
        return sealed.getpeercert(binary_form=True) or b""


def _no_handshake(host: str, port: int, why: str) -> OutboundError:
    return OutboundError(
        _("%(host)s shows no certificate on port %(port)s: %(why)s.")
        % {"host": host, "port": port, "why": why},
        _("See that a TLS server listens there and can be reached from the portal."),
        code="outbound_no_tls",
    )


def _resolve(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OutboundError(
            _("The name %(host)s cannot be resolved.") % {"host": host},
            _("See that it is spelled right and that the portal's DNS knows it."),
            code="outbound_unknown_host",
        ) from error
    return [str(entry[4][0]) for entry in found]


def _read(answer: requests.Response, limit: Limit, *, cut: bool) -> bytes:
    body = b""
    for chunk in answer.iter_content(CHUNK_BYTES):
        body += chunk
        if cut and len(body) >= settings.OUTBOUND_MAX_BYTES:
            return body[: settings.OUTBOUND_MAX_BYTES]
        if len(body) > settings.OUTBOUND_MAX_BYTES:
            raise OutboundError(
                _("The answer is longer than %(most)s bytes.")
                % {"most": settings.OUTBOUND_MAX_BYTES},
                code="outbound_too_long",
            )
    # A connection that we ended looks like an answer that came to its end.
    if limit.is_over:
        raise requests.Timeout
    return body
