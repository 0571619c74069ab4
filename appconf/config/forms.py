"""Inputs of variables, of configuration files with their text, and of a way back to an earlier version."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adminset.crud.forms import ResourceForm, SecretTextarea
from adminset.redaction import SHORTEST
from appconf.config import facts
from appconf.config.questions import newest_of
from appconf.config.substitution import problems
from appconf.config.texts import check_text, check_value, with_plain_ends
from appconf.models import ConfigFile, Variable
from appconf.variable_models import NARROWED

OWNERS = ("product_line", "project", "environment", "host_group", "host")
SETTINGS = (
    "owner",
    "group",
    "mode",
    "backup",
    "validate_command",
    "reload_command",
    "drift_minutes",
)


class VariableForm(ResourceForm):
    """A variable of one level: a value, or a secret one that is never shown again."""

    secret = forms.CharField(
        label=gettext_lazy("Secret value"),
        required=False,
        strip=False,
        widget=SecretTextarea(attrs={"rows": 2, "autocomplete": "off"}),
        help_text=gettext_lazy("Sealed, and never shown again."),
    )

    class Meta:
        model = Variable
        fields = (
            "name",
            "level",
            *OWNERS,
            "is_secret",
            "value",
            "secret",
            "notes",
        )
        widgets = {"value": forms.Textarea(attrs={"rows": 3, "class": "code"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Blanks and line ends belong to a value.
        self.fields["value"].strip = False  # type: ignore[attr-defined]
        self._stands = self._whose() if self.instance.pk else None
        if self.instance.pk and self.instance.is_secret:
            self.fields["secret"].help_text = _("Empty: stays as it is.")

    @property
    def fieldsets(self) -> list[dict[str, Any]]:
        """Give the sections of the page."""
        return [
            {"title": _("Variable"), "fields": [self["name"], self["level"]]},
            {
                "title": _("Whose value it is"),
                "help": _("Fill in what the level says, and leave the others empty."),
                "fields": [self[name] for name in OWNERS],
            },
            {
                "title": _("Value"),
                "fields": [
                    self[name] for name in ("is_secret", "value", "secret", "notes")
                ],
            },
        ]

    def _whose(self) -> dict[str, Any]:
        return {
            name: getattr(self.instance, self.instance._meta.get_field(name).attname)
            for name in ("level", *OWNERS)
        }

    def clean_name(self) -> str:
        """Refuse the names of facts."""
        name = str(self.cleaned_data["name"])
        if facts.is_fact(name):
            raise ValidationError(
                _("Names that begin with ADMINSET_ are given by the portal itself.")
            )
        return name

    def clean(self) -> dict[str, Any]:
        """Want the owner that the level names and no other, and the value in the box for its kind."""
        cleaned = super().clean()
        self._check_owner(cleaned)
        self._check_stays(cleaned)
        if cleaned.get("is_secret"):
            self._check_secret(cleaned)
        else:
            self._check_plain(cleaned)
        return cleaned

    def _check_owner(self, cleaned: dict[str, Any]) -> None:
        level = cleaned.get("level")
        if level not in Variable.OWNERS:
            return
        wanted = Variable.OWNERS[level]
        allowed = {wanted, "project"} if level in NARROWED else {wanted}
        if not cleaned.get(wanted) and wanted not in self.errors:
            self.add_error(wanted, _("Say whose value it is."))
        for name in OWNERS:
            if cleaned.get(name) and name not in allowed:
                self.add_error(name, _("Leave this empty: the level is another one."))

    def _check_stays(self, cleaned: dict[str, Any]) -> None:
        """Refuse to carry a sealed value away: who may read it at another place would learn it there."""
        if self._stands is None or self._sealed["secret"] is None:
            return
        for name, former in self._stands.items():
            given = cleaned.get(name)
            if name in cleaned and (getattr(given, "pk", given) or None) != former:
                words = _("A secret stays whose it is: make another one there.")
                self.add_error(name, words)

    def _check_secret(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("value"):
            self.add_error("value", _("Type it into the box for the secret value."))
            return
        if not cleaned.get("secret"):
            self.add_error("secret", _("Enter the secret value."))
        elif isinstance(cleaned["secret"], str):
            plain = self._checked("secret", cleaned["secret"])
            if len(plain) < SHORTEST:
                words = _(
                    "A secret has at least %(least)s signs: a shorter one cannot be masked."
                )
                self.add_error("secret", words % {"least": SHORTEST})
            cleaned["secret"] = plain

    def _check_plain(self, cleaned: dict[str, Any]) -> None:
        if isinstance(cleaned.get("secret"), str) and cleaned["secret"]:
            self.add_error("is_secret", _("Tick this, or leave the secret value out."))
        cleaned["secret"] = None
        cleaned["value"] = self._checked("value", cleaned.get("value") or "")

    def _checked(self, name: str, text: str) -> str:
        plain = with_plain_ends(text)
        try:
            check_value(plain)
        except ValidationError as error:
            self.add_error(name, error)
        return plain


class ConfigFileForm(ResourceForm):
    """A configuration file and its text; another text than the newest version has becomes a new version."""

    text = forms.CharField(
        label=gettext_lazy("Text"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 22, "class": "code", "data-code": ""}),
        help_text=gettext_lazy(
            "${NAME} is filled in, ${NAME:-default} too, $$ is a dollar sign. Secrets belong into secret variables."
        ),
    )
    why = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        required=False,
        help_text=gettext_lazy("Why the text changes, in a few words."),
    )
    draft = forms.BooleanField(
        label=gettext_lazy("Only a draft"),
        required=False,
        help_text=gettext_lazy("It counts for nothing until it is handed in."),
    )
    # Number of the version that the author saw: what others saved meanwhile is not written over.
    based_on = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = ConfigFile
        fields = ("project", "environment", "name", "path", *SETTINGS, "approval")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.newest = newest_of(self.instance) if self.instance.pk else None
        self.initial["based_on"] = self.newest.number if self.newest else 0
        if self.newest is not None:
            self.initial["text"] = self.newest.text

    @property
    def fieldsets(self) -> list[dict[str, Any]]:
        """Give the sections of the page."""
        first = ("project", "environment", "name", "path")
        return [
            {"title": _("File"), "fields": [self[name] for name in first]},
            {
                "title": _("Content"),
                "fields": [self[name] for name in ("text", "why", "draft")],
            },
            {
                "title": _("On the hosts"),
                "fields": [self[name] for name in (*SETTINGS, "approval")],
            },
        ]

    def clean(self) -> dict[str, Any]:
        """Want an environment of the project, and a text whose braces can be read."""
        cleaned = super().clean()
        environment, project = cleaned.get("environment"), cleaned.get("project")
        if environment and project and environment.project_id != project.pk:
            self.add_error(
                "environment", _("Choose an environment of the same project.")
            )
        text = with_plain_ends(cleaned.get("text") or "")
        cleaned["text"] = text
        try:
            check_text(text)
        except ValidationError as error:
            self.add_error("text", error)
        broken = [str(each) for each in problems(text, ()) if not each.name]
        if broken:
            self.add_error("text", " ".join(broken[:20]))
        self.reason = cleaned.get("why", "")
        return cleaned


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=250)
