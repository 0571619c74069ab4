"""Which rows an act is about: the ticked ones, or all that a query matched at one moment; refused once those are others."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core import signing
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db import models
from django.db.models import Count, Max, Sum
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from adminset.crud.lists import Matching
from adminset.crud.resource import Resource
from adminset.crud.saved_views import kept_query
from adminset.errors import Conflict, DomainError

SALT = "adminset.selection"
# A selection that is older than this has been forgotten about.
LIFETIME_SECONDS = 3600
FIELD = "selection"


@dataclass(frozen=True)
class Frozen:
    """All rows that a query matched at one moment.

    Attributes:
        count: how many. newest: when one of them was last changed. keys: the sum of their keys, which betrays an
            exchange of rows that leaves the other two as they were.
    """

    query: str
    count: int
    newest: str
    keys: int

    @classmethod
    def look(cls, matching: Matching) -> "Frozen":
        """Look at what matches now."""
        rows = matching.rows.order_by()
        asked: dict[str, Any] = {"count": Count("pk"), "keys": Sum("pk")}
        if _has(rows.model, "updated_at"):
            asked["newest"] = Max("updated_at")
        seen = rows.aggregate(**asked)
        newest: datetime | None = seen.get("newest")
        return cls(
            kept_query(matching.params),
            seen["count"],
            newest.isoformat() if newest else "",
            int(seen["keys"] or 0),
        )


def _has(model: type[models.Model], name: str) -> bool:
    try:
        model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return True


def freeze(matching: Matching) -> tuple[str, int]:
    """Freeze what a query matches now; give the signed selection for a form, and how many rows it has.

    Raises:
        DomainError: a filter is wrong, nothing matches, or more rows than ADMINSET_BULK_MAX_MATCHING do.
    """
    matching.refuse_problems()
    seen = Frozen.look(matching)
    _check_size(seen.count, settings.BULK_MAX_MATCHING)
    told = {**vars(seen), "user": matching.user.pk, "list": matching.resource.path}
    return signing.dumps(told, salt=SALT, compress=True), seen.count


def _check_size(count: int, most: int) -> None:
    if not count:
        raise DomainError(_("Nothing is selected."), _("Tick rows in the list first."))
    if count > most:
        raise DomainError(
            _("%(count)s rows are too many at once.") % {"count": count},
            _("Select at most %(most)s.") % {"most": most},
        )


@dataclass(frozen=True)
class Selection:
    """The rows of an act: keys that were ticked, or a frozen query."""

    resource: Resource
    keys: tuple[int, ...] = ()
    frozen: Frozen | None = None

    @property
    def count(self) -> int:
        """How many rows the user saw."""
        return self.frozen.count if self.frozen else len(self.keys)

    def rows(self, user: Any, action: str) -> models.QuerySet:
        """Give the rows, looked at again.

        Raises:
            Conflict: what the query matches is not what the user saw.
            PermissionDenied: the user may not do this to every one of them (nothing is done to any).
        """
        allowed = self.resource.rows(user, action)
        if self.frozen is None:
            rows = allowed.filter(pk__in=self.keys)
        else:
            matching = Matching(self.resource, QueryDict(self.frozen.query), user)
            matching.refuse_problems()
            _refuse_drift(self.frozen, Frozen.look(matching))
            keys = matching.rows.order_by().values("pk")
            rows = allowed.filter(pk__in=keys)
        if rows.count() != self.count:
            raise PermissionDenied(self.resource.permission(action))
        return rows

    def as_json(self) -> dict[str, Any]:
        """Give it as a job keeps it."""
        return {"frozen": vars(self.frozen)} if self.frozen else {"keys": self.keys}


def of_job(resource: Resource, kept: dict[str, Any]) -> Selection:
    """Give the selection that a job kept."""
    if "frozen" in kept:
        return Selection(resource, frozen=Frozen(**kept["frozen"]))
    return Selection(resource, tuple(kept["keys"]))


def of_form(resource: Resource, sent: QueryDict, user: Any) -> Selection:
    """Read the selection of a form: `selection` (frozen), else every `pk`.

    Raises:
        DomainError: none or too many rows, or a frozen selection that is not this user's, of this list, or of this hour.
    """
    if token := sent.get(FIELD):
        return Selection(resource, frozen=_opened(resource, str(token), user))
    # No key of a row has 19 digits, and no database takes a longer one.
    asked = sent.getlist("pk")
    keys = {int(pk) for pk in asked if pk.isdecimal() and len(pk) < 19}
    _check_size(len(keys), settings.BULK_MAX_ROWS)
    return Selection(resource, tuple(sorted(keys)))


def _opened(resource: Resource, token: str, user: Any) -> Frozen:
    try:
        told = signing.loads(token, salt=SALT, max_age=LIFETIME_SECONDS)
    except signing.BadSignature:
        told = {}
    if (told.pop("user", None), told.pop("list", None)) != (user.pk, resource.path):
        raise DomainError(
            _("This selection is no longer good."),
            _("Go back to the list and select the rows again."),
            code="stale_selection",
        )
    return Frozen(**told)


def _refuse_drift(saw: Frozen, now: Frozen) -> None:
    if saw == now:
        return
    more = now.count - saw.count
    if more > 0:
        said = ngettext(
            "%(count)s row more than you saw: look again.",
            "%(count)s rows more than you saw: look again.",
            more,
        )
    elif more < 0:
        said = ngettext(
            "%(count)s row fewer than you saw: look again.",
            "%(count)s rows fewer than you saw: look again.",
            -more,
        )
    else:
        said = _("Some of these rows were changed since you saw them: look again.")
    raise Conflict(
        said % {"count": abs(more)},
        _("Nothing was changed."),
        code="selection_drifted",
    )
