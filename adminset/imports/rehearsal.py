"""Tries writes out and takes them back: what only the services refuse, and what would lie outside a scope, stands in the plan then."""

from typing import Any

from django.db import DatabaseError, IntegrityError, transaction
from django.utils.translation import gettext as _

from adminset.audit import Actor
from adminset.crud.resource import Resource
from adminset.errors import DomainError
from adminset.imports.judging import CHUNK, Judged, Kind
from adminset.querysets import scope_of


def is_worth_it(resource: Resource, user: Any, rows: int) -> bool:
    """Say whether writes are to be tried out: for people who may not have everything, and where it takes a moment only."""
    scopes = [scope_of(user, resource.permission(a)) for a in ("add", "change")]
    return rows <= CHUNK or not all(scope.everything for scope in scopes)


def rehearse(resource: Resource, user: Any, chunk: list[Judged], by: str) -> None:
    """Write the rows of a chunk and roll back, so that the plan tells what would be refused."""
    writing = [judged for judged in chunk if judged.writes]
    with transaction.atomic():
        for judged in writing:
            _try(resource, user, judged, by)
        outside(resource, user, writing)
        transaction.set_rollback(True)


def _try(resource: Resource, actor: Actor, judged: Judged, by: str) -> None:
    try:
        with transaction.atomic():
            write(resource, actor, judged, by)
    except DatabaseError:
        return  # the row says why


def write(resource: Resource, actor: Actor, judged: Judged, by: str) -> None:
    """Write a row through the resource's service; where it is refused, why stands with the row.

    Args:
        by: name of the file.

    Raises:
        DatabaseError: the database refuses it: nothing more can be written in this transaction.
    """
    try:
        if resource.import_save is None:
            resource.save(actor=actor, form=judged.form)
        else:
            resource.import_save(actor=actor, form=judged.form, by=by)
    except DomainError as error:
        judged.fail(f"{error.message} {error.hint}".strip())
    except IntegrityError:
        judged.fail(_("Another object has these values already, and no two may."))
        raise
    except DatabaseError:
        judged.fail(_("The database does not take these values."))
        raise


def outside(resource: Resource, user: Any, written: list[Judged]) -> None:
    """Mark the rows that lie outside what the user may add or change, now that they are written."""
    for action, kind in (("add", Kind.CREATE), ("change", Kind.UPDATE)):
        rows = {j.form.instance.pk: j for j in written if j.kind == kind and j.form}
        seen = resource.rows(user, action).filter(pk__in=rows).order_by()
        for pk in rows.keys() - set(seen.values_list("pk", flat=True)):
            said = _(
                "You may not have a %(name)s like this: it would lie outside your scope."
            )
            rows[pk].fail(said % {"name": resource.verbose_name})
