"""Takes the names of hosts that a reader may not know out of sentences that the engine wrote for all."""

import re
from collections.abc import Callable, Iterable

from django.utils.translation import gettext as _

Mask = Callable[[str], str]


def mask_of(names: Iterable[str]) -> Mask:
    """Give a function that puts "a host outside your scope" in the place of each of these names in a text."""
    hidden = sorted({name for name in names if name}, key=len, reverse=True)
    if not hidden:
        return lambda text: text
    # A name within a longer one is another host's, or none.
    words = "|".join(map(re.escape, hidden))
    pattern = re.compile(rf"(?<![\w.-])(?:{words})(?![\w-]|\.\w)")
    shown = _("(a host outside your scope)")
    return lambda text: pattern.sub(shown, text)
