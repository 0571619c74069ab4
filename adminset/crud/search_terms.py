"""The terms by which objects are found: made from the fields that a resource searches, kept in step with its rows."""

import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models, transaction

from adminset import audit, gathering
from adminset.crud.resource import Resource, all_resources, resource_of
from adminset.search_models import LONGEST_TERM, SearchTerm

CHUNK = 1000
# Further places in a value at which a term begins: "web-01.bj.example.com" is found by "bj" too.
MOST_PARTS = 5
LONGEST_VALUE = 500
NAME, VALUE, PART = 0, 1, 2
BEGINNING = re.compile(r"(?<=[\W_])[^\W_]")
MAC = re.compile(
    r"[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5,19}|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}"
)
# What somebody types who has not come to the end of a MAC address yet.
BEGUN_MAC = re.compile(
    r"[0-9a-f]{2}(?:[:-][0-9a-f]{1,2})+[:-]?|[0-9a-f]{4}(?:\.[0-9a-f]{1,4})+\.?"
)
Found = dict[str, int]


def normal(text: Any) -> str:
    """Write a text as terms are written: lower case, one form for each letter (NFKC), single blanks."""
    sound = str(text)[:LONGEST_VALUE].encode("utf-8", "ignore").decode()
    plain = unicodedata.normalize("NFKC", sound).lower()
    return " ".join(plain.replace("\x00", "").split())[:LONGEST_TERM]


def asked(text: str) -> list[str]:
    """Give what to look for when somebody types a text: itself, and as an address or a MAC address in the usual form."""
    plain = normal(text)
    found = [plain]
    if BEGUN_MAC.fullmatch(plain):
        found.append(re.sub(r"[:.-]", "", plain))
    found.append(_address(plain))
    return list(dict.fromkeys(filter(None, found)))


def _address(plain: str) -> str:
    try:
        return str(ipaddress.ip_address(plain))
    except ValueError:
        return ""


def terms_of(resource: Resource, row: models.Model) -> Found:
    """Map the terms of an object to their weights: what its own fields say; what a related object is called finds that one."""
    found: Found = {}
    for place, name in enumerate(own_fields(resource)):
        value = getattr(row, name)
        if value not in (None, ""):
            for term, is_part in _terms(str(value)):
                found.setdefault(term, PART if is_part else min(place, VALUE))
    return found


def own_fields(resource: Resource) -> list[str]:
    """Name the fields of a resource's own that are searched, never a secret one."""
    names = []
    for name in resource.search:
        try:
            field: Any = resource.model._meta.get_field(name)
        except FieldDoesNotExist:
            continue
        if not field.is_relation and not audit.is_secret(field):
            names.append(name)
    return names


def _terms(value: str) -> Iterator[tuple[str, bool]]:
    whole = normal(value)
    if MAC.fullmatch(whole):
        yield re.sub(r"[:.-]", "", whole), False
        return
    if not whole:
        return
    yield whole, False
    if not _address(whole.partition("/")[0]):
        for place in list(BEGINNING.finditer(whole))[:MOST_PARTS]:
            yield whole[place.start() :], True


def index(instance: models.Model) -> None:
    """Bring the terms of one saved object in step with it; an object that no search finds costs nothing."""
    resource = resource_of(instance._meta.label_lower)
    if resource is not None and resource.search:
        _write(resource, [instance])


def index_rows(model: type[models.Model], keys: Iterable[Any]) -> None:
    """Bring the terms of many objects in step, after a write that saved none of them singly (bulk_create, update)."""
    resource, listed = resource_of(model._meta.label_lower), list(keys)
    if resource is None or not resource.search:
        return
    for start in range(0, len(listed), CHUNK):
        keys_now = listed[start : start + CHUNK]
        _write(resource, _plain_rows(resource).filter(pk__in=keys_now))


def saved(
    sender: type[models.Model],
    instance: models.Model,
    update_fields: frozenset[str] | None = None,
    **_told: Any,
) -> None:
    """Take Django's word that an object was saved (connected in adminset/apps.py), whoever saved it."""
    # A migration's models are not the portal's, and the table may not be there yet.
    if sender._meta.apps is not apps or not isinstance(instance.pk, int):
        return
    resource = resource_of(sender._meta.label_lower)
    if resource is None or not resource.search:
        return
    if update_fields is None or not update_fields.isdisjoint(own_fields(resource)):
        if (waiting := gathering.current.get()) is not None:
            waiting.saved.setdefault(sender, []).append(instance.pk)
            return
        _write(resource, [instance])


def _plain_rows(resource: Resource) -> models.QuerySet:
    fields = ("pk", *own_fields(resource))
    return resource.model._base_manager.only(*fields)


def _write(resource: Resource, rows: Iterable[models.Model]) -> tuple[int, int]:
    """Write what is missing and drop what is wrong; gives (added, dropped)."""
    label = resource.model._meta.label_lower
    wanted = {row.pk: terms_of(resource, row) for row in rows}
    mine = SearchTerm.objects.filter(label=label, object_id__in=list(wanted))
    wrong = []
    for pk, key, term, weight in mine.values_list("pk", "object_id", "term", "weight"):
        if wanted[key].get(term) == weight:
            del wanted[key][term]
        else:
            wrong.append(pk)
    return _replace(label, wanted, wrong)


def _replace(label: str, wanted: dict[Any, Found], wrong: list[int]) -> tuple[int, int]:
    new = [
        SearchTerm(label=label, object_id=key, term=term, weight=weight)
        for key, terms in wanted.items()
        for term, weight in terms.items()
    ]
    if wrong:
        SearchTerm.objects.filter(pk__in=wrong).delete()
    # Two writers of one object may both miss the same term.
    SearchTerm.objects.bulk_create(new, batch_size=CHUNK, ignore_conflicts=True)
    return len(new), len(wrong)


def rebuild(resource: Resource) -> tuple[int, int]:
    """Bring the terms of all rows of a resource in step, and drop those of rows that are gone; gives (added, dropped).

    In steps of 1,000 rows, each a transaction of its own: the portal goes on meanwhile.
    """
    added = dropped = 0
    rows, after = _plain_rows(resource).order_by("pk"), 0
    while True:
        with transaction.atomic():
            chunk = list(rows.filter(pk__gt=after)[:CHUNK])
            last = chunk[-1].pk if len(chunk) == CHUNK else None
            more, fewer = _write(resource, chunk)
            fewer += _drop_between(resource, {row.pk for row in chunk}, after, last)
        added, dropped = added + more, dropped + fewer
        if last is None:
            return added, dropped
        after = last


def _drop_between(
    resource: Resource, there: set[Any], after: int, last: int | None
) -> int:
    """Drop terms of keys between two that no row has."""
    label = resource.model._meta.label_lower
    terms = SearchTerm.objects.filter(label=label, object_id__gt=after)
    if last is not None:
        terms = terms.filter(object_id__lte=last)
    gone = set(terms.values_list("object_id", flat=True).distinct()) - there
    dropped = 0
    for start in range(0, len(gone), CHUNK):
        keys = sorted(gone)[start : start + CHUNK]
        dropped += terms.filter(object_id__in=keys).delete()[0]
    return dropped


def rebuild_all() -> dict[str, tuple[int, int]]:
    """Bring the terms of all objects in step; gives (added, dropped) of each kind by its label."""
    return {each.model._meta.label_lower: rebuild(each) for each in searched()}


def searched() -> list[Resource]:
    """List the resources that the search looks into."""
    resource_of("")  # a worker has to look for them first
    return [each for each in all_resources() if own_fields(each)]
