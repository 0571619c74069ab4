"""The kinds of fields that lists are filtered by: the questions of each, how a value is read, and what it asks of the database."""

import datetime
import math
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_ipv46_address
from django.db import connection, models
from django.db.models import Q
from django.utils import dateparse, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from adminset.crud.forms import natural_field, visible
from adminset.env import FALSE_WORDS, TRUE_WORDS

LONGEST_TEXT = 200
MOST_DAYS = 36500
# Cabinets of many rooms are called R1.
MOST_OF_A_NAME = 100
TEXTS = (models.CharField, models.TextField)
NUMBERS = (models.IntegerField, models.DecimalField, models.FloatField)


class Kind(StrEnum):
    """Kinds of fields."""

    TEXT = "text"
    ADDRESS = "address"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    RELATION = "relation"
    BOOLEAN = "boolean"


# The questions, in the order of the menu, and how they are said.
WORDS = {
    "is": _lazy("is"),
    "not": _lazy("is not"),
    "has": _lazy("contains"),
    "hasnot": _lazy("does not contain"),
    "lt": "<",
    "gt": ">",
    "older": _lazy("older than (days)"),
    "newer": _lazy("within the last (days)"),
    "empty": _lazy("is empty"),
    "filled": _lazy("is not empty"),
}
# What needs no value: the address says f.owner.empty=1.
ASK_NONE = frozenset({"empty", "filled"})
NEGATED = {"not": "is", "hasnot": "has", "filled": "empty"}
LOOKUPS: dict[Kind, tuple[str, ...]] = {
    Kind.TEXT: ("is", "not", "has", "hasnot", "empty", "filled"),
    Kind.ADDRESS: ("is", "not", "has", "hasnot", "empty", "filled"),
    Kind.NUMBER: ("is", "not", "lt", "gt", "empty", "filled"),
    Kind.DATE: ("is", "not", "lt", "gt", "older", "newer", "empty", "filled"),
    Kind.CHOICE: ("is", "not", "empty", "filled"),
    Kind.RELATION: ("is", "not", "has", "hasnot", "empty", "filled"),
    Kind.BOOLEAN: ("is", "not", "empty", "filled"),
}


def kind_of(field: Any) -> Kind | None:
    """Say of which kind a field is; None for one that is not plain (JSON, bytes)."""
    if isinstance(getattr(field, "related_model", None), type):
        return Kind.RELATION
    if getattr(field, "choices", None):
        return Kind.CHOICE
    kinds: tuple[tuple[Any, Kind], ...] = (
        (models.BooleanField, Kind.BOOLEAN),
        (NUMBERS, Kind.NUMBER),
        (models.DateField, Kind.DATE),
        (models.GenericIPAddressField, Kind.ADDRESS),
        (TEXTS, Kind.TEXT),
    )
    return next((kind for types, kind in kinds if isinstance(field, types)), None)


def read(field: Any, kind: Kind, lookup: str, text: str, user: Any) -> Any:
    """Read a value as the question needs it.

    Raises:
        ValueError: it makes no sense; says why.
    """
    if lookup in ASK_NONE:
        return None
    plain = text.strip()
    if not plain or "\x00" in plain or len(plain) > LONGEST_TEXT:
        raise ValueError(_("Give a value of at most 200 characters."))
    if lookup in {"older", "newer"}:
        return _days(plain)
    if lookup in {"has", "hasnot"}:
        return plain
    return READERS[kind](field, plain, user)


def _text(_field: Any, text: str, _user: Any) -> str:
    return text


def _days(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:9]) <= MOST_DAYS):
        raise ValueError(_("Give a number of days, at most 36500."))
    return int(text)


def _address(_field: Any, text: str, _user: Any) -> str:
    try:
        validate_ipv46_address(text)
    except ValidationError as error:
        raise ValueError(error.messages[0]) from error
    return text


def _number(field: Any, text: str, _user: Any) -> int | float | Decimal:
    wrong = ValueError(_("%(value)s is no number that fits.") % {"value": text[:40]})
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise wrong from None
    if not number.is_finite() or abs(number.adjusted()) > 30:
        raise wrong
    if isinstance(field, models.FloatField):
        return float(number)
    if isinstance(field, models.DecimalField):
        if len(number.as_tuple().digits) > field.max_digits:
            raise wrong
        return number
    low, high = connection.ops.integer_field_range(field.get_internal_type())
    if number % 1 or not (low or -math.inf) <= int(number) <= (high or math.inf):
        raise wrong
    return int(number)


def _date(_field: Any, text: str, _user: Any) -> datetime.date:
    try:
        day = dateparse.parse_date(text)
    except ValueError:
        day = None
    # The years at both ends have no neighbour in every time zone.
    if day is None or not 1 < day.year < datetime.MAXYEAR:
        raise ValueError(_("Give a day as 2026-11-30."))
    return day


def _choice(field: Any, text: str, _user: Any) -> Any:
    flat = {str(key): key for key, _title in field.flatchoices}
    if text not in flat:
        known = ", ".join(flat)
        raise ValueError(
            _("There is no %(value)s. Known: %(known)s.")
            % {"value": text[:40], "known": known}
        )
    return flat[text]


def _boolean(_field: Any, text: str, _user: Any) -> bool:
    word = text.lower()
    if word not in {*TRUE_WORDS, *FALSE_WORDS}:
        raise ValueError(_("Give yes or no."))
    return word in TRUE_WORDS


def _relation(field: Any, text: str, user: Any) -> list[Any]:
    found = [row.pk for row in _related(field, text, user)]
    if not found:
        raise ValueError(
            _("There is no %(kind)s %(value)s.")
            % {"kind": field.related_model._meta.verbose_name, "value": text[:40]}
        )
    return found


