"""One declaration per model: from it come its pages, its import and export, its history and its REST endpoints."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import django_filters
from django.conf import settings
from django.db import models
from django.http import HttpRequest
from django.urls import reverse

from adminset.audit import Actor
from adminset.crud import services
from adminset.crud.forms import ResourceForm, natural_field
from adminset.crud.tables import ResourceTable
from adminset.querysets import permission_for, scope_of

VERBS = frozenset({"add", "change", "delete", "import", "revert"})


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
        when: whether an object has it. may: (user, object) -> whether that reader is offered it, besides the permission.
        told: (user, object) -> the words on it in the place of its title; "": it is not offered.
        everywhere: a grant on some objects does not open that page.
        new_page: it opens beside the page that is there.
    """

    title: Any
    url_name: str
    icon: str
    permission: str
    post: bool = False
    when: Callable[[Any], bool] = lambda instance: True
    may: Callable[[Any, Any], bool] = lambda user, instance: True
    told: Callable[[Any, Any], str] | None = None
    everywhere: bool = False
    new_page: bool = False


@dataclass(frozen=True)
class ListLink:
    """A way on from a filtered list: what matches becomes something else.

    Attributes:
        url: (query of the list) -> address.
        permission: who is offered it.
    """

    title: Any
    icon: str
    permission: str
    url: Callable[[str], str]


@dataclass(frozen=True)
class BulkAction:
    """A further button for chosen rows: a page of the room's own that takes the form of the bulk bar (selection.of_form).

    Attributes:
        permission: who is offered it.
    """

    title: Any
    url_name: str
    icon: str
    permission: str


@dataclass(frozen=True, kw_only=True)
class Resource:
    """What the portal shows and takes of one model.

    Attributes:
        table, form, filterset: shape of a list, of an input, of a filter.
        path: plural noun in addresses, pages and API alike ("hosts").
        search: fields that the quick search looks into (contains, without case).
        tabs: url names of the lists that belong together, drawn over the list.
        panels: further tabs of the object's page. actions: buttons in its head. list_links: ways on from the filtered list.
        row_actions: such buttons in each row of the list, for whoever holds their permission anywhere.
        bulk_actions: further buttons for chosen rows.
        detail_fields: what the overview shows; default: the form's fields.
        bulk_fields: what may be changed on many at once.
        bulk_plain: those of them that `save` writes as they are, with the fields on which their check looks (none: a
            value is as right for one row as for any other): rows that are alike there are checked and written at once.
        bulk_guard: (user, keys) -> context around such a write, for what `save` watches over besides.
        wide_fields: fields that take much room and that no column of the list reads: an export leaves them where they are.
        import_fields: columns of the import; default: the form's fields. Secrets are never among them.
        import_save: (actor, form, by) -> object: how an import writes, where that is not `save`; by: name of the file.
        import_held: (object, names of fields) -> those that an import may not change, because somebody's word counts more.
        import_reads: related rows that saving an object reads; an import brings them along for many at once.
        import_keys: further fields by which a row of an import may find its object, beside those that are unique.
        api_fields: what the API gives; default: id, the form's fields, created_at, updated_at.
        list_queryset: brings along what a row needs, so that 1,000 rows cost as many queries as one.
        counts: name -> relation: how many related rows each row has ("host" -> "hosts" gives `host_count`), of those
            that the reader may see.
        lookups: further names to filter by, with their paths ("last_seen" -> "agent__last_seen_at"); the plain fields that
            the pages show need no mention, and an empty path takes one away (adminset/crud/lookups.py).
        save: (actor, form) -> object, the one way to write. delete: (actor, instance) -> None.
        verbs: what this resource offers besides viewing.
        moves: (rows of a page) -> whether anything goes on in one of them: the list reads itself again as long as it does.
        begins: a sentence for the empty list of what nobody adds by hand: how the first one comes about.
        api_counts: name in the API -> number that `for_list` brings along, for what counts only what the reader may see.
        api_texts: the same of texts.
        api_name: what its rows are called in the schema of the API, where two rooms have a model of the same name.
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
    row_actions: tuple[Action, ...] = ()
    list_links: tuple[ListLink, ...] = ()
    bulk_actions: tuple[BulkAction, ...] = ()
    detail_fields: tuple[str, ...] = ()
    bulk_fields: tuple[str, ...] = ()
    bulk_plain: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    bulk_guard: Callable[[Any, list[Any]], AbstractContextManager[None]] = (
        lambda user, keys: nullcontext()
    )
    wide_fields: tuple[str, ...] = ()
    import_fields: tuple[str, ...] = ()
    import_keys: tuple[str, ...] = ()
    import_reads: tuple[str, ...] = ()
    import_save: Callable[..., models.Model] | None = None
    import_held: Callable[[Any, Iterable[str]], set[str]] = lambda instance, names: (
        set()
    )
    api_fields: tuple[str, ...] = ()
    list_queryset: Callable[[models.QuerySet], models.QuerySet] = field(
        default=lambda rows: rows
    )
    counts: Mapping[str, str] = field(default_factory=dict)
    lookups: Mapping[str, str] = field(default_factory=dict)
    save: Callable[..., models.Model] = services.save
    delete: Callable[..., None] = services.delete
    verbs: frozenset[str] = VERBS
    moves: Callable[[Sequence[Any]], bool] = lambda rows: False
    begins: Any = ""
    api_counts: Mapping[str, str] = field(default_factory=dict)
    api_texts: tuple[str, ...] = ()
    api_name: str = ""
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

    @property
    def rename_field(self) -> str:
        """The field by which people call an object, where many can be renamed at once; else ""."""
        name = natural_field(self.model)
        offered = "change" in self.verbs and bool(self.bulk_fields)
        return name if offered and name in self.form.base_fields else ""

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
            "import": (held["add"] or held["change"]) and "import" in self.verbs,
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


# Tabs that many resources have: (whether a resource has it, the tab).
_shared_panels: list[tuple[Callable[[Resource], bool], Panel]] = []


def share_panel(applies: Callable[[Resource], bool], panel: Panel) -> None:
    """Give a tab to the object pages of all resources to which it applies; a room calls it in its urls.py."""
    _shared_panels.append((applies, panel))


def panels_of(resource: Resource) -> list[Panel]:
    """List the further tabs of a resource's object pages: its own, then the shared ones."""
    shared = [panel for applies, panel in _shared_panels if applies(resource)]
    return [*resource.panels, *shared]


_registry: dict[str, Resource] = {}


def register(resource: Resource) -> None:
    """Make a resource known to the API, the search and the tests."""
    _registry[f"{resource.app_label}.{resource.model_name}"] = resource


def resource_of(label: str) -> Resource | None:
    """Find the resource of a model by the model's label ("cmdb.host"), None where it has none."""
    if not _registry:
        # A worker has opened no page yet, and the site map is where resources are declared.
        import_module(settings.ROOT_URLCONF)
    return _registry.get(label)


def all_resources() -> list[Resource]:
    """List the resources of all rooms, in the order of their urls."""
    return list(_registry.values())
