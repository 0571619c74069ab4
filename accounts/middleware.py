"""What a request means for its session: a person's act keeps it alive, and who may no longer sign in is out."""

from collections.abc import Callable
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import PortalSession
from accounts.services import sessions

# What a page asks by itself (static/js/requests.js, charts.js) carries this header: nobody has done anything.
AUTOMATIC = "X-Automatic"
# How exact "last seen" is: one UPDATE in so many seconds, however much is clicked.
SEEN_SECONDS = 60
Answer = Callable[[HttpRequest], HttpResponse]


def watch_session(get_response: Answer) -> Answer:
    """End the session of a user who is stopped or expired; note when a person was last seen in it.

    The time-outs themselves are the session engine's (accounts/sessions.py): it reads no row that has ended.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        row = getattr(request.session, "row", None)
        if row is not None and row.user_id is not None:
            if not request.user.is_authenticated:
                request.session.flush()
            elif AUTOMATIC not in request.headers and _is_due(row):
                sessions.note_seen(session=row)
        return get_response(request)

    return middleware


def _is_due(row: PortalSession) -> bool:
    return timezone.now() - row.seen_at > timedelta(seconds=SEEN_SECONDS)
