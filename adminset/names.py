"""Says many names in a sentence: the first of them, and how many more there are."""

from collections.abc import Sequence

from django.utils.translation import gettext as _


def listed(names: Sequence[str], most: int = 5) -> str:
    """Name some things, at most so many, and how many more there are."""
    shown = ", ".join(names[:most])
    more = len(names) - most
    if more <= 0:
        return shown
    return _("%(names)s and %(more)s more") % {"names": shown, "more": more}
