"""Words of our templates: badges, icons, fields, cards, charts in a line, times and units. A builtin: no load needed."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from django import forms, template
from django.db.models import QuerySet
from django.forms import BoundField
from django.http import HttpRequest, QueryDict
from django.urls import NoReverseMatch
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from adminset.crud.drawing import draw_rows
from adminset.measures import distance, duration, filesize_iec, percent

register = template.Library()

# The five states of everything that has one, each with its icon: colour never speaks alone.
STATES = {
    "ok": ("circle-check", _lazy("OK")),
    "warning": ("triangle-exclamation", _lazy("Warning")),
    "danger": ("circle-xmark", _lazy("Failed")),
    "idle": ("circle-minus", _lazy("Idle")),
    "busy": ("circle-notch", _lazy("Running")),
}
STATE_ICONS = {state: icon_name for state, (icon_name, _word) in STATES.items()}
MESSAGE_STATES = {
    "success": "ok",
    "warning": "warning",
    "error": "danger",
    "info": "busy",
    "debug": "idle",
}
SPARK_WIDTH, SPARK_HEIGHT = 96, 22
_greatest = max  # a parameter of sparkline has its name
# A range or lookup filter spreads one field over several inputs, named with these endings.
INPUT_ENDINGS = ("", "_0", "_1", "_min", "_max", "_after", "_before", "_lookup")


def _known_state(state: object) -> str:
    return str(state) if str(state) in STATES else "idle"


@register.inclusion_tag("components/_status_badge.html")
def status_badge(state: str, label: str = "") -> dict[str, str]:
    """Draw a state (ok, warning, danger, idle, busy) as colour, icon and word."""
    known = _known_state(state)
    icon_name, word = STATES[known]
    return {"state": known, "icon_name": icon_name, "label": label or str(word)}


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Draw a Font Awesome icon by its name; with a label it speaks to screen readers, without one it is decoration."""
    if label:
        return format_html(
            '<i class="fa-solid fa-{}" role="img" aria-label="{}"></i>', name, label
        )
    return format_html('<i class="fa-solid fa-{}" aria-hidden="true"></i>', name)


@register.inclusion_tag("components/_page_header.html")
def page_header(
    title: str, subtitle: str = "", crumbs: Iterable[tuple[str, str | None]] = ()
) -> dict[str, Any]:
    """Draw the breadcrumbs, title and one line under it."""
    return {"title": title, "subtitle": subtitle, "crumbs": crumbs}


@register.inclusion_tag("components/_empty_state.html")
def empty_state(
    icon_name: str,
    title: str,
    text: str = "",
    action_url: str = "",
    action_title: str = "",
) -> dict[str, str]:
    """Say that there is nothing, why, and what to do about it."""
    return {
        "icon_name": icon_name,
        "title": title,
        "text": text,
        "action_url": action_url,
        "action_title": action_title,
    }


@register.inclusion_tag("components/_card_fragment.html")
def card_fragment(
    url: str, title: str, icon_name: str = "", wide: bool = False
) -> dict[str, Any]:
    """Draw a card whose content is fetched from url, with a skeleton before it and a retry when it fails."""
    return {"url": url, "title": title, "icon_name": icon_name, "wide": wide}


# ---- Forms


FIELD_KINDS: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.CheckboxSelectMultiple, "choices"),
    (forms.RadioSelect, "choices"),
    (forms.CheckboxInput, "switch"),
    (forms.MultiWidget, "multi"),
    (forms.Select, "select"),
    (forms.Textarea, "textarea"),
)
BASE_CLASSES = {
    "switch": "form-check-input",
    "choices": "form-check-input",
    "select": "form-select",
}


