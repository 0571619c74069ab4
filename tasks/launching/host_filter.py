"""The filter of a host list as the target of work: read from an address, asked with the eyes of one user."""

from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from adminset.crud import lookups
from adminset.crud.lists import Matching
from adminset.crud.resource import Resource, resource_of
from adminset.crud.saved_views import PASSING

LONGEST = 2000
# What an address says of the look of the list, and not of which hosts.
LOOK = (*PASSING, "sort", "columns", "per_page", "page_size")


def host_resource() -> Resource:
    """Give the resource of hosts."""
    found = resource_of("cmdb.host")
    assert found is not None  # noqa: S101 (its pages are always there)
    return found


def group_resource() -> Resource:
    """Give the resource of host groups."""
    found = resource_of("cmdb.hostgroup")
    assert found is not None  # noqa: S101
    return found


def filter_of(text: str) -> str:
    """Give the filter in an address of the host list, without what is only its look.

    Raises:
        ValueError: it has none, or one that is too long; says so in a sentence.
    """
    query = text.strip().rpartition("?")[2].partition("#")[0]
    try:
        params = QueryDict(query, mutable=True)
    except (BadRequest, SuspiciousOperation, UnicodeError) as error:
        raise ValueError(_("This is no address of the host list.")) from error
    empty = [name for name in params if not any(params.getlist(name))]
    for name in (*LOOK, *empty):
        params.pop(name, None)
    kept = params.urlencode()
    if not kept:
        words = _("There is no filter in it: filter the host list, copy its address.")
        raise ValueError(words)
    if len(kept) > LONGEST:
        raise ValueError(_("This filter is too long."))
    return kept


def problems_of(user: Any, query: str) -> list[str]:
    """Say what is wrong with a filter: a value that makes no sense, or a parameter that the host list does not know.

    The list itself leaves out what it does not know; work would then run on more hosts than were meant.
    """
    params = QueryDict(query)
    found = Matching(host_resource(), params, user)
    known = tuple(found.filterset.form.fields) if found.filterset else ()
    wrong = list(map(str, found.problems.values()))
    for name in params:
        ours = name == "q" or name.startswith(lookups.PREFIX) or name in known
        # A range spreads over several parameters: created_at_after.
        if not ours and not any(name.startswith(f"{each}_") for each in known):
            said = _("The host list has no filter %(name)s.")
            wrong.append(said % {"name": name[:60]})
    return wrong


def matching_hosts(user: Any, query: str) -> QuerySet:
    """Give the hosts that a filter finds, of those that the user may see; none where it is not understood."""
    found = Matching(host_resource(), QueryDict(query), user)
    return found.rows.none() if problems_of(user, query) else found.rows
