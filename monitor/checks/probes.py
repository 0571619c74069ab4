"""Asks a service once and says what came of it; never raises, never writes."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta

import dns.exception
import dns.resolver
import icmplib
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import outbound
from adminset.errors import DomainError
from cmdb import certificates
from cmdb.facts import plain_text
from monitor.checks import agent_probes, http_probe
from monitor.checks.aim import aim_of
from monitor.checks.http_probe import timed
from monitor.checks.verdicts import Outcome
from monitor.models import ServiceCheck, State

logger = logging.getLogger(__name__)
HTTPS, DNS = 443, 53
# What the check itself is at fault for: nothing is said of the service.
NOT_ASKED = {"outbound_refused", "outbound_address", "not_answerable"}
LONGEST = 500


def probe(check: ServiceCheck) -> Outcome:
    """Ask once."""
    try:
        outcome = PROBES[check.kind](check)
    except DomainError as error:
        state = State.UNKNOWN if error.code in NOT_ASKED else State.DOWN
        outcome = Outcome(state, _words(error))
    except ValidationError as error:
        outcome = Outcome(State.UNKNOWN, " ".join(error.messages))
    except Exception as error:
        # What a server sends is no reason to stop asking the others.
        logger.exception("check %s could not be asked", check.pk)
        words = _("It could not be asked: %(why)s.") % {"why": type(error).__name__}
        outcome = Outcome(State.UNKNOWN, words)
    return Outcome(
        outcome.state, plain_text(str(outcome.sentence), LONGEST), outcome.latency_ms
    )


def _words(error: DomainError) -> str:
    if error.code == "outbound_refused":
        hint = _(
            "If it is meant to, add the network to ADMINSET_CHECK_ALLOWED_NETWORKS."
        )
        return f"{error.message} {hint}"
    return str(error.message)


def no_address() -> DomainError:
    """Say that a check has nowhere to go."""
    return DomainError(
        _("The check has no target, and its host has no management address."),
        code="not_answerable",
    )


def _place(check: ServiceCheck) -> tuple[str, str]:
    """Give (name, address to connect to), allowed."""
    aim = aim_of(check)
    if not aim.host:
        raise no_address()
    reach = aim.reach(check, check.timeout_seconds)
    return aim.host, outbound.reachable(aim.host, check.port or 0, reach)


def _ping(check: ServiceCheck) -> Outcome:
    _host, address = _place(check)
    try:
        found = icmplib.ping(
            address,
            count=2,
            interval=0.2,
            timeout=check.timeout_seconds / 2,
            privileged=False,
        )
    except icmplib.SocketPermissionError:
        words = _(
            "The portal may not ping from here: set net.ipv4.ping_group_range to its group, or check a TCP port."
        )
        return Outcome(State.UNKNOWN, words)
    except icmplib.ICMPLibError as error:
        words = _("It could not be pinged: %(why)s.") % {"why": type(error).__name__}
        return Outcome(State.DOWN, words)
    if not found.is_alive:
        return Outcome(State.DOWN, _("It does not answer to ping."))
    words = _("It answered to ping in %(ms)s ms.") % {"ms": f"{found.avg_rtt:.1f}"}
    return timed(check, found.avg_rtt, words)


def _tcp(check: ServiceCheck) -> Outcome:
    aim = aim_of(check)
    if not aim.host:
        raise no_address()
    begun = time.monotonic()
    outbound.open_port(
        aim.host, check.port or 0, aim.reach(check, check.timeout_seconds)
    )
    latency = (time.monotonic() - begun) * 1000
    words = _("It took a connection on port %(port)s in %(ms)s ms.")
    return timed(check, latency, words % {"port": check.port, "ms": f"{latency:.0f}"})


def _http(check: ServiceCheck) -> Outcome:
    if not aim_of(check).host:
        raise no_address()
    return http_probe.ask(check)


def _certificate(check: ServiceCheck) -> Outcome:
    aim = aim_of(check)
    if not aim.host:
        raise no_address()
    reach = aim.reach(check, check.timeout_seconds)
    begun = time.monotonic()
    shown = outbound.shown_certificate(aim.host, check.port or HTTPS, reach=reach)
    latency = (time.monotonic() - begun) * 1000
    left = certificates.read_der(shown.der).not_after - timezone.now()
    if shown.problem and check.verify_tls:
        words = _("Its certificate is not trusted: %(why)s.") % {"why": shown.problem}
        return Outcome(State.DOWN, words, latency)
    return _days_left(check, left, latency)


def _days_left(check: ServiceCheck, left: timedelta, latency: float) -> Outcome:
    if left < timedelta():
        return Outcome(State.DOWN, _("Its certificate has expired."), latency)
    words = _("Its certificate ends in %(days)s days.") % {"days": left.days}
    state = State.UP
    if left < timedelta(days=check.bad_days):
        state = State.DOWN
    elif left < timedelta(days=check.warn_days):
        state = State.DEGRADED
    return Outcome(state, words, latency)


def _dns(check: ServiceCheck) -> Outcome:
    aims = bool(aim_of(check).host)
    if not aims and check.host is not None:
        # Never the portal's own resolver in its place: that one is for those who may aim freely.
        raise no_address()
    resolver = dns.resolver.Resolver(configure=not aims)
    if aims:
        _name, address = _place(check)
        resolver.nameservers, resolver.port = [address], check.port or DNS
    begun = time.monotonic()
    try:
        answer = resolver.resolve(
            check.query_name,
            check.record_type,
            lifetime=check.timeout_seconds,
            search=False,
        )
    except dns.exception.DNSException as error:
        words = _("The DNS has no such answer: %(why)s.")
        return Outcome(State.DOWN, words % {"why": type(error).__name__})
    latency = (time.monotonic() - begun) * 1000
    return _compare(check, [record.to_text() for record in answer], latency)


def _compare(check: ServiceCheck, records: list[str], latency: float) -> Outcome:
    listed = ", ".join(sorted(records)[:5])
    wanted = _plain(check.expected)
    if wanted and wanted not in {_plain(record) for record in records}:
        words = _("The DNS answers %(records)s, not what is expected.")
        return Outcome(State.DOWN, words % {"records": listed}, latency)
    words = _("The DNS answers %(records)s.") % {"records": listed}
    return timed(check, latency, words)


def _plain(record: str) -> str:
    """Write a record one way: without quotes, dot at the end, upper case."""
    return record.strip().strip('"').removesuffix(".").lower()


PROBES: dict[str, Callable[[ServiceCheck], Outcome]] = {
    ServiceCheck.Kind.PING: _ping,
    ServiceCheck.Kind.TCP: _tcp,
    ServiceCheck.Kind.HTTP: _http,
    ServiceCheck.Kind.CERTIFICATE: _certificate,
    ServiceCheck.Kind.DNS: _dns,
    ServiceCheck.Kind.PORT: agent_probes.port,
    ServiceCheck.Kind.PROCESS: agent_probes.process,
}


def too_long(check: ServiceCheck) -> Outcome:
    """Say that a question did not come back at all."""
    words = _("It did not end within %(seconds)s s.")
    seconds = check.timeout_seconds + settings.CHECK_PATIENCE_SECONDS
    return Outcome(State.DOWN, words % {"seconds": seconds})
