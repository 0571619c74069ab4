"""How Ansible runs: check, diff, tags, skipped tags, limit, how much it says; as inputs of a page or as an object of a program."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adminset.errors import DomainError
from tasks.ansible_options import read_options
from tasks.launching.rows import RowsField

FLAGS = {
    "check": gettext_lazy("Check only: change nothing, say what would change"),
    "diff": gettext_lazy("Show differences"),
    "facts": gettext_lazy("Read facts before a module"),
    "mitogen": gettext_lazy("Mitogen, where it is installed"),
}
TEXTS = {
    "tags": (gettext_lazy("Only with these tags"), "deploy, config"),
    "skip_tags": (gettext_lazy("Without these tags"), "slow"),
    "limit": (gettext_lazy("Only these of the hosts"), "web*"),
    "start_at_task": (gettext_lazy("Begin at this task"), "Install packages"),
}
VERBOSITY = [
    (0, gettext_lazy("as usual")),
    (1, "-v"),
    (2, "-vv"),
    (3, "-vvv"),
    (4, "-vvvv"),
]


class OptionsWidget(forms.Widget):
    """Draws the options; reads `<name>-<option>`, or what a program gave under the plain name."""

    template_name = "tasks/widgets/options.html"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Give an object as it came, else what the inputs say."""
        if name in data:
            return data.get(name)
        flags = {each: True for each in FLAGS if data.get(f"{name}-{each}")}
        texts = {each: str(data.get(f"{name}-{each}") or "").strip() for each in TEXTS}
        level = str(data.get(f"{name}-verbosity") or "0")
        return {**flags, **{k: v for k, v in texts.items() if v}, "verbosity": level}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Say no: what is not ticked is sent as nothing."""
        return False

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Give the inputs."""
        context: dict[str, Any] = super().get_context(name, value, attrs)
        set_ = value if isinstance(value, Mapping) else {}
        context["widget"] |= {
            "flags": [(f"{name}-{k}", v, bool(set_.get(k))) for k, v in FLAGS.items()],
            "texts": [
                (f"{name}-{k}", label, hint, set_.get(k, ""))
                for k, (label, hint) in TEXTS.items()
            ],
            "verbosity": f"{name}-verbosity",
            "levels": [
                (level, words, str(set_.get("verbosity", 0)) == str(level))
                for level, words in VERBOSITY
            ],
        }
        return context

    def format_value(self, value: Any) -> Any:
        """Leave it as it is."""
        return value


class OptionsField(RowsField):
    """Cleans to an object with the options that are set."""

    none = dict

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, widget=OptionsWidget(), **kwargs)

    def clean(self, value: Any) -> dict[str, Any]:
        """Read them.

        Raises:
            ValidationError: an option that there is not, or a value that cannot be.
        """
        found = self.to_python(value)
        if not isinstance(found, dict):
            raise forms.ValidationError(_("Give an object of options."))
        kept = {
            n: v for n, v in map(_typed, found.items()) if v not in ("", None, False)
        }
        try:
            read_options(kept)
        except DomainError as error:
            raise forms.ValidationError(sorted(error.fields.values())) from error
        return {n: v for n, v in kept.items() if v}

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare what is meant."""
        try:
            return self.clean(data) != (initial or {})
        except forms.ValidationError:
            return True


def _typed(item: tuple[str, Any]) -> tuple[str, Any]:
    """Give what a page sends as text the kind that the option has."""
    name, value = item
    if name == "verbosity" and isinstance(value, str):
        return name, int(value) if value.isdecimal() and len(value) < 3 else -1
    return name, value.strip() if isinstance(value, str) else value
