"""Shape of API tokens."""

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiToken
from adminset.crud.forms import ResourceForm

LONGEST_TOKEN_DAYS = 365


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
