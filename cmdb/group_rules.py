"""The filter of a dynamic group: read from the parameters of the host list, kept by keys, turned into a condition of the database."""

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from operator import or_
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adminset.crud import lookup_values as values
from adminset.crud import lookups
from adminset.crud.lookup_values import Kind
from adminset.crud.lookups import PREFIX, Filterable
from adminset.errors import DomainError
from cmdb.models import Host, HostGroup

# Parameter of the host list -> texts.
Rule = dict[str, list[str]]

SEARCH = ("hostname", "address", "serial", "asset_number", "owner")
AGENT_STATES: dict[str, Callable[[], QuerySet]] = {
    "reporting": lambda: Host.objects.reporting(),
    "silent": lambda: Host.objects.silent(),
    "none": lambda: Host.objects.without_agent(),
}
# What a list's address says of its look.
LOOK = frozenset({"page", "per_page", "sort", "columns", "view", "add"})
# Who signs in where is not for everybody who may see a group.
HIDDEN = frozenset({"credential", "host_key", "custom", "facts"})
# A pattern over names would tell of objects that the one who wrote it may not see.
BY_NAME = frozenset({"has", "hasnot"})
# What a machine says of itself: whoever rules it decides whether it matches.
SAID_BY_AGENTS = frozenset(
    {
        *("hostname", "address", "serial", "vendor", "product"),
        *("os_name", "os_version", "kernel", "architecture"),
        *("cpu_model", "cpu_threads", "memory_bytes", "swap_bytes", "disk_bytes"),
        *("last_seen", "agent_state", "updated_at", "kind"),
    }
)
NOTHING = Q(pk__in=())
NOT_HERE = gettext_lazy("A group cannot be made by %(name)s.")


def read(params: Mapping[str, list[str]], user: Any) -> tuple[Rule, dict[str, str]]:
    """Read a filter from the parameters of the host list, with the eyes of the one who sets it.

    Returns:
        the rule, related objects by key; and what is wrong, by parameter.
    """
    rule: Rule = {}
    wrong: dict[str, str] = {}
    plain: dict[str, list[str]] = {}
    fields = lookups.fields_of(Host)
    for name, texts in _filled(params):
        try:
            if name in OWN:
                rule[name] = OWN[name](texts, user)
            else:
                plain[_as_lookup(name, texts, fields)] = texts
        except ValueError as error:
            wrong[name[:120]] = str(error)
    wrong |= lookups.problems(Host, plain, user)
    for each in lookups.conditions(Host, plain, user):
        rule[each.param] = _kept(each, user)
    return dict(sorted(rule.items())), wrong


def _filled(params: Mapping[str, list[str]]) -> Iterable[tuple[str, list[str]]]:
    for name, texts in params.items():
        given = [text.strip() for text in texts if text.strip()]
        if given and name not in LOOK:
            yield ("groups" if name == f"{PREFIX}groups.is" else name), given


def _as_lookup(name: str, texts: list[str], fields: Mapping[str, Filterable]) -> str:
    """Give the lookup that a parameter stands for: "idc" is "f.idc.is", and "null" means that it has none.

    Raises:
        ValueError: nothing that a group can be made by.
    """
    asked, _dot, lookup = name.removeprefix(PREFIX).rpartition(".")
    if not name.startswith(PREFIX):
        asked, lookup = name, "empty" if texts == ["null"] else "is"
        if name not in fields:
            raise ValueError(NOT_HERE % {"name": name[:50]})
    field = fields.get(asked)
    if asked in HIDDEN or asked in OWN:
        raise ValueError(NOT_HERE % {"name": field.label if field else asked[:50]})
    if field is not None and field.kind is Kind.RELATION and lookup in BY_NAME:
        raise ValueError(
            _("%(name)s: choose the objects; part of a name is not enough for a group.")
            % {"name": field.label}
        )
    return f"{PREFIX}{asked}.{lookup}"


def _kept(each: lookups.Condition, user: Any) -> list[str]:
    if each.field.kind is not Kind.RELATION or each.lookup in values.ASK_NONE:
        return list(each.values)
    field = each.field
    keys = {
        key
        for text in each.values
        for key in values.read(field.field, field.kind, each.lookup, text, user)
    }
    return [str(key) for key in sorted(keys)]


def _groups(texts: list[str], user: Any) -> list[str]:
    keys = {int(text) for text in texts if text.isdecimal() and len(text) < 16}
    named = Q(pk__in=keys) | Q(name__in=texts)
    found = list(HostGroup.objects.visible_to(user).filter(named))
    told = {str(group.pk) for group in found} | {group.name for group in found}
    if unknown := [text for text in texts if text not in told]:
        raise ValueError(
            _("There is no host group %(name)s.") % {"name": unknown[0][:40]}
        )
    if dynamic := [group.name for group in found if group.is_dynamic]:
        raise ValueError(
            _("%(name)s is dynamic itself: a filter may name static groups only.")
            % {"name": dynamic[0]}
        )
    return [str(group.pk) for group in sorted(found, key=lambda group: group.pk)]


def _agent(texts: list[str], user: Any) -> list[str]:
    if set(texts) - set(AGENT_STATES):
        raise ValueError(
            _("There is no such state of an agent. Known: %(known)s.")
            % {"known": ", ".join(AGENT_STATES)}
        )
    return sorted(set(texts))


