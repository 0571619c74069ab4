"""Reads what a program asks to run: the launch page's own forms, filled from JSON; names do where a page has numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from adminset.crud.forms import given
from adminset.crud.rest import form_error
from adminset.errors import DomainError, NotFound
from tasks.launching.forms import LaunchForm
from tasks.launching.kinds import Kind
from tasks.launching.template_services import ensure_may_launch, form_of_values
from tasks.models import Template
from tasks.services.launch import RunSpec

# What a body may have besides the fields of the launch page.
OWN = {"dry_run", "without_batches", "template", "values"}
# A body that names no kind is of the first of these that it brings.
TELLING = (
    ("task_module", Kind.TASK_MODULE),
    ("playbook", Kind.PLAYBOOK),
    ("role", Kind.ROLE),
    ("module", Kind.MODULE),
    ("script", Kind.SCRIPT),
    ("script_text", Kind.SCRIPT),
    ("distribution", Kind.FILES),
)


@dataclass(frozen=True)
class Asked:
    """What is to run.

    Attributes:
        template: the one that it was made of. without_batches: critical hosts may all be worked on at once.
    """

    spec: RunSpec
    template: Template | None = None
    without_batches: bool = False


def asked_of(user: Any, body: Any) -> Asked:
    """Read a body.

    Raises:
        Forbidden, NotFound: a template that the user may not launch, or does not see.
        DomainError: what cannot be run; `fields` says which field is not right.
    """
    if not isinstance(body, dict):
        raise DomainError(_("Send one JSON object."))
    without = is_set(body, "without_batches")
    if body.get("template") not in (None, ""):
        template = find_template(user, body["template"])
        form = _of_template(user, template, body)
        return Asked(form.spec(), template, without)
    if "values" in body:
        words = _("Values are for a template: name one.")
        raise DomainError(words, fields={"values": words})
    values = {name: value for name, value in body.items() if name not in OWN}
    return Asked(_filled(user, values).spec(), None, without)


def is_set(body: Any, name: str) -> bool:
    """Read a yes or no of a body that is an object.

    Raises:
        DomainError: it is neither.
    """
    value = body.get(name, False)
    if value is None or isinstance(value, bool):
        return bool(value)
    words = _("Say true or false.")
    raise DomainError(_("Some fields are not right."), words, fields={name: words})


def find_template(user: Any, named: Any) -> Template:
    """Find a template by id or name that the user may launch.

    Raises:
        NotFound: the user sees none like that. Forbidden: it may only be looked at.
    """
    rows = Template.objects.visible_to(user)
    found = None
    if isinstance(named, int) and not isinstance(named, bool) and 0 < named < 2**63:
        found = rows.filter(pk=named).first()
    elif isinstance(named, str) and "\0" not in named:
        found = rows.filter(name=named[:100]).first()
    if found is None:
        words = _("There is no such template.")
        raise NotFound(words, code="not_found", fields={"template": words})
    ensure_may_launch(user, found)
    return found


def _of_template(user: Any, template: Template, body: Mapping[str, Any]) -> Any:
    values = body.get("values") or {}
    wrong = {
        name[:100]: _("What a template leaves open belongs into `values`.")
        for name in set(map(str, body)) - OWN
    }
    if not isinstance(values, dict):
        wrong["values"] = _("Give an object of names and values.")
    if wrong:
        raise DomainError(_("Some fields are not right."), fields=wrong)
    form = form_of_values(user, template, with_own(template, values))
    if not form.is_valid():
        raise form_error(form.errors)
    return form


def with_own(template: Template, values: Mapping[str, Any]) -> dict[str, Any]:
    """Add the template's own variables and answers to those that are given; null takes one away."""
    found = dict(values)
    for name in ("variables", "answers"):
        if isinstance(given_ones := values.get(name), dict):
            both = {**getattr(template, name), **given_ones}
            found[name] = {k: v for k, v in both.items() if v is not None}
    return found


def _filled(user: Any, values: Mapping[str, Any]) -> LaunchForm:
    """Fill the form of the launch page.

    Raises:
        DomainError: a field that there is not, or a value that cannot be.
    """
    data = {"kind": kind_of(values), **_as_sent(user, values)}
    if data["kind"] == Kind.TASK_MODULE:
        # Without it the form would look for the inputs of a page.
        data.setdefault("answers", {})
    form = LaunchForm(data, user=user)
    if not form.is_valid():
        raise form_error(form.errors)
    return form


def _as_sent(user: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values as a page would send them.

    Raises:
        DomainError: a field that there is not, or a value of another kind.
    """
    start = LaunchForm(user=user)
    known = sorted({*LaunchForm.known_names(), *OWN})
    wrong: dict[str, str] = {}
    data: dict[str, Any] = {}
    for name, value in values.items():
        if name not in start.fields or name not in known:
            words = _("There is no such field. Known: %(known)s.")
            wrong[str(name)[:100]] = words % {"known": ", ".join(known)}
            continue
        try:
            data[name] = given(start.fields[name], value)
        except ValueError:
            wrong[name] = _("A value of this kind cannot be used here.")
    if wrong:
        raise DomainError(
            _("Some fields are not right."), _("See fields."), fields=wrong
        )
    return data


def kind_of(values: Mapping[str, Any]) -> str:
    """Say which kind of work is meant, also where none is named."""
    if values.get("kind") not in (None, ""):
        return str(values["kind"])
    found = (kind for name, kind in TELLING if values.get(name) not in (None, "", []))
    return str(next(found, Kind.COMMAND))
