"""Asks a web server: status, text, latency; redirects only where they are wanted, each looked at like the first address."""

import time
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.utils.translation import gettext as _

from adminset import outbound
from adminset.outbound import Answer, OutboundError
from monitor import check_texts
from monitor.checks.aim import Aim, aim_of, same_place, url_of
from monitor.checks.verdicts import Outcome
from monitor.models import ServiceCheck, State

MOST_REDIRECTS = 5
REDIRECTS = {301, 302, 303, 307, 308}


def ask(check: ServiceCheck) -> Outcome:
    """Ask once.

    Raises:
        DomainError: the address is refused, or nobody answers in time.
    """
    aim = aim_of(check)
    begun = time.monotonic()
    answer = _answer(check, aim, begun)
    latency = (time.monotonic() - begun) * 1000
    return weigh(check, answer, latency)


def _answer(check: ServiceCheck, aim: Aim, begun: float) -> Answer:
    """Follow redirects as far as the check wants; a check of a host never leaves it, secrets never leave their place."""
    first = url = url_of(check, aim)
    method, headers = str(check.method), headers_of(check)
    for _number in range(MOST_REDIRECTS + 1):
        left = begun + check.timeout_seconds - time.monotonic()
        sent = headers if same_place(first, url) else {}
        reach = aim.reach(check, left)
        answer = outbound.fetch(method, url, headers=sent, reach=reach)
        if not (check.follow_redirects and answer.status in REDIRECTS):
            return answer
        url = urljoin(url, answer.headers.get("Location", ""))
        _stay(aim, url)
        method = method if answer.status in {307, 308} or method == "HEAD" else "GET"
    raise OutboundError(
        _("It redirects more than %(most)s times.") % {"most": MOST_REDIRECTS},
        code="outbound_redirects",
    )


def _stay(aim: Aim, url: str) -> None:
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    if aim.address and host not in {aim.host.lower(), aim.address}:
        raise OutboundError(
            _("It redirects away from the host, to %(host)s.") % {"host": host[:100]},
            code="outbound_redirects",
        )


def headers_of(check: ServiceCheck) -> dict[str, str]:
    """Give the headers to send, the secret one too."""
    found = check_texts.read_headers(check.headers)
    secret: Any = check.secret_header
    if secret:
        found |= check_texts.read_headers(secret.reveal())
    return found


def weigh(check: ServiceCheck, answer: Answer, latency: float) -> Outcome:
    """Say what an answer is worth."""
    said = {"status": answer.status, "ms": f"{latency:.0f}"}
    ranges = check_texts.read_statuses(check.statuses)
    if not any(low <= answer.status <= high for low, high in ranges):
        words = _("It answered with status %(status)s after %(ms)s ms.")
        return Outcome(State.DOWN, words % said, latency)
    if check.text and (check.text.encode() in answer.body) == check.text_absent:
        words = (
            _("Its answer contains the text that must be missing.")
            if check.text_absent
            else _("Its answer does not contain the text.")
        )
        return Outcome(State.DOWN, words, latency)
    return timed(
        check, latency, _("It answered with status %(status)s in %(ms)s ms.") % said
    )


def timed(check: ServiceCheck, latency: float, sentence: str) -> Outcome:
    """Say that it answered: up, or degraded where that took too long."""
    limit = check.latency_limit_ms
    if limit is not None and latency > limit:
        words = _("It answered after %(ms)s ms, more than %(limit)s ms.")
        said = words % {"ms": f"{latency:.0f}", "limit": limit}
        return Outcome(State.DEGRADED, said, latency)
    return Outcome(State.UP, sentence, latency)