def _field_attrs(bound: BoundField, kind: str) -> dict[str, str | bool]:
    """Give the attributes that a widget needs on top of its own to look like ours."""
    own = bound.field.widget.attrs
    classes = [BASE_CLASSES.get(kind, "form-control"), str(own.get("class", ""))]
    attrs: dict[str, str | bool] = {
        "class": " ".join([*classes, "is-invalid" if bound.errors else ""]).strip()
    }
    if kind == "switch":
        attrs["role"] = "switch"
    if kind == "select":
        attrs["data-enhance"] = own.get("data-enhance", "select")
    if kind == "textarea":
        attrs["spellcheck"] = "false"
    return attrs


@register.inclusion_tag("components/_field.html")
def field(bound: BoundField) -> dict[str, Any]:
    """Draw a form field: label, input in Bootstrap's classes, help, errors."""
    widget = bound.field.widget
    kind = next(
        (kind for known, kind in FIELD_KINDS if isinstance(widget, known)), "input"
    )
    return {
        "field": bound,
        "kind": kind,
        "wide": kind == "textarea",
        "control": bound.as_widget(attrs=_field_attrs(bound, kind)),
    }


def _shown(bound: BoundField, value: Any) -> str:
    """Give a filter's value in words."""
    if isinstance(value, slice):
        return f"{'' if value.start is None else value.start} - {'' if value.stop is None else value.stop}"
    if isinstance(value, QuerySet | list | tuple | set):
        return ", ".join(_shown(bound, each) for each in value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    choices = getattr(bound.field, "choices", ())
    if isinstance(bound.field, forms.ModelChoiceField) or not choices:
        return str(value)
    flat = {str(key): str(title) for key, title in choices}
    return flat.get(str(value), str(value))


@register.inclusion_tag("components/_filter_chips.html")
def filter_chips(filterset: Any, request: HttpRequest) -> dict[str, Any]:
    """Draw each filter that is set as a chip with a link that takes it away."""
    chips = []
    form: Any = filterset.form if filterset is not None else None
    cleaned = (
        getattr(form, "cleaned_data", {}) if form is not None and form.is_bound else {}
    )
    for name, value in cleaned.items():
        if (
            name == "q"
            or value in (None, "", [], ())
            or (isinstance(value, QuerySet) and not value)
        ):
            continue
        rest = request.GET.copy()
        for key in ["page", *(f"{name}{ending}" for ending in INPUT_ENDINGS)]:
            rest.pop(key, None)
        chips.append(
            {
                "label": form[name].label,
                "value": _shown(form[name], value),
                # Without a query the list would open by the default view.
                "url": f"?{rest.urlencode() or 'view=0'}",
            }
        )
    return {"chips": chips}


@register.simple_tag
def table_rows(table: Any) -> SafeString:
    """Draw the rows of a django-tables2 table."""
    return draw_rows(table)


# ---- Addresses


@register.simple_tag
def resource_url(resource: Any, verb: str, instance: Any = None) -> str:
    """Give the address of a resource's page, or "" where it has none: templates then leave the button out."""
    try:
        return str(
            resource.url(verb, instance.pk)
            if instance is not None
            else resource.url(verb)
        )
    except (NoReverseMatch, AttributeError):
        return ""


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """Give this page's query string with some parameters changed; None or "" takes one away.

    Changing anything but the page leads back to the first page.
    """
    request: HttpRequest | None = context.get("request")
    params = request.GET.copy() if request is not None else QueryDict(mutable=True)
    if "page" not in changes:
        params.pop("page", None)
    for name, value in changes.items():
        if value is None or value == "":
            params.pop(name, None)
        elif isinstance(value, list | tuple):
            params.setlist(name, [str(each) for each in value])
        else:
            params[name] = str(value)
    return f"?{params.urlencode()}"


@register.simple_tag(takes_context=True)
def sort_query(context: template.Context, table: Any, column: Any) -> str:
    """Give the query string that sorts a django-tables2 table by a column, or the other way round."""
    return query(context, **{table.prefixed_order_by_field: column.order_by_alias.next})


@register.simple_tag(takes_context=True)
def carried(context: template.Context, *names: str) -> list[tuple[str, str]]:
    """List (name, value) of those parameters of the page's query, for hidden inputs; "f.*" means all that begin with "f."."""
    lists = context["request"].GET.lists()
    return [
        (key, value)
        for key, values in lists
        if any(fnmatchcase(key, name) for name in names)
        for value in values
    ]


# ---- Times and units


@register.inclusion_tag("components/_ago.html")
def ago(when: datetime | None) -> dict[str, Any]:
    """Say how long ago (or how soon) a moment is, with the exact local time on hover."""
    if not when:
        return {"when": None}
    seconds = (timezone.now() - when).total_seconds()
    text = distance(abs(seconds))
    if abs(seconds) < 5:
        words = _("just now")
    elif seconds > 0:
        words = _("%(time)s ago") % {"time": text}
    else:
        words = _("in %(time)s") % {"time": text}
    local = timezone.localtime(when)
    exact = (
        f"{formats.date_format(local, 'DATE_FORMAT')} {local:%H:%M:%S} {local.tzname()}"
    )
    return {"when": when, "words": words, "exact": exact, "iso": when.isoformat()}


def time_tag(when: datetime | None) -> SafeString | str:
    """Draw a moment as components/_ago.html does, without a template: for columns, which draw it in every row."""
    told = ago(when)
    if told["when"] is None:
        return format_html('<span class="muted">{}</span>', _("never"))
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>',
        told["iso"],
        told["exact"],
        told["words"],
    )


