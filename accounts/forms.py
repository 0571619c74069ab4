"""Shape of what people enter about users, roles, grants, passwords and tokens."""

import zoneinfo
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import password_validation
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiToken, Grant, Role, User
from accounts.permission_field import PermissionField
from adminset import scopes
from adminset.crud.forms import ResourceForm, SecretInput

PASSWORD_MAX_LENGTH = 1024
LONGEST_TOKEN_DAYS = 365


def password_field(
    label: Any, *, is_new: bool = False, **options: Any
) -> forms.CharField:
    """Make a box for a password: never filled, never trimmed."""
    autocomplete = "new-password" if is_new else "current-password"
    widget = SecretInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(
        label=label,
        widget=widget,
        strip=False,
        max_length=PASSWORD_MAX_LENGTH,
        **options,
    )


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


class RoleForm(ResourceForm):
    """A role: a name and what it allows."""

    permissions = PermissionField(label=capfirst(_("permissions")), required=False)

    class Meta:
        model = Role
        fields = ["name", "description", "permissions"]


class GrantForm(ResourceForm):
    """A role for a user, everywhere or on chosen objects; `grant_form` adds a field for each kind of scope."""

    class Meta:
        model = Grant
        fields = ["user", "role", "everything"]
        help_texts = {
            "everything": _(
                "Holds on all objects. Otherwise it holds only on what is chosen below."
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = self.instance.scope_ids if self.instance.pk else {}
        self.unseen: dict[str, set[int]] = {}
        for kind in scopes.all_kinds():
            seen = set(kind.rows(self.user).values_list("pk", flat=True))
            mine = set(stored.get(kind.kind, ()))
            self.initial.setdefault(kind.field_name, sorted(mine & seen))
            self.unseen[kind.kind] = mine - seen

    def clean(self) -> dict[str, Any]:
        """Refuse a grant that would hold nowhere."""
        cleaned = super().clean()
        if (
            not self.errors
            and not cleaned.get("everything")
            and not any(self.scope_ids().values())
        ):
            raise forms.ValidationError(
                _("Choose where it holds: everywhere, or on some objects.")
            )
        return cleaned

    def scope_ids(self) -> dict[str, set[int]]:
        """Give the chosen objects by kind of scope; those that the user may not see stay as they are."""
        return {
            kind.kind: {row.pk for row in self.cleaned_data.get(kind.field_name) or ()}
            | self.unseen[kind.kind]
            for kind in scopes.all_kinds()
        }


def grant_form() -> type[GrantForm]:
    """Make the form of a grant with the kinds of scope that the rooms brought: call it once all are ready."""
    fields = {
        kind.field_name: forms.ModelMultipleChoiceField(
            kind.all_rows(), label=capfirst(kind.label), required=False
        )
        for kind in scopes.all_kinds()
    }
    return type("ScopedGrantForm", (GrantForm,), fields)


class ApiTokenForm(ResourceForm):
    """A token by its name: the rest of it is never edited."""

    class Meta:
        model = ApiToken
        fields = ["name"]


class NewTokenForm(forms.Form):
    """A token that somebody makes for himself."""

    name = forms.CharField(
        label=capfirst(_("name")),
        max_length=100,
        help_text=_("What uses it: a script, a machine."),
    )
    days = forms.IntegerField(
        label=capfirst(_("days until it expires")),
        initial=90,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_TOKEN_DAYS)],
    )
    can_write = forms.BooleanField(
        label=capfirst(_("may change things")),
        required=False,
        help_text=_("Off: the token may only read."),
    )


class SignInForm(forms.Form):
    """Name and password at the door."""

    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "username",
                "autofocus": True,
                "autocapitalize": "none",
            }
        ),
    )
    password = password_field(_("Password"))


class NewPasswordForm(forms.Form):
    """A new password, twice."""

    password = password_field(_("New password"), is_new=True)
    repeat = password_field(_("New password again"), is_new=True)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["password"].help_text = " ".join(
            str(text) for text in password_validation.password_validators_help_texts()
        )

    def clean_password(self) -> str:
        """Check it against the rules."""
        password = self.cleaned_data["password"]
        password_validation.validate_password(password, self.user)
        return str(password)

    def clean_repeat(self) -> str:
        """Check that both are the same."""
        repeat = self.cleaned_data["repeat"]
        if "password" in self.cleaned_data and repeat != self.cleaned_data["password"]:
            raise forms.ValidationError(_("The two passwords differ."))
        return str(repeat)


class OwnPasswordForm(NewPasswordForm):
    """A new password for oneself, with the old one as evidence."""

    old_password = password_field(_("Old password"))
    field_order = ["old_password", "password", "repeat"]
