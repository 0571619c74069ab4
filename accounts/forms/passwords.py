"""Boxes for passwords: at the door, a new one, one's own."""

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from adminset.crud.forms import SecretInput

PASSWORD_MAX_LENGTH = 1024


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


def must_change_field() -> forms.BooleanField:
    """Make the switch beside a password that is set for somebody else."""
    return forms.BooleanField(
        label=_("Must choose a new password"),
        required=False,
        initial=True,
        help_text=_("After the next sign-in, before anything else."),
    )


class SetPasswordForm(NewPasswordForm):
    """A new password for somebody else."""

    must_change = must_change_field()


class OwnPasswordForm(NewPasswordForm):
    """A new password for oneself, with the old one as evidence."""

    old_password = password_field(_("Old password"))
    field_order = ["old_password", "password", "repeat"]
