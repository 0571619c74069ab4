"""The part of Prometheus' HTTP API that Grafana's data source asks, below /api/prom/api/v1/."""

import math
import re
import time
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpResponse, QueryDict
from msgspec import json
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.views import APIView

from adminset.errors import DomainError
from monitor.prometheus import counters, query
from monitor.prometheus.api import AsIs
from monitor.prometheus.authentication import AUTHENTICATION, Holds
from monitor.prometheus.faults import BadQueryError
from monitor.prometheus.hosts import LOOK
from monitor.prometheus.metadata import metadata
from monitor.prometheus.selection import Steps
from monitor.prometheus.turns import turns

# Series and labels are looked for in so long, unless the asker says from when.
USUAL_SECONDS = 3600
DURATION = re.compile(r"(?:[0-9]+(?:ms|[smhdwy]))+")
PART = re.compile(r"([0-9]+)(ms|[smhdwy])")
SECONDS = {
    "ms": 0.001,
    "s": 1,
    "m": 60,
    "h": 3600,
    "d": 86_400,
    "w": 7 * 86_400,
    "y": 365 * 86_400,
}
# Until the year 9999.
LATEST = 253_402_300_799


class Endpoint(ABC, APIView):
    """What they share: who may ask, by GET or by a form, and errors as Prometheus words them."""

    permission = LOOK
    authentication_classes = AUTHENTICATION
    permission_classes = [Holds]
    content_negotiation_class = AsIs
    parser_classes = [FormParser]
    http_method_names = ["get", "post", "options"]
    schema = None
    # Whether an answer takes a look at the store, and so a turn.
    asks_store = True

    @abstractmethod
    def answer(self, asked: "Asked", **parts: str) -> Any:
        """Give what stands under "data"."""

    def get(self, request: Request, **parts: str) -> HttpResponse:
        """Answer, or say why not."""
        try:
            with self._turn(request):
                data = self.answer(Asked(request), **parts)
        except DomainError as error:
            counters.QUERIES.labels(error.code).inc()
            return _told(error)
        counters.QUERIES.labels("answered").inc()
        return _json({"status": "success", "data": data}, 200)

    def _turn(self, request: Request) -> AbstractContextManager[None]:
        if self.asks_store:
            return turns().turn(request.user.pk or 0)
        return nullcontext()

    def post(self, request: Request, **parts: str) -> HttpResponse:
        """Answer the same: long queries come as a form."""
        return self.get(request, **parts)


def _told(error: DomainError) -> HttpResponse:
    words = f"{error.message} {error.hint}".strip()
    kind = getattr(error, "kind", "unavailable" if error.status == 503 else "bad_data")
    answer = _json({"status": "error", "errorType": kind, "error": words}, error.status)
    if error.retry_after:
        answer["Retry-After"] = str(error.retry_after)
    return answer


def _json(content: Any, status: int) -> HttpResponse:
    answer = HttpResponse(
        json.encode(content), status=status, content_type="application/json"
    )
    answer["Cache-Control"] = "private, no-store"
    return answer


class Asked:
    """The parameters of a request, wherever they stand."""

    def __init__(self, request: Request) -> None:
        self.user = request.user
        self._form: QueryDict = QueryDict()
        if request.method == "POST" and isinstance(request.data, QueryDict):
            self._form = request.data
        self._query = request.query_params

    def text(self, name: str, default: str | None = None) -> str:
        """Give a parameter.

        Raises:
            BadQueryError: it is missing, and there is no default.
        """
        found = self._form.get(name) or self._query.get(name) or default
        if found is None:
            raise BadQueryError(f"The parameter {name} is missing.")
        return str(found)

    def texts(self, name: str) -> list[str]:
        """Give a parameter that may come several times."""
        return [*self._form.getlist(name), *self._query.getlist(name)][:20]

    def moment(self, name: str, default: float | None = None) -> float:
        """Give a moment: Unix seconds or RFC 3339.

        Raises:
            BadQueryError: it is neither.
        """
        text = self.text(name, "" if default is not None else None)
        return moment_of(text, name) if text else float(default or 0)

    def steps(self, *, start: float | None = None, end: float | None = None) -> Steps:
        """Give the time that is asked for, without a step."""
        steps = Steps(self.moment("start", start), self.moment("end", end))
        if steps.end < steps.start:
            raise BadQueryError("The end lies before the start.")
        return steps


