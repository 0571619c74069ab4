"""Shape of a user, and of what people choose for themselves."""

import zoneinfo
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import password_validation
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.forms.passwords import must_change_field, password_field
from accounts.models import User
from adminset.crud.forms import ResourceForm


def _languages() -> list[tuple[str, Any]]:
    return [("", _("as the browser asks")), *settings.LANGUAGES]


def _time_zones() -> list[tuple[str, Any]]:
    names = sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})
    ours = gettext("as the portal")
    return [
        ("", f"{ours} ({settings.TIME_ZONE})"),
        *((n, n) for n in names),
    ]


class PreferencesForm(ResourceForm):
    """What people choose for themselves."""

    language = forms.ChoiceField(
        label=capfirst(_("language")), choices=_languages, required=False
    )
    time_zone = forms.ChoiceField(
        label=capfirst(_("time zone")), choices=_time_zones, required=False
    )

    class Meta:
        model = User
        fields = ["display_name", "email", "language", "time_zone", "theme"]


class UserForm(ResourceForm):
    """A user, as somebody who manages users enters it."""

    password = password_field(
        capfirst(_("password")),
        is_new=True,
        required=False,
        help_text=_(
            "Empty: it stays as it is; a new user cannot sign in until a password is set."
        ),
    )
    must_change = must_change_field()
    kind = forms.ChoiceField(
        label=capfirst(_("kind")),
        choices=User.Kind.choices,
        required=False,
        help_text=_(
            "A service account speaks by API tokens only: no password, no sign-in."
        ),
    )
    language = forms.ChoiceField(
        label=capfirst(_("language")), choices=_languages, required=False
    )
    time_zone = forms.ChoiceField(
        label=capfirst(_("time zone")), choices=_time_zones, required=False
    )
    field_order = [
        "username",
        "kind",
        "display_name",
        "email",
        "password",
        "must_change",
        "is_active",
        "is_superuser",
        "language",
        "time_zone",
    ]

    class Meta:
        model = User
        fields = [
            "username",
            "kind",
            "display_name",
            "email",
            "is_active",
            "is_superuser",
            "language",
            "time_zone",
        ]
        help_texts = {
            "is_superuser": _("May do everything, whatever the grants say."),
            "is_active": _("Off: no sign-in, and the user's API tokens stop working."),
        }

    def clean(self) -> dict[str, Any]:
        """Check a new password against the rules, with the names that are entered beside it."""
        cleaned = super().clean()
        password = cleaned.get("password")
        if cleaned.get("kind") == User.Kind.SERVICE:
            self._refuse_what_a_service_has_not(cleaned)
            return cleaned
        if not password:
            return cleaned
        if self.instance.pk and self.instance.pk == self.user.pk:
            self.add_error("password", _("Change your own password under My account."))
            return cleaned
        names = {k: cleaned.get(k) or "" for k in ("username", "display_name", "email")}
        try:
            password_validation.validate_password(password, User(**names))
        except forms.ValidationError as error:
            self.add_error("password", error)
        return cleaned

    def clean_kind(self) -> str:
        """Keep the kind where none is said."""
        return self.cleaned_data["kind"] or self.instance.kind

    def _refuse_what_a_service_has_not(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("password"):
            self.add_error("password", _("A service account has no password."))
        if cleaned.get("is_superuser"):
            self.add_error(
                "is_superuser", _("A service account is never an administrator.")
            )