def _search(texts: list[str], user: Any) -> list[str]:
    text = texts[-1]
    if "\x00" in text or len(text) > values.LONGEST_TEXT:
        raise ValueError(_("Give a value of at most 200 characters."))
    return [text]


OWN: dict[str, Callable[[list[str], Any], list[str]]] = {
    "q": _search,
    "groups": _groups,
    "agent": _agent,
}


def condition(rule: Mapping[str, list[str]]) -> Q:
    """Give the condition under which a host matches; without a query of its own.

    A rule that is empty or no longer understood matches nothing.
    """
    try:
        fields = lookups.fields_of(Host)
        parts = [_part(fields, name, texts) for name, texts in rule.items()]
    except (AttributeError, KeyError, TypeError, ValueError, DomainError):
        return NOTHING
    found = Q()
    for part in parts:
        found &= part
    return found if parts else NOTHING


def any_of(rules: Iterable[Mapping[str, list[str]]]) -> Q:
    """Give the condition under which a host matches one of some filters.

    Those that ask the same one question are asked together.
    """
    together: dict[str, dict[str, None]] = {}
    found = NOTHING
    for rule in rules:
        only = next(iter(rule)) if len(rule) == 1 else ""
        if only.endswith(".is") and condition(rule) is not NOTHING:
            together.setdefault(only, {}).update(dict.fromkeys(rule[only]))
        else:
            found |= condition(rule)
    for name, texts in together.items():
        found |= condition({name: list(texts)})
    return found


def _part(fields: Mapping[str, Filterable], name: str, texts: list[str]) -> Q:
    if not texts:
        # No answer asks nothing: every host would match.
        raise ValueError(name)
    if name == "q":
        return reduce(or_, (Q(**{f"{f}__icontains": texts[0]}) for f in SEARCH))
    if name == "groups":
        members = Host.groups.through.objects.filter(hostgroup_id__in=_keys(texts))
        return Q(pk__in=members.values("host_id"))
    if name == "agent":
        return reduce(
            or_,
            (Q(pk__in=AGENT_STATES[t]().order_by().values("pk")) for t in texts),
        )
    asked, _dot, lookup = name.removeprefix(PREFIX).rpartition(".")
    field = fields[asked]
    if asked in HIDDEN or lookup not in field.lookups:
        raise KeyError(name)
    if field.kind is Kind.RELATION and lookup not in values.ASK_NONE:
        return _related(field, lookup, _keys(texts))
    if lookup in {"is", "not"} and field.kind is not Kind.DATE:
        # One list is looked up faster than many comparisons are made.
        read = [values.read(field.field, field.kind, lookup, t, None) for t in texts]
        equal = Q(**{f"{field.path}__in": read})
        return equal if lookup == "is" else ~equal
    return values.condition(
        field.field, field.kind, field.path, lookup, tuple(texts), None
    )


def _related(field: Filterable, lookup: str, keys: list[int]) -> Q:
    """Ask by key: what a name means was settled when the filter was set."""
    if lookup in BY_NAME:
        raise KeyError(lookup)
    found = Q(**{f"{field.path}__in": keys})
    if field.field.many_to_many:
        rows = field.field.remote_field.through._default_manager
        reverse = field.field.m2m_reverse_field_name()
        matching = rows.filter(**{f"{reverse}__in": keys})
        found = Q(pk__in=matching.values(field.field.m2m_field_name()))
    return ~found if lookup in values.NEGATED else found


def _keys(texts: list[str]) -> list[int]:
    return [int(text) for text in texts]


def describe(rule: Mapping[str, list[str]], user: Any) -> list[dict[str, str]]:
    """Say a filter in words: [{label, value}], with names only of what the reader may see."""
    fields = lookups.fields_of(Host)
    return [_words(fields, name, texts, user) for name, texts in rule.items()]


def _words(
    fields: Mapping[str, Filterable], name: str, texts: list[str], user: Any
) -> dict[str, str]:
    if name == "groups":
        seen = HostGroup.objects.visible_to(user).filter(pk__in=_keys(texts))
        names = dict(seen.values_list("pk", "name"))
        told = [names.get(key, _("not for you to see")) for key in _keys(texts)]
        return {"label": str(_("Groups")), "value": ", ".join(told)}
    if name in OWN:
        label = _("Quick filter") if name == "q" else _("Agent")
        return {"label": label, "value": ", ".join(texts)}
    asked, _dot, lookup = name.removeprefix(PREFIX).rpartition(".")
    if asked not in fields:
        return {"label": name, "value": _("is no filter any more")}
    said = lookups.Condition(fields[asked], lookup, tuple(texts)).words(user)
    return {"label": fields[asked].label, "value": said}


def list_query(rule: Mapping[str, list[str]]) -> str:
    """Give the query of the host list that shows what matches."""
    return urlencode(rule, doseq=True)


def is_said_by_agents(rule: Mapping[str, list[str]]) -> bool:
    """Say whether a machine can enter by what it says of itself."""
    asked = {name.removeprefix(PREFIX).rpartition(".")[0] or name for name in rule}
    return bool(asked & (SAID_BY_AGENTS | {"q", "agent"}))
