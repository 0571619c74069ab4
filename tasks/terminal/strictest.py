"""Judges lines at a terminal by the guard's rules for its owner and for the guest who typed them: the strictest word counts."""

import logging
from collections.abc import Callable
from dataclasses import replace

from django.db import Error
from django.utils.translation import gettext as _

from accounts.models import User
from tasks.guard.judging import RuleBook, judge_for
from tasks.guard.verdicts import ACTIONS, NOTHING, Judgement
from tasks.models import TerminalSession

logger = logging.getLogger(__name__)


class StrictestJudge:
    """Judges for one terminal, in its thread.

    Attributes:
        typist: gives the name of who typed what is judged; "" is the owner.
    """

    def __init__(self, session: TerminalSession) -> None:
        self._session = session
        self._owner = judge_for(session.user, session.host, session.credential)
        self._guests: dict[str, RuleBook] = {}
        self.typist: Callable[[], str] = str

    def __call__(self, line: str) -> Judgement:
        """Judge a line."""
        said = self._owner(line)
        name = self.typist()
        if name in ("", self._session.username):
            return said
        try:
            return strictest(said, self._guest(name)(line))
        except Error:
            logger.exception("the guard's rules for %s could not be read", name)
            words = _("The guard's rules for %(user)s cannot be read: try again.")
            return Judgement("refuse", said.risk, words=words % {"user": name})

    def _guest(self, name: str) -> RuleBook:
        """Give the rules that hold for a guest here."""
        if name not in self._guests:
            user = User.objects.filter(username=name).first()
            here = self._session.host, self._session.credential
            self._guests[name] = judge_for(user, *here)
        return self._guests[name]


def strictest(*said: Judgement) -> Judgement:
    """Give the strictest of what was said, with the highest risk of all."""
    worst = max(
        said, key=lambda one: (ACTIONS.index(one.action), one.risk), default=NOTHING
    )
    return replace(worst, risk=max((one.risk for one in said), default=0))
