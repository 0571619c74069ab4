"""Kinds of relations, and the tab Relations of every object that can be related."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from adminset.crud.plain import plain_filter, plain_form, plain_table
from adminset.crud.resource import Panel, Resource
from adminset.querysets import may
from cmdb.forms.relations import RelationForm
from cmdb.models import RelationKind
from cmdb.related import own_relations, relatable, set_relations

KIND_FIELDS = ("name", "reverse_name", "impact")


def _relations(request: HttpRequest, instance: Any) -> dict[str, Any]:
    """Give what the tab draws; `?type=hosts` says among which objects the chooser looks."""
    user, known = request.user, relatable()
    resource = known[instance._meta.label_lower]
    context: dict[str, Any] = {
        "path": resource.path,
        "own": own_relations(user, instance),
        "relations": set_relations(user, instance),
        "may_relate": may(user, "change", instance),
    }
    if context["may_relate"]:
        offered = [each for each in known.values() if _offered(user, each)]
        asked = request.GET.get("type", "hosts")
        chosen = next((each for each in offered if each.path == asked), None)
        chosen = chosen or (offered[0] if offered else None)
        context |= {"types": offered, "chosen": chosen}
        if chosen:
            context["form"] = RelationForm(user=user, resource=chosen)
    return context


def _offered(user: Any, resource: Resource) -> bool:
    return bool(user.has_perm(resource.permission("view")))


def has_relations(resource: Resource) -> bool:
    """Say whether the objects of a resource can be related."""
    return f"{resource.app_label}.{resource.model_name}" in relatable()


PANEL = Panel("relations", _("Relations"), "cmdb/_relations.html", _relations)
RELATION_KIND = Resource(
    model=RelationKind,
    table=plain_table(RelationKind, *KIND_FIELDS),
    form=plain_form(RelationKind, *KIND_FIELDS),
    filterset=plain_filter(RelationKind, "impact"),
    path="relation-kinds",
    icon="diagram-project",
    search=("name", "reverse_name"),
    bulk_fields=("impact",),
)
