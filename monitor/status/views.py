"""The status page as readers see it, and its badge."""

import unicodedata
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from monitor.models import State, StatusPage
from monitor.status.content import content_of, is_open, page_of

SENTENCES = {
    State.UP: _("All services run."),
    State.DEGRADED: _("Some services are slow."),
    State.DOWN: _("Some services are down."),
    State.UNKNOWN: _("Nothing is known at the moment."),
}
COLOURS = {
    State.UP: "#17713f",
    State.DEGRADED: "#835400",
    State.DOWN: "#b3202f",
    State.UNKNOWN: "#53606d",
}
# Pixels of a character of the badge, of a Chinese one, and of the room beside the text.
NARROW, WIDE, ROOM = 7, 12, 12
LONGEST_LABEL = 40


@require_safe
def status_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a page to anybody where it is public, else to those who are signed in."""
    page = find_page(request, slug)
    if page is None:
        return redirect_to_login(request.get_full_path())
    content = content_of(page)
    context = {
        "page_title": content["title"],
        "content": content,
        "words": SENTENCES[content["state"]],
    }
    answer = render(request, "monitor/status_page.html", context)
    return _cached(answer, shared=False)


@require_safe
def status_badge(request: HttpRequest, slug: str) -> HttpResponse:
    """Draw the state of the whole page as a small picture."""
    page = find_page(request, slug)
    if page is None:
        return redirect_to_login(request.get_full_path())
    content = content_of(page)
    context = badge_of(content["title"][:LONGEST_LABEL], content["state"])
    kind = "image/svg+xml"
    answer = render(request, "monitor/status_badge.svg", context, content_type=kind)
    return _cached(answer, shared=is_open(page))


def find_page(request: HttpRequest, slug: str) -> StatusPage | None:
    """Get a page that this reader may see; a visitor does not learn whether there is another one.

    Raises:
        Http404: there is none, said to those who are signed in.
    """
    page = page_of(slug)
    if request.user.is_authenticated:
        if page is None:
            raise Http404
        return page
    return page if page is not None and is_open(page) else None


def badge_of(label: str, state: str) -> dict[str, Any]:
    """Give what the picture is drawn from; lengths in pixels."""
    word = str(State(state).label)
    left, right = _width(label), _width(word)
    return {
        "label": label,
        "word": word,
        "colour": COLOURS[State(state)],
        "left": left,
        "right": right,
        "whole": left + right,
        "label_at": left / 2,
        "word_at": left + right / 2,
    }


def _width(text: str) -> int:
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return ROOM + wide * WIDE + (len(text) - wide) * NARROW


def _cached(answer: HttpResponse, *, shared: bool) -> HttpResponse:
    """Let the reader's browser keep it as long as we do; others on the way only what bears no token of a form."""
    kept = {"public" if shared else "private": True}
    patch_cache_control(answer, max_age=settings.STATUS_PAGE_SECONDS, **kept)
    patch_vary_headers(answer, ["Cookie", "Accept-Language"])
    return answer
