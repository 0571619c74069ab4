"""The yes to a plan of a push: why, and why now where windows or freezes say no."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from delivery.configs.pushing import REASON_LENGTH

EMERGENCY_LENGTH = 500


class PushForm(forms.Form):
    """Why it is pushed."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=REASON_LENGTH,
        help_text=_("What it is for: it stands in the history."),
    )
    emergency_reason = forms.CharField(
        label=_("Emergency: why it cannot wait"),
        max_length=EMERGENCY_LENGTH,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, closed: bool, **kwargs: Any) -> None:
        """Make it; `closed`: windows or freezes say no, so that it is asked for an emergency."""
        super().__init__(*args, **kwargs)
        if not closed:
            del self.fields["emergency_reason"]
