"""Takes what browsers report about the Content-Security-Policy: one log line each, bounded, nothing kept."""

import json
import logging
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from redis import RedisError  # what Django's cache raises when Redis is away

from adminset.body_limit import length_of

MOST_BYTES = 16 * 1024
MOST_IN_ONE = 10
logger = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def csp_report(request: HttpRequest) -> HttpResponse:
    """Note a violation; whatever is sent, the answer is 204: a browser can do nothing with another."""
    if length_of(request.headers.get("Content-Length", "")) <= MOST_BYTES:
        for report in _reports(request.read(MOST_BYTES))[:MOST_IN_ONE]:
            if _within_limit():
                _note(report)
    return HttpResponse(status=204)


def _reports(body: bytes) -> list[dict[str, Any]]:
    """Read both forms: {"csp-report": {...}} of report-uri, and the list of the Reporting API."""
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        return []
    listed = sent if isinstance(sent, list) else [sent]
    found = [
        each.get("csp-report") or each.get("body")
        for each in listed
        if isinstance(each, dict)
    ]
    return [each for each in found if isinstance(each, dict)]


def _within_limit() -> bool:
    try:
        cache.add("csp-reports", 0, 60)
        return cache.incr("csp-reports") <= settings.CSP_REPORTS_PER_MINUTE
    except (ValueError, RedisError, OSError):
        return False


def _note(report: dict[str, Any]) -> None:
    def said(*names: str) -> str:
        value = next((report[name] for name in names if report.get(name)), "")
        return str(value)[:200]

    # Addresses without their query: it may hold what somebody searched for.
    page = _split(said("document-uri", "documentURL")).path
    blocked = _split(said("blocked-uri", "blockedURL"))
    logger.warning(
        "the Content-Security-Policy stopped something: directive=%r page=%r blocked=%r",
        said("effective-directive", "effectiveDirective", "violated-directive"),
        page,
        blocked.netloc or blocked.path,
    )


def _split(address: str) -> SplitResult:
    """Take an address apart; one that is none ("http://[") has no parts."""
    try:
        return urlsplit(address)
    except ValueError:
        return SplitResult("", "?", "?", "", "")
