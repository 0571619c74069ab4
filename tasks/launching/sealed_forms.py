"""Secrets of a form of work: never drawn, kept until something is typed anew, carried sealed from page to page."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import DomainError
from tasks.launching import sealing
from tasks.launching.variables import (
    Variables,
    as_before,
    rows_of,
    without_secrets,
)


class _Carried(forms.CharField):
    """What a page carries; whether it says anything new, the form finds out."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Leave it to `secrets_changed`."""
        return False


class _Given(forms.JSONField):
    """Secrets that a program gives; as above."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Leave it to `secrets_changed`."""
        return False


class SealedMixin(forms.Form):
    """Keeps `secrets` (name -> value: a module's secret answers, secret variables) for a form whose model is Work.

    `held` are those of the row, or of the page before; `settle_secrets` settles what stays. A program gives new ones as
    `secret_answers`: {name: value}, null to forget one. A page carries only what was typed by its user: what lies in a row
    is opened there again, and never leaves it.
    """

    user: Any
    data: Any
    instance: Any
    held: dict[str, str]
    secrets: dict[str, str]

    kept_secrets = _Carried(required=False, widget=forms.HiddenInput)
    secret_answers = _Given(required=False, widget=forms.HiddenInput)

    def open_secrets(self) -> None:
        """Open what is held: what the page before carried, else what the row has.

        `initial["secret_names"]` are drawn too, to be typed anew.
        """
        self.stored: dict[str, str] = {}
        self.lost = False
        try:
            self.stored = sealing.opened(self.instance.sealed)
            token = str(self.data.get(self.add_prefix("kept_secrets")) or "")
            takes = self.is_bound and self.takes_secrets()
            carried = sealing.carried(token, self.user) if takes else {}
        except DomainError:
            carried, self.lost = {}, True
        self.held = {**self.stored, **carried}
        self.secrets = dict(self.held)
        variables = self.initial.get("variables")
        if "variables" in self.fields and not isinstance(variables, list):
            plain = variables or {}
            self.before_variables = dict(plain)
            if not self.is_bound:
                anew = self.initial.get("secret_names") or ()
                names = self._secret_names()
                self.initial["variables"] = rows_of(plain, names, anew)

    before_variables: dict[str, Any] = {}

    def takes_secrets(self) -> bool:
        """Say whether secrets may be given here."""
        return True

    def in_row(self) -> bool:
        """Say whether the secrets that were there at the start lie in a row that the next page opens again."""
        return self.instance.pk is not None

    def _secret_names(self) -> set[str]:
        """Name the held secrets that are variables, and no answers of a task module."""
        return set() if self._asks_a_module() else set(self.held)

    def _asks_a_module(self) -> bool:
        return getattr(self, "kind", "") == "task_module"

    def settle_secrets(self, cleaned: dict[str, Any]) -> None:
        """Settle what stays: typed anew, kept, or gone with its row."""
        if self.lost:
            self.add_error(
                None, _("The stored secrets cannot be opened: enter them again.")
            )
        found = cleaned.get("variables")
        if isinstance(found, Variables):
            cleaned["variables"] = as_before(found.plain, self.before_variables)
        typed: dict[str, str] = dict(getattr(self, "typed_answers", {}))
        if self._asks_a_module():
            asked = "answers" in self.fields
            stays = set(getattr(self, "secret_fields", ()) if asked else self.held)
        elif isinstance(found, Variables):
            typed |= found.typed
            by_page = f"{self.add_prefix('variables')}" not in self.data
            stays = found.kept if by_page else set(self.held) - set(found.plain)
            for name in sorted(found.kept - set(self.held)):
                self.add_error(
                    "variables", _("Type the value of %(name)s.") % {"name": name}
                )
        else:
            stays = set(self.held)
        kept = {name: v for name, v in self.held.items() if name in stays}
        self.secrets = self._with_given(kept | typed, cleaned.get("secret_answers"))

    def _with_given(self, secrets: dict[str, str], given: Any) -> dict[str, str]:
        if given in (None, ""):
            return secrets
        if not isinstance(given, dict):
            self.add_error("secret_answers", _("Give an object of names and values."))
            return secrets
        new = {str(n): str(v) for n, v in given.items() if v not in (None, "")}
        return {n: v for n, v in secrets.items() if n not in given} | new

    def secrets_changed(self) -> bool:
        """Say whether other secrets stand here than in the row."""
        return bool(self.secrets != self.stored)

    def _post_clean(self) -> None:
        """Put the secrets into the row; its field seals them."""
        if self.secrets_changed():
            self.instance.sealed = sealing.text_of(self.secrets)
        super()._post_clean()  # type: ignore[misc]

    def secret_changes(self) -> list[audit.Change]:
        """Tell the trail that there are other secrets, without a value."""
        told: list[audit.Change] = super().secret_changes()  # type: ignore[misc]
        if self.secrets_changed() and self.stored:
            told.append({"field": "sealed", "old": audit.MASK, "new": audit.MASK})
        return told

    # ---- What the page draws

    def token(self) -> str:
        """Give what was typed for a hidden input of this user's next page."""
        known = self.stored if self.in_row() else {}
        typed = {n: v for n, v in self.secrets.items() if known.get(n) != v}
        return sealing.carry(typed, self.user)

    def hide_typed(self) -> None:
        """Take typed secrets out of what the page draws again: they are in the token."""
        if "variables" not in self.fields or not self.is_bound:
            return
        name, widget = self.add_prefix("variables"), self.fields["variables"].widget
        sent = widget.value_from_datadict(self.data, self.files, name)
        data = self.data.copy()
        for key in [key for key in data if str(key).startswith(f"{name}-")]:
            del data[key]
        data[name] = without_secrets(sent)
        self.data = data
