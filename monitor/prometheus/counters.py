"""What this process counts for its own /metrics: requests, and what the intake of measurements did."""

import time
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Mapping

from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

REQUESTS = Counter(
    "adminset_http_requests",
    "Requests answered by this process.",
    ["room", "method", "status"],
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "adminset_http_request_seconds",
    "How long this process took to answer.",
    ["room"],
    buckets=BUCKETS,
    registry=REGISTRY,
)
IN_PROGRESS = Gauge(
    "adminset_http_requests_in_progress",
    "Requests that this process answers now.",
    registry=REGISTRY,
)
REPORTS = Counter(
    "adminset_agent_reports",
    "Reports of agents answered by this process.",
    ["kind", "status"],
    registry=REGISTRY,
)
REPORT_SECONDS = Histogram(
    "adminset_agent_report_seconds",
    "How long this process took to answer a report.",
    ["kind"],
    buckets=BUCKETS,
    registry=REGISTRY,
)
SAMPLES = Counter(
    "adminset_agent_samples",
    "Samples of agents by what became of them.",
    ["result"],
    registry=REGISTRY,
)
LEFT_OUT = Counter(
    "adminset_agent_left_out",
    "What of agents' reports was not kept: values that cannot be true, and parts beyond a limit, by kind.",
    ["kind"],
    registry=REGISTRY,
)
CLOCKS = Counter(
    "adminset_agent_clocks_corrected",
    "How often this process began to move the samples of a host because its clock is off.",
    registry=REGISTRY,
)
WRITTEN = Counter(
    "adminset_remote_write_samples",
    "Samples of Prometheus' remote write by what became of them.",
    ["result"],
    registry=REGISTRY,
)
QUERIES = Counter(
    "adminset_prometheus_queries",
    "Queries in PromQL by how they ended.",
    ["result"],
    registry=REGISTRY,
)
# Anything else as a method is somebody's joke, and each would be a series.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

KINDS = frozenset(
    {"mounts", "interfaces", "disks", "containers", "custom", "tables", "rows"}
    | {"names", "hour_full"}
)

Answer = Callable[[HttpRequest], HttpResponse]


def count_requests(get_response: Answer) -> Answer:
    """Count each request and how long it took, by the room of its url; a middleware."""

    def middleware(request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        with IN_PROGRESS.track_inprogress():
            answer = get_response(request)
        room = room_of(request)
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(room, method, str(answer.status_code)).inc()
        REQUEST_SECONDS.labels(room).observe(time.perf_counter() - began)
        return answer

    return middleware


def count_report(kind: str, status: int, seconds: float) -> None:
    """Count a report of an agent that was answered before Django was asked.

    Args:
        kind: "metrics" or "facts".
    """
    REPORTS.labels(kind, str(status)).inc()
    REPORT_SECONDS.labels(kind).observe(seconds)


def count_samples(statuses: Iterable[str]) -> None:
    """Count what became of the samples of a report."""
    for result, count in Tally(statuses).items():
        SAMPLES.labels(result).inc(count)


def count_left_out(implausible: int, left_out: Mapping[str, int]) -> None:
    """Count what was not kept of a report; kinds that only an agent knows are counted together."""
    if implausible:
        LEFT_OUT.labels("implausible").inc(implausible)
    for kind, count in left_out.items():
        LEFT_OUT.labels(kind if kind in KINDS else "other").inc(count)


def room_of(request: HttpRequest) -> str:
    """Name the part of the portal that a request was for: bounded, whatever was asked."""
    match = request.resolver_match
    if match is None:
        return "none"
    return (match.namespaces or ["portal"])[0]
