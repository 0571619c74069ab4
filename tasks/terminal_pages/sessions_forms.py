"""Shape of what is done to a terminal session: ending it, inviting somebody."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from accounts.models import User
from adminset.errors import DomainError
from adminset.unseen import visible

REASON_CHARACTERS = 300
# Names that the browser offers while one types.
OFFERED = 200
# Refusals of tasks/terminal/control.py that tell something of the guest.
ABOUT_GUESTS = ("no_guest", "guest_may_not_type")


class KillForm(forms.Form):
    """Why a session is ended: its user reads it, and the trail keeps it."""

    reason = forms.CharField(
        label=capfirst(_lazy("reason")),
        max_length=REASON_CHARACTERS,
        required=False,
        help_text=_lazy("The user of the terminal reads it."),
    )


def nobody(name: str) -> str:
    """Say that a name is nobody's who could come: in the same words where the inviter is not to learn more."""
    words = _("There is no user %(name)s who may sign in and do this.")
    return words % {"name": visible(name)}


class InviteForm(forms.Form):
    """Who is let in to a terminal, and whether to type; the names that are offered are those of users whom the inviter may see."""

    user = forms.CharField(
        label=capfirst(_lazy("user name")),
        max_length=150,
        widget=forms.TextInput(
            attrs={"list": "user-names", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    may_write = forms.BooleanField(
        label=capfirst(_lazy("may type")),
        required=False,
        help_text=_lazy("Only who could open this terminal without you."),
    )

    def __init__(self, *args: Any, inviter: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._seen = User.objects.visible_to(inviter).active()
        people = self._seen.filter(kind=User.Kind.PERSON).exclude(pk=inviter.pk)
        self.names = list(people.values_list("username", flat=True)[:OFFERED])

    def clean_user(self) -> User:
        """Find the user by the name; who cannot sign in is nobody."""
        name = self.cleaned_data["user"]
        found = User.objects.active().filter(username=name).first()
        if found is None:
            raise ValidationError(nobody(name))
        return found

    def refused(self, error: DomainError) -> None:
        """Say why somebody is not invited; of whom the inviter may not see no more than of a name that nobody has."""
        user = self.cleaned_data["user"]
        if self._seen.filter(pk=user.pk).exists() or error.code not in ABOUT_GUESTS:
            self.add_error(None, f"{error.message} {error.hint}".strip())
        else:
            self.add_error("user", nobody(user.username))
