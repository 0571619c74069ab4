"""The next free address of a subnet for machines: asked for by GET, reserved by POST."""

from typing import Any, cast

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from adminset.crud.rest import ResourcePermission, form_error
from adminset.crud.views import find
from adminset.errors import DomainError
from cmdb import utilisation
from cmdb.forms.network import ReserveForm
from cmdb.resources.network import IP_ADDRESS, SUBNET
from cmdb.services import network


class NextFreeAddress(APIView):
    """The lowest free address of a subnet; whoever reserves it gets one that nobody else gets."""

    resource = IP_ADDRESS
    permission = "cmdb.view_ipaddress"
    permission_classes = [ResourcePermission]
    http_method_names = ["get", "post", "head", "options"]

    @extend_schema(summary="Next free address of a subnet", responses={200: dict})
    def get(self, request: Request, pk: int) -> Response:
        """Give the address (null: there is none left) and how full the subnet is."""
        subnet = find(SUBNET, request.user, pk)
        free = None if subnet.is_container else utilisation.next_free(subnet)
        usage = utilisation.usage_of([subnet])[subnet.pk]
        said: dict[str, Any] = {"address": str(free) if free else None}
        return Response(said | {"used": usage.used, "total": usage.total})

    @extend_schema(
        summary="Reserve the next free address of a subnet",
        request=dict,
        responses={201: dict},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Reserve it: `name`, `host` (id) and `notes` may be given."""
        subnet = find(SUBNET, request.user, pk)
        if not isinstance(request.data, dict):
            raise DomainError(_("Send one JSON object."))
        form = ReserveForm(request.data, user=request.user)
        unknown = sorted(set(request.data) - set(form.fields))
        if unknown or not form.is_valid():
            said = _("There is no such field. Known: %(known)s.")
            known = {"known": ", ".join(form.fields)}
            raise form_error(form.errors or {name: [said % known] for name in unknown})
        row = network.reserve_checked(
            user=cast("User", request.user), subnet=subnet, **form.cleaned_data
        )
        return Response(
            {"id": row.pk, "address": str(row.address), "status": row.status},
            status=201,
        )
