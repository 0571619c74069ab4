"""Saved views of lists: whose they are, who may share and change them, and which one opens first."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.http import QueryDict
from django.utils.translation import gettext as _

from adminset import audit
from adminset.audit_seal import clean
from adminset.crud.resource import Resource
from adminset.errors import Conflict, DomainError, Forbidden
from adminset.list_models import LONGEST_QUERY, DefaultView, SavedView
from adminset.querysets import scope_of

FOR_ALL = "adminset.change_savedview"
# What an address says of one look at the list and not of the list.
PASSING = ("page", "view", "export", "freeze", "add", "lookup", "value")


def may_for_all(user: Any) -> bool:
    """Say whether somebody may set up what everybody sees first, and change what others have shared."""
    return scope_of(user, FOR_ALL).everything


def kept_query(params: QueryDict) -> str:
    """Give of a list's address what a view keeps: filters, order, columns, page size.

    Raises:
        DomainError: it is longer than any list needs.
    """
    kept = params.copy()
    for name in PASSING:
        kept.pop(name, None)
    query = kept.urlencode()
    if len(query) > LONGEST_QUERY:
        raise DomainError(_("These filters are too long to be kept as a view."))
    return query


def views_of(user: Any, resource: Resource) -> list[SavedView]:
    """List the views that a user may open; each says whether it is his default (`is_mine_first`) or everybody's (`is_first`)."""
    rows = SavedView.objects.open_to(user).filter(resource=resource.path)
    found = list(rows.select_related("owner"))
    defaults = DefaultView.objects.filter(resource=resource.path, view__in=found)
    chosen: set[tuple[int, int | None]] = set()
    if found:
        chosen.update(defaults.values_list("view_id", "user_id"))
    for view in found:
        view.is_mine_first = (view.pk, user.pk) in chosen  # type: ignore[attr-defined]
        view.is_first = (view.pk, None) in chosen  # type: ignore[attr-defined]
    return found


def default_view(user: Any, resource: Resource) -> SavedView | None:
    """Give the view that opens when nothing else is asked for: the user's own choice before everybody's."""
    rows = DefaultView.objects.filter(Q(user_id=user.pk) | Q(user_id=None))
    mine_first = rows.filter(
        resource=resource.path, view__in=SavedView.objects.open_to(user)
    ).order_by(F("user_id").desc(nulls_last=True), "-pk")
    chosen = mine_first.select_related("view").first()
    return chosen.view if chosen else None


def address_of(resource: Resource, view: SavedView) -> str:
    """Give the address of a list as a view keeps it."""
    query = QueryDict(view.query, mutable=True)
    query["view"] = str(view.pk)
    return f"{resource.url('list')}?{query.urlencode()}"


@transaction.atomic
def save_view(
    *, actor: Any, resource: Resource, name: str, query: str, shared: bool
) -> SavedView:
    """Keep a list under a name, for oneself or for everybody who may open the list.

    Raises:
        DomainError: no name, or a query that is too long. Conflict: one has a view of this name already.
    """
    view = SavedView(
        owner=actor,
        resource=resource.path,
        name=_name(name),
        query=kept_query(QueryDict(query[: 2 * LONGEST_QUERY])),
        is_shared=shared,
    )
    _write(view)
    told = audit.changed({}, _told(view))
    audit.record(actor, "savedview.create", view, changes=told)
    return view


@transaction.atomic
def change_view(*, actor: Any, view: SavedView, **values: Any) -> None:
    """Rename a view, share it or not, or keep another query under its name (`name`, `is_shared`, `query`).

    Raises:
        Forbidden: it is somebody else's. DomainError, Conflict: as for `save_view`.
    """
    _own(actor, view)
    before = _told(view)
    if "name" in values:
        view.name = _name(values["name"])
    if "query" in values:
        view.query = kept_query(QueryDict(values["query"][: 2 * LONGEST_QUERY]))
    view.is_shared = values.get("is_shared", view.is_shared)
    _write(view)
    if not view.is_shared:
        # Nobody else's list may open by a view that only its owner sees.
        view.defaults.exclude(user_id=view.owner_id).delete()
    if told := audit.changed(before, _told(view)):
        audit.record(actor, "savedview.update", view, changes=told)


@transaction.atomic
def delete_view(*, actor: Any, view: SavedView) -> None:
    """Forget a view, for all who opened it.

    Raises:
        Forbidden: it is somebody else's.
    """
    _own(actor, view)
    told = audit.changed(_told(view), dict.fromkeys(_told(view)))
    audit.record(actor, "savedview.delete", view, changes=told)
    view.delete()


@transaction.atomic
def set_default(
    *, actor: Any, view: SavedView, first: bool, for_all: bool = False
) -> None:
    """Let a view open first, or no longer: for oneself, or for everybody who has chosen none.

    Raises:
        Forbidden: for everybody, without the permission. DomainError: a view that not everybody can open.
    """
    if for_all and not may_for_all(actor):
        raise Forbidden(
            _("You may not set up what everybody sees first."),
            _("Ask somebody who may change saved views everywhere."),
        )
    if for_all and first and not view.is_shared:
        raise DomainError(_("Share the view first: others cannot open it."))
    user = None if for_all else actor
    held = DefaultView.objects.filter(user=user, resource=view.resource)
    (held if first else held.filter(view=view)).delete()
    if first:
        DefaultView.objects.create(user=user, resource=view.resource, view=view)
    word = "default_for_all" if for_all else "default"
    change = {"field": word, "old": not first, "new": first}
    audit.record(actor, "savedview.update", view, changes=[change])


def may_change(user: Any, view: SavedView) -> bool:
    """Say whether somebody may rename, share or delete a view."""
    return view.owner_id == user.pk or (view.is_shared and may_for_all(user))


def _own(actor: Any, view: SavedView) -> None:
    if not may_change(actor, view):
        raise Forbidden(
            _("The view %(name)s belongs to %(owner)s.")
            % {"name": view.name, "owner": view.owner},
            _("Save one of your own."),
        )


def _name(text: str) -> str:
    name = " ".join(clean(text).split())
    if not 0 < len(name) <= 80:
        raise DomainError(
            _("A view needs a name of at most 80 characters."),
            fields={"name": name[:80]},
        )
    return name


def _write(view: SavedView) -> None:
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError as error:
        raise Conflict(
            _("You have a view %(name)s of this list already.") % {"name": view.name},
            _("Choose another name."),
        ) from error


def _told(view: SavedView) -> dict[str, Any]:
    names = ("resource", "name", "query", "is_shared")
    return {name: getattr(view, name) for name in names}
