"""One declaration per model: from it come its pages, its import and export, its history and its REST endpoints."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import django_filters
from django.db import models
from django.http import HttpRequest
from django.urls import reverse

from adminset.audit import Actor
from adminset.crud import services
from adminset.crud.forms import ResourceForm
from adminset.crud.tables import ResourceTable
from adminset.querysets import permission_for, scope_of

VERBS = frozenset({"add", "change", "delete", "import"})


@dataclass(frozen=True)
class Panel:
    """A further tab of an object's page.

    Attributes:
        key: its name in the address (`?tab=key`).
        title: what the tab says.
        template: drawn with `object` and what `context` gives.
        context: (request, object) -> variables.
        permission: who sees it; empty: whoever sees the object.
    """

    key: str
    title: Any
    template: str
    context: Callable[[HttpRequest, Any], Mapping[str, Any]] = (
        lambda request, instance: {}
    )
    permission: str = ""


@dataclass(frozen=True)
class Action:
    """A button in the head of an object's page: a page of the room's own that takes the object's pk.

    Attributes:
        everywhere: a grant on some objects does not open that page.
    """

    title: Any
    url_name: str
    icon: str
    permission: str
    post: bool = False
    when: Callable[[Any], bool] = lambda instance: True
    everywhere: bool = False


@dataclass(frozen=True, kw_only=True)
class Resource:
    """What the portal shows and takes of one model.

    Attributes:
        table, form, filterset: shape of a list, of an input, of a filter.
        path: plural noun in addresses, pages and API alike ("hosts").
        search: fields that the quick search looks into (contains, without case).
        tabs: url names of the lists that belong together, drawn over the list.
        panels: further tabs of the object's page. actions: buttons in its head.
        detail_fields: what the overview shows; default: the form's fields.
        bulk_fields: what may be changed on many at once.
        import_fields: columns of the import; default: the form's fields.
        api_fields: what the API gives; default: id, the form's fields, created_at, updated_at.
        list_queryset: brings along what a row needs, so that 1,000 rows cost as many queries as one.
        counts: name -> relation: how many related rows each row has ("host" -> "hosts" gives `host_count`), of those
            that the reader may see.
        save: (actor, form) -> object, the one way to write. delete: (actor, instance) -> None.
        verbs: what this resource offers besides viewing.
        api_counts: name in the API -> number that `for_list` brings along, for what counts only what the reader may see.
        private_verbs: how actions begin ("session.") whose lines in an object's history are for the person whom the
            object is, and for readers of the whole trail.
    """

    model: type[models.Model]
    table: type[ResourceTable]
    form: type[ResourceForm]
    path: str
    filterset: type[django_filters.FilterSet] | None = None
    icon: str = "circle"
    search: tuple[str, ...] = ()
    tabs: tuple[str, ...] = ()
    panels: tuple[Panel, ...] = ()
    actions: tuple[Action, ...] = ()
    detail_fields: tuple[str, ...] = ()
    bulk_fields: tuple[str, ...] = ()
    import_fields: tuple[str, ...] = ()
    api_fields: tuple[str, ...] = ()
    list_queryset: Callable[[models.QuerySet], models.QuerySet] = field(
        default=lambda rows: rows
    )
    counts: Mapping[str, str] = field(default_factory=dict)
    save: Callable[..., models.Model] = services.save
    delete: Callable[..., None] = services.delete
    verbs: frozenset[str] = VERBS
    api_counts: Mapping[str, str] = field(default_factory=dict)
    private_verbs: tuple[str, ...] = ()

    @property
    def app_label(self) -> str:
        """Room of the model."""
        return self.model._meta.app_label

    @property
    def model_name(self) -> str:
        """Name of the model in urls and permissions."""
        return str(self.model._meta.model_name)

    @property
    def verbose_name(self) -> Any:
        """What one is called."""
        return self.model._meta.verbose_name

    @property
    def verbose_name_plural(self) -> Any:
        """What many are called."""
        return self.model._meta.verbose_name_plural

    def permission(self, action: str) -> str:
        """Name the permission for view, add, change or delete ("cmdb.view_host")."""
        return f"{self.app_label}.{action}_{self.model_name}"

    def url_name(self, verb: str) -> str:
        """Name the url of a verb ("cmdb:host_list")."""
        return f"{self.app_label}:{self.model_name}_{verb}"

    def url(self, verb: str, pk: int | None = None) -> str:
        """Give the address of a verb, for one object or for the list."""
        return reverse(self.url_name(verb), args=[] if pk is None else [pk])

    def rows(self, user: Any, action: str = "view") -> models.QuerySet:
        """Give the rows on which the user may do the action."""
        return self.model._default_manager.visible_to(user, action)  # type: ignore[attr-defined]

    def for_list(self, rows: models.QuerySet, user: Any) -> models.QuerySet:
        """Bring along what a row of a list needs; what is counted is what the user may see."""
        found = self.list_queryset(rows)
        if not self.counts:
            return found
        counted = {
            f"{name}_count": seen_count(self.model, relation, user)
            for name, relation in self.counts.items()
        }
        # A query that groups forgets the model's own order.
        return found.annotate(**counted).order_by(*self.model._meta.ordering or ["pk"])

    def can(self, user: Any) -> dict[str, bool]:
        """Say which verbs the page may offer to the user."""
        held = {
            verb: user.has_perm(self.permission(verb))
            for verb in ("add", "change", "delete")
        }
        offered = {verb: held[verb] and verb in self.verbs for verb in held}
        return {
            **offered,
            "import": held["add"] and "import" in self.verbs,
            "export": True,
        }

    def save_checked(
        self, *, user: Any, form: ResourceForm, actor: Actor | None = None
    ) -> models.Model:
        """Save through the service, and check that the user may have such a row (see services.save_checked)."""
        return services.save_checked(
            resource=self, user=user, form=form, actor=actor or user
        )


def seen_count(model: type[models.Model], relation: str, user: Any) -> models.Count:
    """Count the related rows that a user may see: a number must not tell of what is hidden."""
    related: Any = model._meta.get_field(relation).related_model
    rows = related._default_manager
    if scope_of(user, permission_for(related, "view")).everything:
        return models.Count(relation, distinct=True)
    seen = rows.visible_to(user).order_by().values("pk")
    within = models.Q(**{f"{relation}__in": seen})
    return models.Count(relation, distinct=True, filter=within)


_registry: dict[str, Resource] = {}


def register(resource: Resource) -> None:
    """Make a resource known to the API, the search and the tests."""
    _registry[f"{resource.app_label}.{resource.model_name}"] = resource


def all_resources() -> list[Resource]:
    """List the resources of all rooms, in the order of their urls."""
    return list(_registry.values())
