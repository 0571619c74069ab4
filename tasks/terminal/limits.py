"""How long a terminal lives: without input, at most, and after its page is gone."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from django.conf import settings
from django.utils.translation import gettext as _

# So long before the end of the time without input it is told.
WARN_SECONDS = 60.0


@dataclass
class Limits:
    """The clock of one terminal; its end is a sentence.

    Attributes:
        warned: whether it was told that the end is near.
    """

    began: float = field(default_factory=time.monotonic)
    warned: bool = False

    def over(self, last_input: float, away_since: float | None) -> str:
        """Say why it has to end now, "" where it may go on.

        Args:
            last_input: when somebody typed last, away_since: when the page went (both time.monotonic), None: it is there.
        """
        now = time.monotonic()
        longest, idle = (
            settings.TERMINAL_LONGEST_SECONDS,
            settings.TERMINAL_IDLE_SECONDS,
        )
        if longest and now - self.began > longest:
            words = _("It was open for %(minutes)s minutes, which is the longest.")
            return words % {"minutes": longest // 60}
        if idle and now - last_input > idle:
            words = _("Nobody typed for %(minutes)s minutes.")
            return words % {"minutes": idle // 60}
        away = settings.TERMINAL_AWAY_SECONDS
        if away_since is not None and now - away_since > away:
            words = _("The page was gone for %(seconds)s s.")
            return words % {"seconds": away}
        return ""

    def warning(self, last_input: float) -> str:
        """Say, once, that it ends soon; "" where it does not, or that was said."""
        idle = settings.TERMINAL_IDLE_SECONDS
        left = last_input + idle - time.monotonic()
        if not idle or idle <= WARN_SECONDS or left > WARN_SECONDS:
            self.warned = False
            return ""
        if self.warned:
            return ""
        self.warned = True
        return _("Nobody types: this terminal closes in a minute.")
