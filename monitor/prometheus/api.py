"""Endpoints for Prometheus and Grafana: remote write, and our own measurements."""

import hashlib
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from adminset import networks
from adminset.body_limit import length_of
from adminset.errors import DomainError
from adminset.middleware import client_address
from adminset.querysets import everywhere
from monitor.prometheus import counters, own_metrics, remote_write
from monitor.prometheus.authentication import AUTHENTICATION, Holds
from monitor.prometheus.hosts import WRITE
from monitor.prometheus.remote_write import Outcome
from monitor.prometheus.wire import BadWriteError, parse, unpack

SAID_ONCE_SECONDS = 3600
VIEW_PORTAL = "monitor.view_portalmetrics"


class AsIs(BaseContentNegotiation):
    """Answers in one format whatever the asker would rather have; a Prometheus asks for its own first."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Take the only one."""
        return next(iter(parsers), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        """Take the first."""
        return renderers[0], renderers[0].media_type


class Write(APIView):
    """Receives Prometheus' remote write, version 1."""

    permission = WRITE
    authentication_classes = AUTHENTICATION
    permission_classes = [Holds]
    content_negotiation_class = AsIs
    http_method_names = ["post", "options"]
    schema = None

    def post(self, request: Request) -> HttpResponse:
        """Store what is sent: 204; 400 with a sentence where something was left out, which Prometheus does not send again."""
        body = unpack(_body(request._request), settings.PROM_MAX_INFLATED_BYTES)
        written = parse(body, settings.PROM_MAX_SAMPLES)
        asker = _asker(request)
        outcome = remote_write.receive(user=request.user, asker=asker, request=written)
        counters.WRITTEN.labels("stored").inc(outcome.stored)
        for reason, count in outcome.left_out.items():
            counters.WRITTEN.labels(reason).inc(count)
        if to_say := _to_say(asker, outcome):
            raise DomainError(to_say, code="left_out", status=400)
        return HttpResponse(status=204)


def _mark(name: str) -> str:
    """Give hostile text as a part of a cache's key."""
    return hashlib.sha256(name.encode()).hexdigest()[:24]


def _asker(request: Request) -> str:
    """Name who speaks: one user may have tokens that reach differently far."""
    return f"{request.user.pk}:{getattr(request.auth, 'pk', 0)}"


def _body(request: HttpRequest) -> bytes:
    """Read the body, no more than may come."""
    if request.headers.get("Content-Encoding", "snappy").lower() != "snappy":
        raise BadWriteError("The Content-Encoding is not snappy.")
    if "v2" in request.headers.get("Content-Type", "").lower():
        raise DomainError(
            _("This is remote write version 2; the portal reads version 1."),
            _("Set protobuf_message to prometheus.WriteRequest."),
            status=415,
            code="bad_version",
        )
    most = settings.PROM_MAX_BODY_BYTES
    sent = length_of(request.headers.get("Content-Length", ""))
    body = b"" if sent > most else request.read(most + 1)
    if sent > most or len(body) > most:
        raise DomainError(
            _("The body is larger than %(most)s bytes.") % {"most": most},
            _("Lower max_samples_per_send in the queue_config of remote_write."),
            code="too_large",
            status=413,
        )
    return body


def _to_say(asker: str, outcome: Outcome) -> str:
    """Say what was left out, "" for what is not worth an error: an unknown host is told once an hour."""
    sentences = []
    for reason, count in sorted(outcome.left_out.items()):
        examples = outcome.examples.get(reason, [])
        if reason in remote_write.SILENT:
            continue
        if reason == remote_write.UNKNOWN_HOST and not _is_news(asker, examples):
            continue
        words = remote_write.SENTENCES[reason] % {"count": count}
        sentences.append(f"{words} ({', '.join(examples)})" if examples else words)
    return " ".join(f"{sentence}." for sentence in sentences)


def _is_news(asker: str, places: list[str]) -> bool:
    """Say whether one of some unknown hosts was not told of lately; now they all were."""
    marks = {f"prom:unknown:{asker}:{_mark(place)}": 1 for place in places}
    told = cache.get_many(marks)
    cache.set_many(marks, SAID_ONCE_SECONDS)
    return len(told) < len(marks)


class FromNetworkOrHolds(BasePermission):
    """Lets in who holds the view's permission everywhere, and whoever comes from a network that the settings name."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Ask for the network first: a Prometheus there needs no token."""
        address = client_address(request._request)
        if networks.holds(settings.OWN_METRICS_NETWORKS, address):
            return True
        # They are about the whole portal: a grant on some hosts does not open them.
        return everywhere(request.user, VIEW_PORTAL)


class OwnMetrics(APIView):
    """What the portal measures of itself, for Prometheus to scrape."""

    permission = VIEW_PORTAL
    authentication_classes = AUTHENTICATION
    permission_classes = [FromNetworkOrHolds]
    content_negotiation_class = AsIs
    http_method_names = ["get", "head", "options"]
    schema = None

    def get(self, request: Request) -> HttpResponse:
        """Give them in the format that is asked for: Prometheus' text, or OpenMetrics."""
        text, content_type = own_metrics.written(request.headers.get("Accept", ""))
        return HttpResponse(text, content_type=content_type)
