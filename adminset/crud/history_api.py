"""History and revert of every resource through the API."""

from typing import Any, cast

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from adminset.crud.changes import lines_of
from adminset.crud.history import seen_entries
from adminset.crud.plan import make_plan
from adminset.crud.resource import Resource
from adminset.crud.revert import revert
from adminset.errors import DomainError
from adminset.http import needs_proof, proof_error
from adminset.models import AuditEntry

# More objects than this take longer than a caller waits.
MOST = 1000
CHANGES = inline_serializer(
    "HistoryLine",
    {
        "id": serializers.IntegerField(),
        "at": serializers.DateTimeField(),
        "actor": serializers.DictField(),
        "verb": serializers.CharField(),
        "changes": serializers.ListField(child=serializers.DictField()),
        "reason": serializers.CharField(),
        "request": serializers.CharField(),
    },
    many=True,
)
WANTED = inline_serializer(
    "Revert",
    {
        "entry": serializers.IntegerField(),
        "whole_request": serializers.BooleanField(required=False),
        "reason": serializers.CharField(required=False),
    },
)
DONE = inline_serializer(
    "Reverted",
    {
        "changed": serializers.IntegerField(),
        "deleted": serializers.IntegerField(),
        "restored": serializers.IntegerField(),
    },
)


class HistoryEndpoints:
    """Two further endpoints of a resource's view set."""

    resource: Resource
    request: Any
    get_object: Any
    paginate_queryset: Any
    get_paginated_response: Any
    # What these ask for, where their method alone would ask for something else.
    needs = {"revert": "change"}

    @extend_schema(responses=CHANGES)
    @action(detail=True, methods=["get"])
    def history(self, request: Request, pk: str) -> Response:
        """Give what happened to one row, newest first, a page of lines at a time."""
        instance = self.get_object()
        trail = AuditEntry.objects.filter(
            target_type=instance._meta.label_lower, target_id=str(instance.pk)
        )
        page = self.paginate_queryset(trail)
        lines = seen_entries(request.user, self.resource.model, page)
        return self.get_paginated_response([_told(line) for line in lines])

    @extend_schema(request=WANTED, responses=DONE)
    @action(detail=True, methods=["post"])
    def revert(self, request: Request, pk: str) -> Response:
        """Take a line of this row's history back, or with `whole_request` all that its request did; all or nothing."""
        if self.resource.model._base_manager.filter(pk=pk).exists():
            self.get_object()  # one that is gone may be brought back; one that is there must be the caller's to see
        entry, whole, reason = _wanted(request.data)
        self._belongs(entry, pk)
        plan = make_plan(request.user, lines_of(request.user, entry, whole=whole))
        if any(needs_proof(request, name) for name in plan.permissions):
            raise proof_error()
        if len(plan.todo) > MOST:
            raise DomainError(
                _("%(count)s objects are too many for one call.")
                % {"count": len(plan.todo)},
                _("Revert it on its page: a worker does it there."),
            )
        done = revert(user=request.user, pk=entry, whole=whole, reason=reason)
        return Response(
            {"changed": done.change, "deleted": done.delete, "restored": done.add}
        )

    def _belongs(self, entry: int, pk: str) -> None:
        about = {
            "target_type": self.resource.model._meta.label_lower,
            "target_id": str(int(pk)),
        }
        if not AuditEntry.objects.filter(pk=entry, **about).exists():
            raise Http404


def _told(entry: AuditEntry) -> dict[str, Any]:
    return {
        "id": entry.pk,
        "at": entry.at,
        "actor": {"kind": entry.actor_kind, "name": entry.actor_name},
        "verb": entry.verb,
        "changes": entry.changes,
        "reason": entry.reason,
        "request": entry.request_id,
    }


def _wanted(data: Any) -> tuple[int, bool, str]:
    """Read what is to be taken back.

    Raises:
        DomainError: names the field that is wrong.
    """
    if not isinstance(data, dict):
        raise DomainError(_("Send one JSON object."))
    entry, whole = data.get("entry"), data.get("whole_request", False)
    reason = data.get("reason", "")
    fields = {}
    if not isinstance(entry, int) or isinstance(entry, bool) or not 0 < entry < 2**63:
        fields["entry"] = _("The id of a line of the history.")
    if not isinstance(whole, bool):
        fields["whole_request"] = _("true or false.")
    if not isinstance(reason, str):
        fields["reason"] = _("A text.")
    if fields:
        raise DomainError(_("Some fields are not right."), fields=fields)
    return cast("int", entry), whole, reason.strip()[:200]
