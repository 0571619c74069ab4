"""The inputs of any work: one base for the forms of runs, templates, schedules and steps of a workflow."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy

from adminset.crud.forms import ResourceForm
from adminset.errors import DomainError
from tasks.launching.answers import AnswersMixin
from tasks.launching.distribution import DistributionField
from tasks.launching.drawn import DrawnMixin, usual
from tasks.launching.kinds import (
    LIBRARY,
    NEEDED,
    OF_KIND,
    SHARED,
    TARGET_FIELDS,
    USUAL,
    WHAT,
    WORK_FIELDS,
    WORK_WIDGETS,
    Kind,
)
from tasks.launching.options import OptionsField
from tasks.launching.sealed_forms import SealedMixin
from tasks.launching.targets import TargetsMixin
from tasks.launching.variables import VariablesField
from tasks.models import StoredFile
from tasks.services import batches

__all__ = ["TARGET_FIELDS", "WORK_FIELDS", "WORK_WIDGETS", "WorkForm"]


class WorkForm(DrawnMixin, AnswersMixin, SealedMixin, TargetsMixin, ResourceForm):
    """What to run and where. A subclass brings `Meta` with a model that is Work, `fields` and WORK_WIDGETS.

    Secrets (answers, variables) are never drawn: what is stored is kept until something is typed anew. `needs_targets`
    False lets hosts be left open.
    """

    needs_targets: bool = True

    distribution = DistributionField(label=gettext_lazy("Files"))
    options = OptionsField(label=gettext_lazy("How Ansible runs"))
    variables = VariablesField(
        label=gettext_lazy("Extra variables"),
        help_text=gettext_lazy(
            "Values are texts: a playbook writes `| int` or `| bool` where it needs another kind."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("instance") is None:
            start = usual() | {
                name: value
                for name, value in (kwargs.get("initial") or {}).items()
                if value not in (None, "", [])
            }
            kwargs["initial"] = start
        super().__init__(*args, **kwargs)
        for name in USUAL:
            if name in self.fields:
                self.fields[name].required = False
        self.narrow_targets()
        self.take_file()
        self._offer_library()
        if "kind" in self.fields:
            self.fields["kind"].required = False
            # A run may also be a leg, which nobody asks for by hand.
            self.fields["kind"].choices = Kind.choices  # type: ignore[attr-defined]
            if not self.is_bound:
                self.initial["kind"] = self.kind
        self.open_secrets()
        self.open_answers()

    @classmethod
    def known_names(cls) -> list[str]:
        """Name the fields that imports and the API may give: no file is sent in JSON."""
        return [n for n in cls.base_fields if n not in {"host_file", "kept_secrets"}]

    def _offer_library(self) -> None:
        """Offer what the user may run; what the row has beyond that stays with it."""
        for name in LIBRARY:
            if name in self.fields:
                field: Any = self.fields[name]
                model: Any = field.queryset.model
                held = Q(pk=getattr(self.instance, f"{name}_id", None) or 0)
                usable = model.objects.visible_to(self.user, "use")
                mine = held | Q(pk__in=usable.order_by().values("pk"))
                field.queryset = model.objects.filter(mine)
                if name == "task_module":
                    field.queryset = field.queryset.filter(Q(enabled=True) | held)
        if "distribution" in self.fields:
            held_files = [row.get("file") for row in self.instance.distribution or ()]
            usable = StoredFile.objects.visible_to(self.user, "use").order_by()
            mine = Q(pk__in=usable.values("pk")) | Q(pk__in=held_files)
            files: Any = self.fields["distribution"]
            files.offer(StoredFile.objects.filter(mine))

    @property
    def kind(self) -> str:  # type: ignore[override]
        """Kind of work that the form is open for."""
        asked = self.data.get(self.add_prefix("kind")) if self.is_bound else ""
        asked = str(asked or self.initial.get("kind") or self.instance.kind or "")
        return asked if asked in Kind.values else Kind.COMMAND

    def names_of_kind(self, kind: str) -> list[str]:
        """Name the fields that a kind has of its own, those that the form has."""
        names = (*OF_KIND[kind], *(n for n, kinds in SHARED.items() if kind in kinds))
        return [name for name in names if name in self.fields]

    def clean(self) -> dict[str, Any]:
        """Want something to run, somewhere; forget what belongs to other kinds, whatever is wrong with it."""
        cleaned = super().clean()
        kind = cleaned.get("kind") or self.kind
        if "kind" in self.fields:
            cleaned["kind"] = kind
        if kind in OF_KIND:
            self._forget_others(cleaned, kind)
            self._check_needed(cleaned, kind)
        self._fill_up(cleaned)
        self._check_batches(cleaned)
        self.settle_answers(cleaned)
        self.settle_secrets(cleaned)
        self.check_targets(cleaned, needed=self.needs_targets)
        return cleaned

    def _fill_up(self, cleaned: dict[str, Any]) -> None:
        """Take what is usual for what was left empty and must be something."""
        blank, ours = self._meta.model(), usual()
        for name in USUAL:
            empty = name in self.fields and cleaned.get(name) in (None, "")
            if empty and name not in self.errors:
                cleaned[name] = ours.get(name, getattr(blank, name))

    def _check_batches(self, cleaned: dict[str, Any]) -> None:
        try:
            batches.check(cleaned.get("batches") or "")
        except DomainError as error:
            self.add_error("batches", f"{error.message} {error.hint}".strip())

    def _forget_others(self, cleaned: dict[str, Any], kind: str) -> None:
        own = set(self.names_of_kind(kind))
        for name in (*WHAT, *SHARED):
            if name in self.fields and name not in own:
                self.errors.pop(name, None)
                cleaned[name] = self._nothing(name)

    def _nothing(self, name: str) -> Any:
        field: Any = self._meta.model._meta.get_field(name)
        if name == "variables":
            return self.fields[name].clean(None)
        return None if field.many_to_one else field.get_default()

    def _check_needed(self, cleaned: dict[str, Any], kind: str) -> None:
        name, words = NEEDED[kind]
        if name not in self.fields or {name, "script"} & set(self.errors):
            return
        value = cleaned.get(name) or (
            cleaned.get("script") if name == "script_text" else None
        )
        if not value or (isinstance(value, str) and not value.strip()):
            if not self.may_be_open(name):
                self.add_error(name, words())
        elif kind == Kind.SCRIPT and cleaned.get("script"):
            # The library's is what runs: a text beside it would only mislead.
            cleaned["script_text"] = ""

    def may_be_open(self, name: str) -> bool:
        """Say whether a field that the kind needs may be left empty here."""
        return False

    def has_changed(self) -> bool:
        """Say whether anything is other than stored: the variables, answers and secrets too."""
        if super().has_changed() or self.secrets_changed():
            return True
        now = getattr(self, "cleaned_data", {})
        return "variables" in now and (
            now["variables"] != self.before_variables
            or now.get("answers", {}) != (self.initial.get("answers") or {})
        )