def moment_of(text: str, name: str) -> float:
    """Read a moment; raises BadQueryError."""
    try:
        found = float(text)
    except ValueError:
        try:
            found = datetime.fromisoformat(text).timestamp()
        except (ValueError, OverflowError):
            found = math.nan
    if not 0 <= found <= LATEST:
        raise BadQueryError(f"{name} is no moment: give Unix seconds or RFC 3339.")
    return found


def seconds_of(text: str, name: str) -> float:
    """Read a length of time ("15" or "1m30s"); raises BadQueryError."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
        if DURATION.fullmatch(text) and len(text) < 50:
            parts = PART.findall(text)
            found = math.fsum(int(number) * SECONDS[unit] for number, unit in parts)
    if not 0 < found <= LATEST:
        raise BadQueryError(f"{name} is no length of time above zero.")
    return found


class Query(Endpoint):
    """An expression at one moment."""

    def answer(self, asked: Asked, **parts: str) -> Any:
        """Evaluate it."""
        return query.instant(
            asked.user, asked.text("query"), asked.moment("time", time.time())
        )


class QueryRange(Endpoint):
    """An expression over time."""

    def answer(self, asked: Asked, **parts: str) -> Any:
        """Evaluate it."""
        text, steps = asked.text("query"), asked.steps()
        step = seconds_of(asked.text("step"), "step")
        return query.over_time(asked.user, text, Steps(steps.start, steps.end, step))


class Series(Endpoint):
    """Which series there are."""

    def answer(self, asked: Asked, **parts: str) -> Any:
        """List them."""
        selectors = asked.texts("match[]")
        if not selectors:
            raise BadQueryError("The parameter match[] is missing.")
        return query.series(asked.user, selectors, _lately(asked))


class Labels(Endpoint):
    """Which labels there are."""

    def answer(self, asked: Asked, **parts: str) -> Any:
        """List their names."""
        return query.label_names(asked.user, asked.texts("match[]"), _lately(asked))


class LabelValues(Endpoint):
    """Which values a label has."""

    http_method_names = ["get", "options"]

    def answer(self, asked: Asked, **parts: str) -> Any:
        """List them."""
        return query.label_values(
            asked.user, parts["name"], asked.texts("match[]"), _lately(asked)
        )


class Metadata(Endpoint):
    """What the metrics are."""

    asks_store = False
    http_method_names = ["get", "options"]

    def answer(self, asked: Asked, **parts: str) -> Any:
        """Tell."""
        most = asked.text("limit", "10000")
        if not (most.isascii() and most.isdecimal() and len(most) < 9):
            raise BadQueryError("limit is no number.")
        return metadata(asked.text("metric", ""), int(most))


class BuildInfo(Endpoint):
    """What Grafana asks to learn which features there are."""

    asks_store = False
    http_method_names = ["get", "options"]

    def answer(self, asked: Asked, **parts: str) -> Any:
        """Name the Prometheus whose API this is a part of; the application says who we are."""
        return {
            "version": "2.42.0",
            "revision": "",
            "branch": "",
            "buildUser": "",
            "buildDate": "",
            "goVersion": "",
            "application": "AdminSet",
        }


def _lately(asked: Asked) -> Steps:
    """Give the time in which series are looked for: what is asked, no longer than single samples are kept."""
    now = time.time()
    steps = asked.steps(start=now - USUAL_SECONDS, end=now)
    longest = settings.METRICS_RAW_HOURS * 3600
    return Steps(max(steps.start, steps.end - longest), steps.end)
