"""Which lines of the audit trail are taken back together, and what they did to each object taken as one."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from adminset.crud.resource import Resource, resource_of
from adminset.errors import DomainError, NotFound
from adminset.models import AuditEntry
from adminset.querysets import scope_of

TRAIL = "adminset.view_auditentry"
# More lines than this of one request are taken back object by object.
MOST_LINES = 20_000


@dataclass
class Net:
    """What some lines did to one object, taken as one.

    Attributes:
        entries: the lines, oldest first.
        existed, exists: whether there was such an object before them, and after them.
        changes: field -> change from before the first line to after the last.
    """

    resource: Resource
    pk: int
    entries: list[AuditEntry] = field(default_factory=list)
    existed: bool = True
    exists: bool = True
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the object was called last."""
        return self.entries[-1].target_name

    def add(self, entry: AuditEntry) -> None:
        """Take a further line in."""
        shape = shape_of(entry)
        if not self.entries:
            self.existed = shape != "create"
        self.exists = shape != "delete"
        self.entries.append(entry)
        for change in entry.changes:
            name = str(change.get("field", ""))
            if name == "id":
                continue
            first = self.changes.get(name)
            later = {key: change[key] for key in ("new", "new_id") if key in change}
            self.changes[name] = {**first, **later} if first else dict(change)


def shape_of(entry: AuditEntry) -> str:
    """Say whether a line made an object ("create"), took it away ("delete") or changed it ("update")."""
    word = entry.verb.rpartition(".")[2]
    if word in ("create", "delete"):
        return word
    for change in entry.changes if word == "revert" else ():
        if change.get("field") == "id":
            return "delete" if change.get("new") is None else "create"
    return "update"


def lines_of(user: Any, pk: int, *, whole: bool) -> list[AuditEntry]:
    """Give the lines that are to be taken back, oldest first: one, or all of its request.

    Raises:
        NotFound: there is no such line, or the user may not know of it.
        DomainError: there are too many.
    """
    entry = AuditEntry.objects.filter(pk=pk).first()
    if entry is None or not may_see(user, entry):
        raise NotFound(_("There is no such line in the audit trail."), code="not_found")
    if not whole or not entry.request_id:
        return [entry]
    rows = AuditEntry.objects.filter(request_id=entry.request_id).order_by("pk")
    found = list(rows[: MOST_LINES + 1])
    if len(found) > MOST_LINES:
        raise DomainError(
            _("This request changed more than %(most)s objects.")
            % {"most": MOST_LINES},
            _("Take its changes back one by one."),
        )
    return found


def may_see(user: Any, entry: AuditEntry) -> bool:
    """Say whether a user may look at a line here: one about an object that he sees; of one that is gone, his own or with the trail."""
    resource = resource_of(entry.target_type)
    if resource is None or not entry.target_id.isdecimal():
        return False
    if not user.has_perm(resource.permission("view")):
        return False
    pk = int(entry.target_id)
    if resource.model._base_manager.filter(pk=pk).exists():
        return bool(resource.rows(user).filter(pk=pk).exists())
    return may_see_gone(user, [entry])


def may_see_gone(user: Any, entries: Iterable[AuditEntry]) -> bool:
    """Say whether a user may know of an object that is gone: by his own acts on it, or with the whole trail."""
    own = all(e.actor_id is not None and e.actor_id == user.pk for e in entries)
    return own or scope_of(user, TRAIL).everything


def can_revert(entry: AuditEntry) -> bool:
    """Say whether a line is about an object of a kind whose changes are taken back."""
    resource = resource_of(entry.target_type)
    known = resource is not None and "revert" in resource.verbs
    return known and entry.target_id.isdecimal() and bool(entry.changes)


def by_object(
    entries: Iterable[AuditEntry],
) -> tuple[list[Net], list[AuditEntry]]:
    """Take the lines together by object.

    Returns:
        what happened to each object, the one touched last first; and the lines that nothing can be done about: sign-ins,
        exports, objects that are not taken back.
    """
    found: dict[tuple[str, str], Net] = {}
    rest = []
    for entry in entries:
        resource = resource_of(entry.target_type)
        if resource is None or not can_revert(entry):
            rest.append(entry)
            continue
        key = (entry.target_type, entry.target_id)
        net = found.setdefault(key, Net(resource, int(entry.target_id)))
        net.add(entry)
    return sorted(found.values(), key=lambda n: n.entries[-1].pk, reverse=True), rest
