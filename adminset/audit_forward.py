"""Sends new lines of the audit trail to a SIEM's syslog receiver; a line counts as sent only when the receiver had it."""

import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from adminset import audit_export
from adminset.audit_verify import Witness
from adminset.models import AuditEntry, PortalSwitch

# PortalSwitch keeps how far the receiver is: {"position", "seal"}.
SWITCH = "audit_syslog"
BATCH = 500
# What one call sends at most; the next one, ten seconds later, goes on.
MOST = 10_000
TIMEOUT_SECONDS = 5


@dataclass(frozen=True)
class Receiver:
    """Where lines go."""

    scheme: str
    host: str
    port: int


def receiver() -> Receiver | None:
    """Read ADMINSET_AUDIT_SYSLOG; None where lines are not forwarded.

    Raises:
        ImproperlyConfigured: it is no address of a receiver.
    """
    if not settings.AUDIT_SYSLOG:
        return None
    parts = urlsplit(settings.AUDIT_SYSLOG)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if parts.scheme not in {"udp", "tcp", "tls"} or not host or not port:
        raise ImproperlyConfigured(
            f"ADMINSET_AUDIT_SYSLOG is {settings.AUDIT_SYSLOG!r}; wanted: udp://host:port, tcp://host:port or tls://host:port."
        )
    return Receiver(parts.scheme, host, port)


def forward() -> int:
    """Send what the receiver has not had yet; give how many lines.

    A receiver that is away costs nothing: the place is kept, and the next call begins there again.

    Raises:
        OSError: the receiver could not be reached or did not take all.
    """
    where = receiver()
    if where is None:
        return 0
    row, _made = PortalSwitch.objects.get_or_create(name=SWITCH)
    sent = 0
    while sent < MOST:
        after = int(row.value.get("position", 0))
        batch = list(audit_export.chained(after, BATCH))
        if not batch:
            break
        send(where, batch)
        last = batch[-1]
        row.value = {"position": last.position, "seal": last.seal}
        row.save()
        sent += len(batch)
    return sent


def send(where: Receiver, entries: Iterable[AuditEntry]) -> None:
    """Send some lines: a datagram each, or one connection with counted messages (RFC 6587).

    Raises:
        OSError: see `forward`.
    """
    messages = [audit_export.as_syslog(entry) for entry in entries]
    if where.scheme == "udp":
        _send_datagrams(where, messages)
        return
    counted = b"".join(b"%d %b" % (len(each), each) for each in messages)
    address = (where.host, where.port)
    with socket.create_connection(address, timeout=TIMEOUT_SECONDS) as plain:
        if where.scheme == "tcp":
            _send_all(plain, counted)
        else:
            trust = ssl.create_default_context(cafile=settings.OUTBOUND_CA_FILE or None)
            with trust.wrap_socket(plain, server_hostname=where.host) as sealed:
                _send_all(sealed, counted)


def _send_datagrams(where: Receiver, messages: list[bytes]) -> None:
    family, kind, protocol, _name, address = socket.getaddrinfo(
        where.host, where.port, type=socket.SOCK_DGRAM
    )[0]
    with socket.socket(family, kind, protocol) as out:
        out.connect(address)
        for message in messages:
            out.send(message)


def _send_all(out: socket.socket, data: bytes) -> None:
    """Send, say that this was all, and wait until the receiver has read it and closes: a written socket proves nothing."""
    out.sendall(data)
    if isinstance(out, ssl.SSLSocket):
        # Closed without the farewell of TLS is fine: one that had not read everything would have reset.
        with suppress(ssl.SSLEOFError):
            out.unwrap()
        return
    out.shutdown(socket.SHUT_WR)
    while out.recv(4096):
        pass


def witness() -> list[Witness]:
    """Give what the cursor knows of the chain: the receiver has seen this seal."""
    row = PortalSwitch.objects.filter(name=SWITCH).first()
    position = int(row.value.get("position", 0)) if row else 0
    if not row or not position:
        return []
    return [Witness(position, row.value.get("seal", ""), "The SIEM's cursor")]