for _filter in (duration, filesize_iec, percent):
    register.filter(_filter)


@register.filter
def message_state(tags: str) -> str:
    """Turn the tags of a Django message into one of the five states."""
    return next(
        (MESSAGE_STATES[tag] for tag in str(tags).split() if tag in MESSAGE_STATES),
        "busy",
    )


@register.filter
def state_icon(state: str) -> str:
    """Name the icon of a state."""
    return STATE_ICONS[_known_state(state)]


# ---- Small pictures


@register.inclusion_tag("components/_meter.html")
def meter(
    value: float | None, label: str = "", warn: float = 80, bad: float = 95
) -> dict[str, Any]:
    """Draw a percentage as a small bar and a number; amber from warn, red from bad."""
    if value is None:
        return {"value": None}
    state = "danger" if value >= bad else "warning" if value >= warn else ""
    return {"value": value, "bar": f"{value:.1f}", "label": label, "state": state}


@register.inclusion_tag("components/_sparkline.html")
def sparkline(
    points: Sequence[float | None], max: float | None = None, label: str = ""
) -> dict[str, Any]:
    """Draw numbers as a line without axes; None is a gap, and max fixes the top (100 for percentages)."""
    known = [value for value in points if value is not None]
    top = max or (_greatest(known) if known else 0) or 1
    step = SPARK_WIDTH / _greatest(len(points) - 1, 1)
    lines: list[list[str]] = [[]]
    for index, value in enumerate(points):
        if value is None:
            lines.append([])
        else:
            height = SPARK_HEIGHT - 1 - min(value / top, 1) * (SPARK_HEIGHT - 2)
            lines[-1].append(f"{index * step:.1f},{height:.1f}")
    return {
        "lines": [" ".join(line) for line in lines if len(line) > 1],
        "dots": [line[0].split(",") for line in lines if len(line) == 1],
        "width": SPARK_WIDTH,
        "height": SPARK_HEIGHT,
        "label": label,
        "known": bool(known),
    }


# ---- What a value is, for templates that draw any of them


@register.filter
def is_moment(value: object) -> bool:
    """Say whether a value is a date with a time."""
    return isinstance(value, datetime)


@register.filter
def is_list(value: object) -> bool:
    """Say whether a value holds several."""
    return isinstance(value, list | tuple | set | QuerySet)


@register.filter
def first_column(table: Any) -> str:
    """Name the column that stays in place when a table is scrolled sideways: the first that is not the row's box."""
    return next(
        (column.name for column in table.columns if column.name != "select"), ""
    )
