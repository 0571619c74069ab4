"""The inputs of the launch page: something new, the same as another time, or what a template leaves open."""

from dataclasses import fields as parts_of
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from tasks.launching.kinds import (
    WORK_FIELDS,
    WORK_WIDGETS,
)
from tasks.launching.targets import TARGETS
from tasks.launching.work_forms import WorkForm
from tasks.models import Run, TaskModule, Template, Work
from tasks.services.launch import RunSpec
from tasks.services.specs import spec_of

SPEC_FIELDS = frozenset(part.name for part in parts_of(RunSpec))
# What goes with an answer or a variable that may be given.
SECRETS = frozenset({"kept_secrets", "secret_answers"})


class LaunchForm(WorkForm):
    """What to run now, and where. `source`: a row of work whose values stand in the form already."""

    class Meta:
        model = Run
        fields = (*WORK_FIELDS, "title")
        widgets = WORK_WIDGETS

    def __init__(self, *args: Any, source: Work | None = None, **kwargs: Any) -> None:
        self.source = source
        if source is not None:
            kwargs["instance"] = copied(source, Run())
            # Where it ran is said by who opens the form.
            kwargs["initial"] = {**targets_of(source), **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)
        if "title" in self.fields:
            self.fields["title"].required = False
            self.fields["title"].help_text = _("Empty: what is run.")

    def given(self) -> dict[str, Any]:
        """Give the parts of a RunSpec that the valid form has fields for."""
        data = self.cleaned_data
        found = {n: v for n, v in data.items() if n in SPEC_FIELDS}
        if "hosts" in data:
            found["host_ids"] = tuple(host.pk for host in data["hosts"])
        if "groups" in data:
            found["group_ids"] = tuple(group.pk for group in data["groups"])
        return found | {"secret_answers": dict(self.secrets)}

    def spec(self) -> RunSpec:
        """Give what the valid form asks for."""
        return RunSpec(**self.given())


class TemplateLaunchForm(LaunchForm):
    """What a template leaves open (`ask`); anything else that is given is refused, not ignored."""

    source: Template

    def __init__(self, *args: Any, source: Template, **kwargs: Any) -> None:
        super().__init__(*args, source=source, **kwargs)
        ask = left_open(source)
        for name in [n for n in self.fields if n not in ask]:
            del self.fields[name]
        self.secret_fields = self.secret_fields if "answers" in ask else ()
        self.module_form = self.module_form if "answers" in ask else None
        # Hosts are wanted where the template has none of its own that stay.
        fixed = targets_of(source)
        self.needs_targets = not any(v for n, v in fixed.items() if n not in ask)

    @property
    def kind(self) -> str:  # type: ignore[override]
        """Kind of work: the template's."""
        return self.source.kind

    def takes_secrets(self) -> bool:
        """Say whether the template leaves open what may be a secret."""
        return left_open(self.source) >= SECRETS

    def in_row(self) -> bool:
        """Say yes: the template has them."""
        return True

    def chosen_module(self) -> TaskModule | None:
        """Give the template's task module."""
        return self.source.task_module

    def clean(self) -> dict[str, Any]:
        """Refuse what the template does not leave open."""
        for name in sorted(refused(self.source, self.data)):
            words = _("%(name)s is fixed by this template and cannot be given.")
            self.add_error(None, words % {"name": name})
        return super().clean()

    def spec(self) -> RunSpec:
        """Give the template's work with what was given."""
        given = self.given()
        given["title"] = given.get("title") or self.source.name
        return replace(spec_of_template(self.source), **given)


def left_open(template: Template) -> set[str]:
    """Name the inputs of a template's launch: what it asks for, and what goes with that."""
    ask = {"title", *template.ask}
    if "hosts" in ask:
        ask |= {"host_list", "host_file"}
    return ask | SECRETS if ask & {"answers", "variables"} else ask


def refused(template: Template, names: Any) -> set[str]:
    """Name what is given and that a template does not leave open."""
    known = {*WORK_FIELDS, *TARGETS, "host_file", "secret_answers"}
    asked = {str(name).partition("-")[0] for name in names}
    asked = {"answers" if name == "answer" else name for name in asked}
    return (asked & known) - left_open(template)


def spec_of_template(template: Template) -> RunSpec:
    """Give what a template runs, with its secrets opened."""
    found = targets_of(template)
    return spec_of(
        template,
        title=template.name,
        host_ids=tuple(found["hosts"]),
        group_ids=tuple(found["groups"]),
        host_filter=found["host_filter"],
    )


def copied(source: Work, target: Any) -> Any:
    """Copy what runs and how from one row of work to another that is not saved; files in the version that is newest now."""
    for name in Work.FIELDS:
        if name != "sealed":
            setattr(target, name, getattr(source, name))
    # A sealed text belongs to its row: the form opens it and seals it anew.
    target.sealed = source.sealed
    target.distribution = [
        {key: value for key, value in row.items() if key != "version"}
        for row in source.distribution
    ]
    if source.script_id:
        target.script_text = ""
    return target


def targets_of(source: Any) -> dict[str, Any]:
    """Give where a row of work goes: ids of hosts and groups, and the filter; nothing for a row without targets."""
    if not source.pk or not hasattr(source, "host_filter"):
        return {"hosts": [], "groups": [], "host_filter": ""}
    return {
        "hosts": list(source.hosts.values_list("pk", flat=True)),
        "groups": list(source.groups.values_list("pk", flat=True)),
        "host_filter": source.host_filter,
    }