def _related(field: Any, text: str, user: Any) -> list[Any]:
    """Find related objects by their key or their name, among those that the asker may see."""
    rows, name = _seen(field, user), natural_field(field.related_model)
    if text.isascii() and text.isdecimal() and len(text) < 16:
        by_key = rows.filter(pk=int(text)).first()
        if by_key is not None:
            return [by_key]
    return list(rows.filter(**{name: text})[:MOST_OF_A_NAME]) if name else []


def _seen(field: Any, user: Any) -> models.QuerySet:
    rows: models.QuerySet = field.related_model._default_manager.all()
    return rows if user is None else visible(rows, user)  # type: ignore[return-value]


READERS: dict[Kind, Callable[[Any, str, Any], Any]] = {
    Kind.TEXT: _text,
    Kind.ADDRESS: _address,
    Kind.NUMBER: _number,
    Kind.DATE: _date,
    Kind.CHOICE: _choice,
    Kind.RELATION: _relation,
    Kind.BOOLEAN: _boolean,
}


# Relatives that no table lists, by "cmdb.Host.groups": keys -> condition. A room joins in ready().
relatives: dict[str, Callable[[list[Any]], Q]] = {}


def condition(
    field: Any,
    kind: Kind,
    path: str,
    lookup: str,
    texts: tuple[str, ...],
    user: Any,
) -> Q:
    """Give the condition of a question with one of several answers; the texts are known to be readable."""
    asked = NEGATED.get(lookup, lookup)
    found = Q()
    for text in texts:
        value = read(field, kind, lookup, text, user)
        found |= _one(field, kind, path, asked, value, user)
    if str(field) in relatives:
        found = _by_room(field, lookup, texts, user)
    elif field.many_to_many:
        found = _among_many(field, found, asked, user)
    return ~found if lookup in NEGATED else found


def _by_room(field: Any, lookup: str, texts: tuple[str, ...], user: Any) -> Q:
    """Ask the room who the relatives are, of those that the asker may see."""
    asked, seen = NEGATED.get(lookup, lookup), _seen(field, user).order_by()
    name, keys = natural_field(field.related_model), set()
    if asked == "empty":
        keys = set(seen.values_list("pk", flat=True))
    for text in () if asked == "empty" else texts:
        value = read(field, Kind.RELATION, lookup, text, user)
        named = seen.filter(**{f"{name}__icontains": value}) if asked == "has" else None
        keys |= set(value if named is None else named.values_list("pk", flat=True))
    found = relatives[str(field)](sorted(keys))
    return ~found if asked == "empty" else found


def _among_many(field: Any, found: Q, asked: str, user: Any) -> Q:
    """Ask of the row by its key: a join would give it once for each of its relatives; those out of sight do not count."""
    rows = field.model._base_manager.order_by()
    if asked == "empty":
        seen = _seen(field, user).order_by().values("pk")
        return ~Q(pk__in=rows.filter(**{f"{field.name}__in": seen}).values("pk"))
    return Q(pk__in=rows.filter(found).values("pk"))


def _one(field: Any, kind: Kind, path: str, asked: str, value: Any, user: Any) -> Q:
    if asked == "empty":
        none = Q(**{f"{path}__isnull": True})
        return none | Q(**{path: ""}) if isinstance(field, TEXTS) else none
    if kind is Kind.DATE:
        return _of_time(field, path, asked, value)
    if asked == "has" and kind is Kind.RELATION:
        name = natural_field(field.related_model) or "pk"
        named = _seen(field, user).filter(**{f"{name}__icontains": value}).order_by()
        return Q(**{f"{path}__in": named.values("pk")})
    if asked == "is":
        return Q(**{f"{path}__in" if kind is Kind.RELATION else path: value})
    return Q(**{f"{path}__{'icontains' if asked == 'has' else asked}": value})


def _of_time(field: Any, path: str, asked: str, value: Any) -> Q:
    if asked in {"older", "newer"}:
        moment: Any = timezone.now() - datetime.timedelta(days=value)
        if not isinstance(field, models.DateTimeField):
            moment = timezone.localdate(moment)
        return Q(**{f"{path}__{'lt' if asked == 'older' else 'gte'}": moment})
    begin, end = _bounds(field, value)
    if asked == "lt":
        return Q(**{f"{path}__lt": begin})
    if asked == "gt":
        return Q(**{f"{path}__gte": end})
    return Q(**{f"{path}__gte": begin, f"{path}__lt": end})


def _bounds(field: Any, day: datetime.date) -> tuple[Any, Any]:
    """Give where a day begins and ends, in the reader's zone for moments."""
    days = (day, day + datetime.timedelta(days=1))
    if not isinstance(field, models.DateTimeField):
        return days
    first, last = (
        timezone.make_aware(datetime.datetime.combine(each, datetime.time()))
        for each in days
    )
    return first, last


def shown(field: Any, kind: Kind, text: str, user: Any) -> str:
    """Say a value as people read it: the name of a choice or of a related object."""
    if kind is Kind.RELATION:
        return ", ".join({str(row): "" for row in _related(field, text, user)}) or text
    if kind is Kind.CHOICE:
        return str(dict(field.flatchoices).get(text, text))
    return text


def choices_of(field: Any, kind: Kind) -> list[tuple[str, str]]:
    """List the answers of a field that has only some: (as in the address, in words)."""
    if kind is Kind.BOOLEAN:
        return [("yes", _("yes")), ("no", _("no"))]
    if kind is Kind.CHOICE:
        return [(str(key), str(title)) for key, title in field.flatchoices]
    return []
