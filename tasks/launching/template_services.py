"""Keeping templates, and launching them."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from adminset import audit
from adminset.crud import services as crud
from adminset.crud.forms import as_input, given
from adminset.crud.rest import form_error
from adminset.errors import DomainError, Forbidden
from tasks.launching.forms import TemplateLaunchForm, refused
from tasks.models import Run, Template
from tasks.services.launch import request_run
from tasks.services.vouching import carries_own


@transaction.atomic
@carries_own
def save_template(*, actor: Any, form: Any) -> Template:
    """Save a template's form; who makes it is its owner. Whether it may run is judged for who launches it, when he does."""
    template: Template = form.instance
    if template.pk is None:
        template.owner = actor
    return crud.save(actor=actor, form=form)  # type: ignore[return-value]


def ensure_may_launch(actor: Any, template: Template) -> None:
    """Let pass who may launch a template.

    Raises:
        Forbidden: the actor may not.
    """
    rows = Template.objects.visible_to(actor, "use")
    if not rows.filter(pk=template.pk).exists():
        raise Forbidden(
            _("You may not launch the template %(name)s.") % {"name": template},
            _("Ask for the permission to use it (tasks.use_template)."),
            code="template_refused",
        )


def launch_template(
    *, actor: Any, template: Template, values: Mapping[str, Any]
) -> Run:
    """Ask for a run of a template, as the one who launches it; tasks.tasks.send calls a worker for it.

    Args:
        values: fields that the template leaves open, as JSON has them; further ones are refused.

    Raises:
        Forbidden: the actor may not launch it, or not run it on these hosts.
        DomainError: a value that cannot be, or a field that is fixed; `fields` says which.
    """
    ensure_may_launch(actor, template)
    form = form_of_values(actor, template, values)
    if not form.is_valid():
        raise form_error(form.errors)
    return launch_filled(actor=actor, form=form)


@transaction.atomic
def launch_filled(*, actor: Any, form: TemplateLaunchForm) -> Run:
    """Ask for the run of a template whose valid form says what it leaves open.

    Raises:
        Forbidden, DomainError: as launch_template.
    """
    template = form.source
    ensure_may_launch(actor, template)
    run = request_run(actor=actor, spec=form.spec())
    told = [{"field": "run", "old": None, "new": f"#{run.pk}"}]
    audit.record(actor, "template.launch", template, changes=told)
    return run


def form_of_values(
    user: Any, template: Template, values: Mapping[str, Any]
) -> TemplateLaunchForm:
    """Fill the form of a template's launch with what a program gave; what it did not give stays as the template has it.

    Raises:
        DomainError: a field that is fixed, or that there is not.
    """
    start = TemplateLaunchForm(user=user, source=template)
    fixed = refused(template, values)
    wrong = {n: _("This is fixed by the template.") for n in fixed}
    offered = set(start.fields) - {"host_file", "kept_secrets"}
    known = ", ".join(sorted(offered))
    for name in set(values) - offered - fixed:
        words = _("There is no such field. Known: %(known)s.")
        wrong[str(name)[:100]] = words % {"known": known}
    data: dict[str, Any] = {}
    for name in offered:
        field = start.fields[name]
        data[name] = as_input(_plain(start, name))
        if name in values and name not in wrong:
            try:
                data[name] = given(field, values[name])
            except ValueError:
                wrong[name] = _("A value of this kind cannot be used here.")
    if wrong:
        raise DomainError(
            _("Some fields are not right."), _("See fields."), fields=wrong
        )
    return TemplateLaunchForm(data, user=user, source=template)


def _plain(form: TemplateLaunchForm, name: str) -> Any:
    """Give a start value as a program would: the variables as an object and not as rows of a page."""
    if name == "variables":
        return form.before_variables
    return form.get_initial_for_field(form.fields[name], name)
