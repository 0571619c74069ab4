"""The pages of what expires: the list, the month, the calendar file, the home card."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from adminset import audit
from adminset.http import requires
from adminset.navigation import tabs_for
from cmdb import expiry, icalendar
from cmdb.columns import state_of
from cmdb.expiry import Asked, End, Expiry
from cmdb.expiry_calendar import month_of, read_month
from cmdb.resources.finance import TABS

PERMISSION = "cmdb.view_expiry"
PAGE_SIZE = 50
CARD_ROWS = 6
# A calendar program need not show more than this.
MOST_IN_FILE = 5000


class _Ends(Sequence[End]):
    """What the database sorts, for a paginator: a slice is one question."""

    def __init__(self, user: Any, asked: Asked) -> None:
        self.user, self.asked = user, asked

    def __len__(self) -> int:
        return expiry.count(self.user, self.asked)

    def __getitem__(self, part: Any) -> Any:
        most = part.stop - part.start
        return expiry.ends(self.user, self.asked, part.start, most)


def _asked(request: HttpRequest) -> Asked:
    """Read which ends are wanted; what makes no sense is as if it had not been said."""
    known = frozenset(request.GET.getlist("kind")) & set(expiry.BY_KEY)
    owner = request.GET.get("owner", "").replace("\x00", "").strip()[:100]
    return Asked(timezone.localdate(), kinds=known, owner=owner)


def _on(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _frame(request: HttpRequest, asked: Asked, title: str) -> dict[str, Any]:
    """Give what the list and the month share: the tabs, the filters and their address."""
    sources = expiry.sources_of(request.user)
    tabs = tabs_for(request, TABS)
    for tab in tabs:
        # The month is another look at the same tab.
        tab["active"] = tab["url"] == reverse("cmdb:expiry")
    kept = [("kind", key) for key in sorted(asked.kinds)]
    kept += [("owner", asked.owner)] if asked.owner else []
    return {
        "page_title": title,
        "tabs": tabs,
        "asked": asked,
        "sources": [
            {"key": each.key, "label": each.label, "chosen": each.key in asked.kinds}
            for each in sources
        ],
        "kept": urlencode(kept),
        "today": asked.today,
    }


@requires(PERMISSION)
@require_safe
def expiry_page(request: HttpRequest) -> HttpResponse:
    """List what ends soon or is over; `?format=ics` gives it as a calendar file."""
    asked, day = _asked(request), _on(request.GET.get("day", ""))
    window = request.GET.get("window", "")
    window = window if window in expiry.WINDOWS else expiry.LONGEST
    within = asked.within(window)
    if day is not None:
        within = Asked(asked.today, day, day, asked.kinds, asked.owner)
    if request.GET.get("format") == "ics":
        return _calendar_file(request, within)
    counts = expiry.figures(request.user, asked)
    found = Paginator(_Ends(request.user, within), PAGE_SIZE)
    page = found.get_page(request.GET.get("page"))
    context = _frame(request, asked, _("What expires")) | {
        "page": page,
        "rows": [_row(end, asked.today) for end in page.object_list],
        "day": day,
        "window": "" if day else window,
        "windows": [
            {"key": key, "title": title, "count": counts[key]}
            for key, title in expiry.WINDOWS.items()
        ],
    }
    return render(request, "cmdb/expiry.html", context)


def _row(end: End, today: date) -> dict[str, Any]:
    return {
        "end": end,
        "name": str(end.row),
        "url": end.row.get_absolute_url(),  # type: ignore[attr-defined]
        "state": state_of(end.day),
        "days": (end.day - today).days,
        "overdue": (today - end.day).days,
    }


def _calendar_file(request: HttpRequest, within: Asked) -> HttpResponse:
    found = expiry.ends(request.user, within, 0, MOST_IN_FILE)
    host = request.get_host()
    entries = [
        icalendar.Entry(
            f"{end.source.key}-{end.row.pk}@{host}",
            end.day,
            f"{end.source.label}: {end.row}",
            request.build_absolute_uri(end.row.get_absolute_url()),  # type: ignore[attr-defined]
        )
        for end in found
    ]
    audit.record_export(
        request.user,  # type: ignore[arg-type]
        Expiry,
        rows=len(entries),
        kind="ics",
        query=request.GET.urlencode(),
    )
    lines = icalendar.write(entries, timezone.now())
    answer = HttpResponse("".join(lines), content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="expiry.ics"'
    return answer


@requires(PERMISSION)
@require_safe
def expiry_calendar(request: HttpRequest) -> HttpResponse:
    """Show a month."""
    asked = _asked(request)
    first = read_month(request.GET.get("month", ""), asked.today)
    month = month_of(request.user, asked, first)
    context = _frame(request, asked, _("What expires")) | {"month": month}
    return render(request, "cmdb/expiry_calendar.html", context)


@requires(PERMISSION)
@require_safe
def expiry_card(request: HttpRequest) -> HttpResponse:
    """Draw the card of the home page: how much ends when, and what ends next."""
    asked = Asked(timezone.localdate())
    counts = expiry.figures(request.user, asked)
    url = reverse("cmdb:expiry")
    states = {"overdue": "danger", "30": "warning"}
    context = {
        "tiles": [
            {
                "label": title,
                "value": counts[key],
                "url": f"{url}?window={key}",
                "state": states.get(key, "") if counts[key] else "",
            }
            for key, title in expiry.WINDOWS.items()
        ],
        "rows": [
            {
                "title": f"{end.source.label}: {end.row}",
                "url": end.row.get_absolute_url(),  # type: ignore[attr-defined]
                "text": end.day.isoformat(),
            }
            for end in expiry.ends(
                request.user, asked.within(expiry.LONGEST), 0, CARD_ROWS
            )
        ],
        "more_url": url,
    }
    return render(request, "components/_card.html", context)
