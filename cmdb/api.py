"""The inventory for machines: what `ansible-inventory --list` prints, with an ETag."""

import hashlib
import json
from typing import cast

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from adminset import audit
from cmdb import selectors
from cmdb.models import Host

VIEW_HOST = "cmdb.view_host"


class MayViewHosts(BasePermission):
    """Lets in who holds the permission anywhere; which hosts are told is `visible_to`'s."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Ask the user."""
        return request.user.is_authenticated and request.user.has_perm(VIEW_HOST)


class AnsibleInventory(APIView):
    """The hosts and groups that the asker may see, for Ansible."""

    permission = VIEW_HOST
    permission_classes = [MayViewHosts]
    http_method_names = ["get", "head", "options"]

    @extend_schema(summary="Ansible inventory", responses={200: dict, 304: None})
    def get(self, request: Request) -> HttpResponseBase:
        """Give the inventory; 304 when it is what the asker has."""
        found = selectors.visible_inventory(request.user)
        body = json.dumps(found, ensure_ascii=False)
        etag = f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
        answer = HttpResponse(body, content_type="application/json")
        answer["ETag"] = etag
        answer["Cache-Control"] = "private, no-cache"
        answer["Vary"] = "Authorization, Cookie"
        same = get_conditional_response(request._request, etag=etag, response=answer)
        if same is None or same.status_code == 200:
            audit.record_export(
                cast("audit.Actor", request.user),
                Host,
                rows=len(found["_meta"]["hostvars"]),
                kind="ansible",
                query="",
            )
        return same or answer
