"""Inputs of web-hooks in, and of the page that tries one."""

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adminset.crud.forms import ResourceForm, SecretInput
from adminset.errors import DomainError
from tasks.hooks import starting
from tasks.hooks.fields import WordsField, extract_field, match_field
from tasks.launching.targets import TargetsMixin
from tasks.models import InHook, TaskModule, Template

SHORTEST_SECRET = 16
Does = InHook.Does
TARGETS = ("hosts", "groups", "host_filter")


class InHookForm(TargetsMixin, ResourceForm):
    """A web-hook: who signs how, what starts, under which rules, with which values."""

    host_list = None  # type: ignore[assignment]
    host_file = None  # type: ignore[assignment]
    events = WordsField(
        label=gettext_lazy("Only these events"),
        help_text=gettext_lazy(
            "Such as push or release, one on each line. Empty: all."
        ),
    )
    match = match_field()
    extract = extract_field()

    class Meta:
        model = InHook
        fields = (
            "name",
            "kind",
            "header",
            "secret",
            "does",
            "template",
            "task_module",
            "workflow",
            *TARGETS,
            "events",
            "match",
            "extract",
            "active",
        )
        widgets = {"secret": SecretInput(attrs={"autocomplete": "new-password"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.narrow_targets()
        for name in ("kind", "header", "does"):
            self.fields[name].required = False
        self._offer("template", Template)
        self._offer("task_module", TaskModule)
        for name in TARGETS:
            self.fields[name].help_text = gettext_lazy("For a task module.")

    def _offer(self, name: str, model: Any) -> None:
        """Offer what the user may start; what the row has beyond that stays with it."""
        usable = model.objects.visible_to(self.user, "use").order_by().values("pk")
        held = Q(pk=getattr(self.instance, f"{name}_id") or 0)
        field: Any = self.fields[name]
        field.queryset = model.objects.filter(held | Q(pk__in=usable))

    def sections(self) -> list[dict[str, Any]]:
        """Give the inputs by heading, for the page."""
        what = ("does", "template", "task_module", "workflow", *TARGETS)
        named: tuple[tuple[str, tuple[str, ...], bool], ...] = (
            (_("Who calls"), ("name", "active", "kind", "header", "secret"), False),
            (_("What starts"), what, False),
            # Rows of rules need the whole width.
            (_("When, and with what"), ("events", "match", "extract"), True),
        )
        return [
            {"title": title, "fields": [self[name] for name in names], "wide": wide}
            for title, names, wide in named
        ]

    def clean(self) -> dict[str, Any]:
        """Want a secret, one thing to start, and values that it can take."""
        cleaned = super().clean()
        blank = InHook()
        for name in ("kind", "header", "does"):
            if name not in self.errors:
                cleaned[name] = cleaned.get(name) or getattr(blank, name)
        self._check_secret(cleaned.get("secret"))
        self._check_what(cleaned)
        self.check_targets(cleaned, needed=cleaned.get("does") == Does.TASK_MODULE)
        if not {"does", "template", "task_module", "workflow"} & set(self.errors):
            self._check_values(cleaned)
        return cleaned

    def _check_secret(self, secret: Any) -> None:
        if not secret:
            self.add_error(
                "secret", _("Give a secret: what is not signed may be anybody's.")
            )
        elif isinstance(secret, str) and len(secret) < SHORTEST_SECRET:
            words = _("Give at least %(number)s characters.")
            self.add_error("secret", words % {"number": SHORTEST_SECRET})

    def _check_what(self, cleaned: dict[str, Any]) -> None:
        """Want the one that `does` names, and forget the others."""
        does = cleaned.get("does")
        for name in Does.values:
            if name != does:
                self._forget(cleaned, name, None)
            elif not cleaned.get(name) and name not in self.errors:
                self.add_error(name, _("Choose what starts."))
        if does != Does.TASK_MODULE:
            for target in TARGETS:
                self._forget(cleaned, target, "" if target == "host_filter" else [])

    def _forget(self, cleaned: dict[str, Any], name: str, nothing: Any) -> None:
        self.errors.pop(name, None)
        cleaned[name] = nothing

    def _check_values(self, cleaned: dict[str, Any]) -> None:
        names = ("does", "template", "task_module", "workflow")
        meant = InHook(**{name: cleaned.get(name) for name in names})
        try:
            known = starting.fields_of(meant)
            rules = cleaned.get("extract") or []
            wrong = [r["field"] for r in rules if not starting.takes(meant, r["field"])]
        except DomainError as error:
            self.add_error(meant.does, starting.said(error))
            return
        for name in wrong:
            words = _("No value can go to %(name)s. There are: %(known)s.")
            told = {"name": name[:60], "known": ", ".join(known) or "-"}
            self.add_error("extract", words % told)


class TryForm(forms.Form):
    """A message to try a web-hook with."""

    event = forms.CharField(label=gettext_lazy("Event"), required=False, max_length=80)
    body = forms.CharField(
        label=gettext_lazy("Body of the message"),
        max_length=65536,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "JSON, such as the sender's page of deliveries shows it."
        ),
    )
