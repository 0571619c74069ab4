"""The shape of a wish for a terminal, as the page sends it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from adminset.errors import DomainError
from cmdb.models import Credential
from tasks.ssh.shell import Size
from tasks.terminal.opening import MOST_COLUMNS, MOST_ROWS, Wanted


class TerminalForm(forms.Form):
    """One terminal on one host."""

    host = forms.IntegerField(min_value=1, max_value=2**53)
    credential = forms.ModelChoiceField(
        Credential.objects.none(),
        label=_("Sign in with"),
        required=False,
        empty_label=_("the credential of the host"),
    )
    become = forms.BooleanField(label=_("As root"), required=False)
    reason = forms.CharField(label=_("Reason"), max_length=500, required=False)
    columns = forms.IntegerField(min_value=2, max_value=MOST_COLUMNS, required=False)
    rows = forms.IntegerField(min_value=1, max_value=MOST_ROWS, required=False)
    together = forms.RegexField(r"^[A-Za-z0-9_-]{16,43}\Z", required=False)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        usable = Credential.objects.visible_to(user, "use").order_by("name")
        self.fields["credential"].queryset = usable  # type: ignore[attr-defined]

    def wanted(self) -> Wanted:
        """Give what is wanted.

        Raises:
            DomainError: names the inputs that are at fault.
        """
        if not self.is_valid():
            told = {
                name: " ".join(str(each) for each in words)
                for name, words in self.errors.items()
            }
            raise DomainError(" ".join(told.values()), fields=told)
        data = self.cleaned_data
        return Wanted(
            credential=data["credential"],
            become=data["become"],
            reason=data["reason"],
            size=Size(data["columns"] or 80, data["rows"] or 24),
            together=data["together"],
        )
