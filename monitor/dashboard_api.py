"""Panels of dashboards for programs, checked by the form of the page; and whole dashboards as files."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

from django.db import transaction
from django.http import Http404, QueryDict
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from adminset.crud.endpoint import ResourceEndpoint
from adminset.crud.etags import ConditionalAnswers, ensure_fresh
from adminset.crud.rest import form_error
from adminset.errors import DomainError
from monitor import dashboards
from monitor.dashboard_forms import PanelForm
from monitor.dashboard_models import Dashboard
from monitor.dashboard_panels import MOST_PANELS, Panel, panels_of
from monitor.dashboard_resource import DASHBOARDS
from monitor.selectors import groups_of, watched_hosts

RELATED = ("hosts", "group")
USUAL = {"way": "average", "top": 5}


class _Dashboards(ConditionalAnswers, ResourceEndpoint):
    """What the endpoints share: every write of a panel is a change of its dashboard."""

    resource = DASHBOARDS
    permission = "monitor.view_dashboard"
    needs = dict.fromkeys(("POST", "PUT", "PATCH", "DELETE"), "change")

    def dashboard(self, pk: int, action: str = "view") -> Dashboard:
        """Find a dashboard that the caller may see.

        Raises:
            DomainError: he may not change it.
        """
        user = self.request.user
        found = get_object_or_404(Dashboard.objects.visible_to(user), pk=pk)
        rows = Dashboard.objects.visible_to(user, action)
        if not rows.filter(pk=pk).exists():
            raise DomainError(_("You may not do this."), code="forbidden", status=403)
        return found

    @contextmanager
    def held(self, pk: int, panel_id: str = "") -> Iterator[Dashboard]:
        """Give a dashboard to change, held until it is done; a write with If-Match passes only while it reads as it did.

        Raises:
            DomainError: 412, somebody else was quicker.
        """
        with transaction.atomic():
            dashboard = self.dashboard(pk, "change")
            Dashboard.objects.select_for_update().order_by().get(pk=pk)
            dashboard.refresh_from_db()
            user = self.request.user
            told = (
                one_of(user, dashboard, panel_id)
                if panel_id
                else all_of(user, dashboard)
            )
            ensure_fresh(self.request, told)
            yield dashboard


class Panels(_Dashboards):
    """All panels of a dashboard, in their order."""

    http_method_names = ["get", "post", "put", "head", "options"]

    @extend_schema(summary="Panels of a dashboard", responses={200: dict})
    def get(self, request: Request, pk: int) -> Response:
        """Give them."""
        return Response(all_of(request.user, self.dashboard(pk)))

    @extend_schema(summary="Add a panel", request=dict, responses={201: dict})
    def post(self, request: Request, pk: int) -> Response:
        """Put a panel behind the others; it gets an id."""
        with self.held(pk) as dashboard:
            panel = _read(request.user, request.data, None)
            dashboards.put_panel(
                actor=_actor(request), dashboard=dashboard, panel=panel
            )
        return Response(_told(request.user, [panel])[0], status=201)

    @extend_schema(
        summary="Replace all panels", request=list[dict], responses={200: dict}
    )
    def put(self, request: Request, pk: int) -> Response:
        """Give a dashboard these panels in this order; one with the id of a panel that is there keeps it."""
        given = request.data
        if not isinstance(given, list) or len(given) > MOST_PANELS:
            raise DomainError(
                _("Send a list of at most %(most)s panels.") % {"most": MOST_PANELS}
            )
        with self.held(pk) as dashboard:
            known = {panel.id: panel for panel in panels_of(dashboard.panels)}
            panels = [
                _numbered(number, request.user, each, known)
                for number, each in enumerate(given, 1)
            ]
            dashboards.set_panels(
                actor=_actor(request), dashboard=dashboard, panels=panels
            )
        return Response(all_of(request.user, dashboard))


class OnePanel(_Dashboards):
    """One panel."""

    http_method_names = ["get", "put", "patch", "delete", "head", "options"]

    @extend_schema(
        operation_id="dashboards_panel_retrieve",
        summary="A panel",
        responses={200: dict},
    )
    def get(self, request: Request, pk: int, panel: str) -> Response:
        """Give it."""
        return Response(one_of(request.user, self.dashboard(pk), panel))

    @extend_schema(
        operation_id="dashboards_panel_update",
        summary="Change a panel",
        request=dict,
        responses={200: dict},
    )
    def put(self, request: Request, pk: int, panel: str) -> Response:
        """Put another in its place, under its id; what is not sent becomes what is usual."""
        return self._change(request, pk, panel, keeps=False)

    @extend_schema(summary="Change a panel", request=dict, responses={200: dict})
    def patch(self, request: Request, pk: int, panel: str) -> Response:
        """Change what is sent."""
        return self._change(request, pk, panel, keeps=True)

    def _change(
        self, request: Request, pk: int, panel: str, *, keeps: bool
    ) -> Response:
        with self.held(pk, panel) as dashboard:
            before = next(p for p in panels_of(dashboard.panels) if p.id == panel)
            changed = _read(request.user, request.data, before, keeps=keeps)
            dashboards.put_panel(
                actor=_actor(request), dashboard=dashboard, panel=changed
            )
        return Response(_told(request.user, [changed])[0])

    @extend_schema(summary="Take a panel away", responses={204: None})
    def delete(self, request: Request, pk: int, panel: str) -> Response:
        """Take it away."""
        with self.held(pk, panel) as dashboard:
            dashboards.drop_panel(
                actor=_actor(request), dashboard=dashboard, panel_id=panel
            )
        return Response(status=204)


class DashboardFile(_Dashboards):
    """A dashboard as a file, for this portal or another."""

    http_method_names = ["get", "head", "options"]

    @extend_schema(summary="A dashboard as a file", responses={200: dict})
    def get(self, request: Request, pk: int) -> Response:
        """Give it: hosts and groups by name, as far as the caller sees them."""
        return Response(dashboards.as_file(request.user, self.dashboard(pk)))


class TakeDashboard(_Dashboards):
    """Brings a dashboard."""

    permission = "monitor.add_dashboard"
    needs = {"POST": "add"}
    http_method_names = ["post", "options"]

    @extend_schema(summary="Bring a dashboard", request=dict, responses={201: dict})
    def post(self, request: Request) -> Response:
        """Make a private dashboard of what an export gave."""
        made = dashboards.take_file(actor=_actor(request), document=request.data)
        said = {"id": made.pk, "name": made.name, "panels": made.panels}
        return Response(said, status=201)


def all_of(user: Any, dashboard: Dashboard) -> dict[str, Any]:
    """Give the panels of a dashboard as the endpoint tells them."""
    return {"panels": _told(user, panels_of(dashboard.panels))}


def one_of(user: Any, dashboard: Dashboard, panel_id: str) -> dict[str, Any]:
    """Give one panel as the endpoint tells it, or answer that there is none."""
    for panel in panels_of(dashboard.panels):
        if panel.id == panel_id:
            return _told(user, [panel])[0]
    raise Http404


def _told(user: Any, panels: Sequence[Panel]) -> list[dict[str, Any]]:
    """Write panels with the hosts and groups that the caller may see."""
    asked = {key for panel in panels for key in panel.hosts}
    hosts = set(watched_hosts(user).filter(pk__in=asked).values_list("pk", flat=True))
    groups = {panel.group for panel in panels if panel.group}
    seen = set(groups_of(user).filter(pk__in=groups).values_list("pk", flat=True))
    return [
        panel.as_json()
        | {
            "hosts": [key for key in panel.hosts if key in hosts],
            "group": panel.group if panel.group in seen else None,
        }
        for panel in panels
    ]


def _actor(request: Request) -> User:
    return cast("User", request.user)


def _numbered(number: int, user: Any, given: Any, known: Mapping[str, Panel]) -> Panel:
    old = given.get("id") if isinstance(given, dict) else None
    try:
        return _read(user, given, known.get(old) if isinstance(old, str) else None)
    except DomainError as error:
        error.fields = {f"{number}.{name}": text for name, text in error.fields.items()}
        raise


def _read(user: Any, given: Any, old: Panel | None, *, keeps: bool = False) -> Panel:
    """Read a panel through the page's form.

    Args:
        old: the one that it replaces.
        keeps: what is not sent stays as it is, hosts that the caller does not see included.

    Raises:
        DomainError: says which field is wrong.
    """
    names = {"id", *PanelForm.base_fields}
    if not isinstance(given, dict) or set(given) - names:
        raise DomainError(
            _("Send one JSON object. Known: %(known)s.")
            % {"known": ", ".join(sorted(names))}
        )
    kept = old.as_json() if old and keeps else {}
    related = {name: kept.pop(name) for name in RELATED if name in kept}
    form = PanelForm(_as_query(kept | given), user=user, panel=old)
    if not form.is_valid():
        raise form_error(form.errors)
    panel = form.as_panel()
    unsent = {name: related[name] for name in related if name not in given}
    if "hosts" in unsent:
        unsent["hosts"] = tuple(unsent["hosts"])
    return replace(panel, **unsent)


def _as_query(given: Mapping[str, Any]) -> QueryDict:
    """Write JSON as a form's fields; what no field can be becomes a text that it refuses."""
    query = QueryDict(mutable=True)
    for name, value in (USUAL | dict(given)).items():
        listed = value if isinstance(value, list) else [value]
        if value is not None and value is not False:
            query.setlist(name, ["on" if v is True else str(v)[:1000] for v in listed])
    return query
