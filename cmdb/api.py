"""The fleet for other programs: Ansible's inventory and Prometheus' service discovery, each with an ETag."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, cast

import msgspec
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from adminset import audit
from adminset.errors import DomainError
from adminset.streams import stream
from cmdb import inventory, inventory_state, service_discovery
from cmdb.models import Host

VIEW_HOST = "cmdb.view_host"
# A program that asks every minute is told of in the trail once an hour.
TOLD_SECONDS = 3600
NODE_EXPORTER = 9100
GROUP = OpenApiParameter(
    "group", str, many=True, description="Only hosts of these groups, by name."
)


class MayViewHosts(BasePermission):
    """Lets in who holds the permission anywhere; which hosts are told is `visible_to`'s."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Ask the user."""
        return request.user.is_authenticated and request.user.has_perm(VIEW_HOST)


class FleetView(ABC, APIView):
    """What both have in common: who may ask, for which groups, and the answer that nothing changed."""

    permission = VIEW_HOST
    permission_classes = [MayViewHosts]
    http_method_names = ["get", "head", "options"]
    known = frozenset({"group", "format"})

    @abstractmethod
    def answer(self, request: Request) -> HttpResponseBase:
        """Give the whole answer."""

    def respond(self, request: Request) -> HttpResponseBase:
        """Give 304 where the asker has it, else the answer, each with its ETag."""
        if unknown := sorted(set(request.query_params) - self.known):
            raise DomainError(
                _("There is no parameter %(name)s.") % {"name": unknown[0][:50]},
                _("Known: %(known)s.") % {"known": ", ".join(sorted(self.known))},
            )
        asked = {name: self.request.query_params.getlist(name) for name in self.known}
        etag = inventory_state.tag(
            request.user, kind=type(self).__name__, query=sorted(asked.items())
        )
        unchanged = get_conditional_response(request._request, etag=etag)
        answer = unchanged or self.answer(request)
        answer["ETag"] = etag
        answer["Cache-Control"] = "private, no-cache"
        answer["Vary"] = "Authorization, Cookie"
        return answer

    def hosts(self, request: Request) -> QuerySet[Host]:
        """Give the hosts that are asked for."""
        return inventory.hosts_of(request.user, request.query_params.getlist("group"))

    def tell_the_trail(self, request: Request, rows: int, kind: str) -> None:
        """Record who took how many hosts out, once an hour for the same question."""
        query = request.query_params.urlencode()[:200]
        about = ("inventory", kind, request.user.pk, query)
        if audit.is_news(*about, seconds=TOLD_SECONDS):
            actor = cast("audit.Actor", request.user)
            audit.record_export(actor, Host, rows=rows, kind=kind, query=query)


class AnsibleInventory(FleetView):
    """The hosts and groups that the asker may see, for Ansible."""

    @extend_schema(
        summary="Ansible inventory",
        parameters=[GROUP],
        responses={200: OpenApiTypes.OBJECT, 304: None},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Give the inventory as `ansible-inventory --list` prints it; 304 when it is what the asker has."""
        return self.respond(request)

    def answer(self, request: Request) -> HttpResponseBase:
        """Send it part by part."""
        hosts, names = self.hosts(request), inventory.names_of(request.user)
        total = hosts.count() if "group" in request.query_params else len(names)
        self.tell_the_trail(request, total, "ansible")
        parts: Iterator[str] = inventory.ansible(request.user, hosts, names)
        answer = stream(
            request._request,
            parts,
            content_type="application/json",
            file_name="inventory.json",
        )
        del answer["Content-Disposition"]
        return answer


class PrometheusTargets(FleetView):
    """The hosts that the asker may see, for Prometheus."""

    known = FleetView.known | {"port"}

    @extend_schema(
        summary="Prometheus HTTP service discovery",
        parameters=[
            GROUP,
            OpenApiParameter("port", int, description="Port of the exporter: 9100."),
        ],
        responses={200: OpenApiTypes.OBJECT, 304: None},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Give all targets, `[]` when there is none; 304 when they are what the asker has."""
        return self.respond(request)

    def answer(self, request: Request) -> HttpResponseBase:
        """Give the whole list or an error, never a part: Prometheus would take a part for the whole."""
        port = _port(request.query_params.get("port", str(NODE_EXPORTER)))
        found: list[Any] = service_discovery.targets(
            request.user, self.hosts(request), port
        )
        self.tell_the_trail(request, len(found), "prometheus")
        return HttpResponse(msgspec.json.encode(found), content_type="application/json")


def _port(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
    if not 1 <= number <= 65535:
        raise DomainError(
            _("This is no port: %(text)s.") % {"text": text[:20]},
            _("Give a number from 1 to 65535."),
            fields={"port": _("Give a number from 1 to 65535.")},
        )
    return number
