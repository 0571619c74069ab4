"""The REST endpoints of every resource: same rows, same form, same service, same words as its pages."""

from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import QueryDict
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.viewsets import GenericViewSet

from adminset.crud import lookups
from adminset.crud.etags import ConditionalAnswers
from adminset.crud.forms import bound_form
from adminset.crud.history_api import HistoryEndpoints
from adminset.crud.resource import Resource, all_resources
from adminset.crud.rest import form_error
from adminset.crypto import EncryptedTextField
from adminset.errors import DomainError
from adminset.querysets import seen


class ResourceViewSet(ConditionalAnswers, HistoryEndpoints, GenericViewSet):
    """List, read, create, update, delete of one resource."""

    resource: Resource
    lookup_value_regex = r"\d+"

    def get_queryset(self) -> models.QuerySet:
        """Give the rows that the user may see, filtered as the list page filters."""
        if getattr(self, "swagger_fake_view", False):
            return self.resource.model._default_manager.none()
        user = self.request.user
        rows = self.resource.for_list(self.resource.rows(user), user)
        if self.action != "list":
            return rows
        rows = lookups.apply(self.resource, rows, self.request.query_params, user)
        if self.resource.filterset is None:
            return rows
        query = self.request.query_params.copy()
        for name in [*query]:
            if name in {"page", "page_size"} or name.startswith(lookups.PREFIX):
                query.pop(name)
        return _filtered(self.resource, query, rows, self.request)

    def list(self, request: Request) -> Response:
        """Give a page of rows."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, pk: str) -> Response:
        """Give one row."""
        return Response(self.get_serializer(self.get_object()).data)

    def create(self, request: Request) -> Response:
        """Make a row."""
        return Response(self._save(None), status=status.HTTP_201_CREATED)

    def update(self, request: Request, pk: str) -> Response:
        """Change a row; fields that are not sent stay as they are."""
        with self.held_fresh(request, pk):
            return Response(self._save(self._own("change")))

    partial_update = update

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a row."""
        with self.held_fresh(request, pk):
            self.resource.delete(actor=request.user, instance=self._own("delete"))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _own(self, action: str) -> models.Model:
        instance = self.get_object()
        if (
            not self.resource.rows(self.request.user, action)
            .filter(pk=instance.pk)
            .exists()
        ):
            raise PermissionDenied(self.resource.permission(action))
        return instance

    def _save(self, instance: models.Model | None) -> Any:
        if not isinstance(self.request.data, dict):
            raise DomainError(_("Send one JSON object."))
        try:
            form = bound_form(
                self.resource.form,
                user=self.request.user,
                values=self.request.data,
                instance=instance,
            )
        except ValidationError as error:
            raise form_error(error.message_dict) from error
        if not form.is_valid():
            raise form_error(form.errors)
        saved = self.resource.save_checked(user=self.request.user, form=form)
        # Who may add but not look still learns what was stored.
        rows = self.resource.rows(self.request.user).filter(pk=saved.pk)
        return self.get_serializer(rows.first() or saved).data


def _filtered(
    resource: Resource, query: QueryDict, rows: models.QuerySet, request: Request
) -> models.QuerySet:
    filterset = resource.filterset(query, queryset=rows, request=request)  # type: ignore[misc]
    unknown = sorted(set(query) - set(filterset.form.fields))
    if unknown:
        known = ", ".join(filterset.form.fields)
        raise form_error(
            {
                name: [
                    _("There is no such filter. Known: %(known)s.") % {"known": known}
                ]
                for name in unknown
            }
        )
    if not filterset.is_valid():
        raise form_error(filterset.errors)
    return filterset.qs


class ScopedSerializer(serializers.ModelSerializer):
    """Gives of several related objects only those that the caller may see."""

    def to_representation(self, instance: models.Model) -> dict[str, Any]:
        """Write one row."""
        shown: dict[str, Any] = super().to_representation(instance)
        user = self.context["request"].user
        for relation in instance._meta.many_to_many:
            if relation.name in shown:
                related = getattr(instance, relation.name).all()
                shown[relation.name] = [row.pk for row in seen(user, related)]
        for name, value in shown.items():
            if isinstance(value, Decimal):
                # As columns of decimals are: a float would lose digits.
                shown[name] = str(value)
        return shown


def serializer_of(resource: Resource) -> type[serializers.ModelSerializer]:
    """Make the shape of an answer: the form's fields without secrets, related objects by id, and how people call it."""
    secret = {
        f.name
        for f in resource.model._meta.concrete_fields
        if isinstance(f, EncryptedTextField)
    }
    names = resource.api_fields or tuple(
        n for n in resource.form.base_fields if n not in secret
    )
    model_fields = {field.name for field in resource.model._meta.get_fields()}
    stamps = [name for name in ("created_at", "updated_at") if name in model_fields]
    meta = type(
        "Meta",
        (),
        {
            "model": resource.model,
            "fields": ["id", "display", *names, *stamps],
            "ref_name": resource.api_name or resource.model.__name__,
        },
    )
    display = serializers.CharField(source="__str__", read_only=True)
    counts = {
        name: serializers.IntegerField(
            # The framework refuses a source that only repeats the name.
            source=source if source != name else None,
            read_only=True,
        )
        for name, source in resource.api_counts.items()
    }
    texts = {
        name: serializers.CharField(read_only=True, allow_null=True)
        for name in resource.api_texts
    }
    return type(
        f"{resource.api_name or resource.model.__name__}Serializer",
        (ScopedSerializer,),
        {"Meta": meta, "display": display, **counts, **texts},
    )


def viewset_of(resource: Resource) -> type[ResourceViewSet]:
    """Make the endpoints of one resource, without the verbs that it does not offer."""
    shape = serializer_of(resource)
    lacking = {"add": {"post"}, "change": {"put", "patch"}, "delete": {"delete"}}
    closed = set().union(
        *(lacking[verb] for verb in lacking if verb not in resource.verbs)
    )
    body = {
        "resource": resource,
        "serializer_class": shape,
        "permission": resource.permission("view"),
        "http_method_names": [
            m
            for m in ("get", "post", "put", "patch", "delete", "head", "options")
            if m not in closed
        ],
    }
    described = extend_schema_view(
        list=extend_schema(summary=str(resource.verbose_name_plural))
    )
    return described(
        type(f"{resource.model.__name__}ViewSet", (ResourceViewSet,), body)
    )


def routes() -> list[Any]:
    """Give the endpoints of all resources whose pages are known by now."""
    router = SimpleRouter()
    for resource in all_resources():
        router.register(
            resource.path,
            viewset_of(resource),
            basename=f"{resource.app_label}-{resource.model_name}",
        )
    return router.urls
