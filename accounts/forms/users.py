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
    language = forms.ChoiceField(
        label=capfirst(_("language")), choices=_languages, required=False
    )
    time_zone = forms.ChoiceField(
        label=capfirst(_("time zone")), choices=_time_zones, required=False
    )
    field_order = [
        "username",
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
