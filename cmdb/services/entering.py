"""Keeps people from widening their own reach: nobody writes a host so that it comes within one of his grants."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.utils.translation import gettext as _

from adminset.errors import Forbidden
from adminset.querysets import Scope, scope_of
from cmdb import membership
from cmdb.models import HOST_GROUP_SCOPE, Host


@contextmanager
def no_entry(
    user: Any, host_ids: Iterable[int], *, by_any_way: bool = False
) -> Iterator[None]:
    """Watch over a write to hosts; call it in the transaction of the write.

    Who could make a host match the filter of a group that one of his grants is held to would give himself that host:
    what he may change is one thing, what he may run or open another. New hosts are no matter: they were nobody's.

    Args:
        by_any_way: watch over grants held to static groups, product lines and the like too: for what moves these from
            host to host without a form that asks for the right to them.

    Raises:
        Forbidden: a host came within a grant; nothing is kept.
    """
    ids = list(host_ids)
    doors = _doors(user, by_any_way) if ids else []
    before = [_within(scope, ids) for scope in doors]
    yield
    for scope, had in zip(doors, before, strict=True):
        came = _within(scope, ids) - had
        groups = scope.of(HOST_GROUP_SCOPE)
        if came and (by_any_way or membership.matches(groups, came)):
            raise _refusal(min(came), by_any_way)


def _doors(user: Any, by_any_way: bool) -> list[Scope]:
    """List where the user's permissions on hosts are held to dynamic groups, or to anything; each different place once."""
    dynamic = membership.dynamic_groups().keys()
    if not dynamic and not by_any_way:
        return []
    found: list[Scope] = []
    for action in _actions():
        scope = scope_of(user, f"cmdb.{action}_host")
        held = by_any_way or scope.of(HOST_GROUP_SCOPE) & dynamic
        if scope and not scope.everything and held and scope not in found:
            found.append(scope)
    return found


def _actions() -> list[str]:
    meta = Host._meta
    further = [codename.partition("_")[0] for codename, _name in meta.permissions]
    return [*meta.default_permissions, *further]


def _within(scope: Scope, ids: list[int]) -> set[int]:
    rows = Host.objects.filter(pk__in=ids).within(scope, "view").order_by()
    return set(rows.values_list("pk", flat=True))


def _refusal(key: int, by_any_way: bool) -> Forbidden:
    host = {"host": Host.objects.get(pk=key)}
    if by_any_way:
        said = _("By this change %(host)s would come into your own reach.") % host
        hint = _("Ask somebody whose rights reach both hosts already.")
    else:
        said = (
            _(
                "By this change %(host)s would come into your own reach through a dynamic group."
            )
            % host
        )
        hint = _("Ask somebody whose rights do not depend on that group.")
    return Forbidden(said, hint, code="enters_own_scope")
