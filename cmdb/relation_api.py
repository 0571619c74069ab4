"""Relations and the impact picture for machines."""

from typing import Any, cast

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from adminset.crud.rest import form_error
from adminset.crud.views import find
from adminset.errors import DomainError
from adminset.http import SIGNED_IN
from cmdb import impact, related
from cmdb.forms.relations import RelationForm
from cmdb.relations import Relation
from cmdb.services import relations

MOST = 1000
BODY = ("kind", "source_type", "source", "target_type", "target", "note")


class _ObjectsDecide(APIView):
    """Who may do it is asked of the objects; a token that may only read changes nothing."""

    permission = SIGNED_IN
    permission_classes = [IsAuthenticated]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse a read-only token before anything is looked at."""
        super().initial(request, *args, **kwargs)
        reads = request.method in {"GET", "HEAD", "OPTIONS"}
        if not reads and request.auth and not getattr(request.auth, "can_write", False):
            raise DomainError(
                _("This token may only read."),
                _("Use a token that may change things."),
                code="read_only_token",
                status=403,
            )


def _end(user: Any, path: str, key: Any) -> Any:
    """Find an object by the plural noun of its kind and its id.

    Raises:
        DomainError: there is none that the user may see.
    """
    resource, text = related.resource_at(path), str(key)
    known = resource is not None and text.isdecimal() and len(text) < 16
    row = resource.rows(user).filter(pk=int(text)).first() if known else None  # type: ignore[union-attr]
    if row is None:
        raise DomainError(_("There is no such object."), code="not_found", status=404)
    return row


def _told(relation: Relation) -> dict[str, Any]:
    known = related.relatable()
    return {
        "id": relation.pk,
        "kind": relation.kind_id,
        "words": relation.kind.name,
        "source_type": known[relation.from_type].path,
        "source": relation.from_id,
        "target_type": known[relation.to_type].path,
        "target": relation.to_id,
        "note": relation.note,
    }


class Relations(_ObjectsDecide):
    """The relations whose both ends the caller may see."""

    http_method_names = ["get", "post", "head", "options"]

    @extend_schema(
        summary="Relations",
        parameters=[
            OpenApiParameter("type", str, description="Kind of object, such as hosts."),
            OpenApiParameter("id", int, description="The object; with type."),
            OpenApiParameter("page", int),
        ],
        responses={200: dict},
    )
    def get(self, request: Request) -> Response:
        """Give them, those of one object with `?type=hosts&id=7`; a thousand a page."""
        rows = related.visible_relations(request.user)
        asked = request.query_params
        if "type" in asked:
            row = _end(request.user, asked["type"], asked.get("id", ""))
            rows = rows & related.relations_of(related.key_of(row))
        text = asked.get("page", "1")
        page = max(int(text), 1) if text.isdecimal() and len(text) < 9 else 1
        listed = list(rows.order_by("pk")[(page - 1) * MOST : page * MOST + 1])
        more = page + 1 if len(listed) > MOST else None
        return Response({"results": [_told(r) for r in listed[:MOST]], "next": more})

    @extend_schema(summary="Relate two objects", request=dict, responses={201: dict})
    def post(self, request: Request) -> Response:
        """Relate `source` (of `source_type`) to `target` (of `target_type`) by `kind`; `note` may be given."""
        body = request.data
        if not isinstance(body, dict) or set(body) - set(BODY):
            raise DomainError(
                _("Send one JSON object. Known: %(known)s.")
                % {"known": ", ".join(BODY)}
            )
        source = _end(request.user, str(body.get("source_type")), body.get("source"))
        others = related.resource_at(str(body.get("target_type")))
        if others is None:
            raise DomainError(
                _("There is no such object."), code="not_found", status=404
            )
        form = RelationForm(body, user=request.user, resource=others)
        if not form.is_valid():
            raise form_error(form.errors)
        made = relations.add_relation(
            actor=cast("User", request.user), source=source, **form.cleaned_data
        )
        return Response(_told(made), status=201)


class OneRelation(_ObjectsDecide):
    """One relation."""

    http_method_names = ["delete", "options"]

    @extend_schema(summary="Take a relation away", responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Take it away."""
        rows = related.visible_relations(request.user)
        relation = rows.filter(pk=pk).first()
        if relation is None:
            raise Http404
        mine = related.visible_relations(request.user, "change")
        if not mine.filter(pk=pk).exists():
            raise DomainError(_("You may not do this."), code="forbidden", status=403)
        relations.remove_relation(actor=cast("User", request.user), relation=relation)
        return Response(status=204)


class Impact(_ObjectsDecide):
    """What stands or falls with an object."""

    http_method_names = ["get", "head", "options"]

    @extend_schema(
        summary="What falls with an object, or what it stands on",
        parameters=[OpenApiParameter("direction", str, enum=[impact.DOWN, impact.UP])],
        responses={200: dict},
    )
    def get(self, request: Request, path: str, pk: int) -> Response:
        """Give nodes and links; `hidden` counts what the caller may not see."""
        resource = related.resource_at(path)
        if resource is None:
            raise Http404
        instance = find(resource, request.user, pk)
        way = request.query_params.get("direction", impact.DOWN)
        if way not in {impact.DOWN, impact.UP}:
            raise DomainError(_("direction is down or up."), fields={"direction": way})
        return Response(impact.as_json(impact.picture(request.user, instance, way)))
