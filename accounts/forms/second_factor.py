"""Boxes for codes, and for the proof before a dangerous act."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms.passwords import password_field


class CodeForm(forms.Form):
    """A code of the app, or a recovery code."""

    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autofocus": True,
                "spellcheck": "false",
            }
        ),
        help_text=_("Six digits of the authenticator app, or a recovery code."),
    )


class FirstCodeForm(CodeForm):
    """The first code of the app: no recovery code is there yet."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = ""


class PasswordProofForm(forms.Form):
    """One's own password once more."""

    password = password_field(_("Password"))
