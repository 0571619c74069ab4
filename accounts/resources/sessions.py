"""Sessions of all users: one declaration, pages and REST endpoints follow from it."""

from django.utils.translation import gettext_lazy as _

from accounts import session_selectors
from accounts.forms.sessions import SessionForm
from accounts.models import PortalSession
from accounts.resources.users import TABS
from accounts.services import sessions
from accounts.session_filters import SessionFilter
from accounts.session_tables import SessionTable
from adminset.crud.resource import Action, Resource

# Through the API a session is ended by DELETE; the pages have a button of that name instead (urls.py).


SESSIONS = Resource(
    model=PortalSession,
    table=SessionTable,
    form=SessionForm,
    filterset=SessionFilter,
    path="sessions",
    list_queryset=session_selectors.sessions_for_list,
    icon="display",
    tabs=TABS,
    search=("user__username", "address", "browser"),
    detail_fields=(
        "user",
        "method",
        "address",
        "browser",
        "began_at",
        "seen_at",
        "expire_date",
    ),
    api_fields=(
        "user",
        "method",
        "address",
        "browser",
        "began_at",
        "seen_at",
        "expire_date",
    ),
    delete=sessions.end_session,
    verbs=frozenset({"delete"}),
    actions=(
        Action(
            _("End"),
            "accounts:portalsession_end",
            "ban",
            "accounts.delete_portalsession",
            post=True,
        ),
    ),
)
