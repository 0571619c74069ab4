"""Judges lines by the rules that hold for a user on a host with a credential; the rules are read anew each minute."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.db import Error
from django.utils.translation import gettext as _

from accounts.models import Grant
from adminset.errors import DomainError
from cmdb import membership
from cmdb.models import Host
from tasks.approvals.asking import critical_of
from tasks.guard.patterns import Pattern, patterns_of
from tasks.guard.shell_lines import UNSEEN, Simple, commands_of
from tasks.guard.verdicts import ACTIONS, NOTHING, Judgement
from tasks.models import GuardRule

logger = logging.getLogger(__name__)
KEPT_SECONDS = 60
# What may be meant, but need not be (rm -rf $X/*), is asked about at most.
MOST_FOR_UNSURE = "confirm"
# In seconds of this thread: what is not asked about by then counts as hidden. Words of one command likewise.
MOST_SECONDS, MOST_WORDS = 0.1, 1000


@dataclass(frozen=True)
class Rule:
    """A rule as it is asked: with its patterns read."""

    name: str
    action: str
    risk: int
    message: str
    patterns: tuple[Pattern, ...]

    def action_for_line(self, line: str) -> str:
        """Say what it does about a whole line, whatever its commands are."""
        fits = any(pattern.fits_line(line) for pattern in self.patterns)
        return self.action if fits else ""

    def action_for(self, command: Simple) -> str:
        """Say what it does about a command; "" where it does not fit."""
        if any(pattern.fits(command.certain) for pattern in self.patterns):
            return self.action
        if any(pattern.fits(command) for pattern in self.patterns):
            return min(self.action, MOST_FOR_UNSURE, key=ACTIONS.index)
        return ""

    @property
    def words(self) -> str:
        """What the user reads."""
        if self.message:
            return self.message
        known = {
            "warn": _("The rule %(rule)s warns of this command."),
            "confirm": _("The rule %(rule)s asks: is this what you mean to do here?"),
            "refuse": _("The rule %(rule)s does not let this command pass."),
        }
        return known.get(self.action, "") % {"rule": self.name}


@dataclass(frozen=True)
class Finding:
    """What the rules say to a line: each that fits, with what it does."""

    commands: list[Simple]
    fits: list[tuple[Rule, str]]

    @property
    def judgement(self) -> Judgement:
        """The strictest word counts, and the highest risk."""
        if not self.fits:
            return NOTHING
        rule, action = max(
            self.fits, key=lambda each: (ACTIONS.index(each[1]), each[0].risk)
        )
        risk = max(each.risk for each, _action in self.fits)
        # The words of what really happens: a refusal may have become a question.
        words = replace(rule, action=action).words
        return Judgement(action, risk, rule.name, words)


def find(
    rules: Iterable[Rule], line: str, clock: Callable[[], float] = time.thread_time
) -> Finding:
    """Ask rules about a line."""
    rules, commands = list(rules), commands_of(line)
    said = [rule.action_for_line(line) if commands else "" for rule in rules]
    for command in _in_time(commands, clock):
        for place, rule in enumerate(rules):
            if said[place] != rule.action:
                action = rule.action_for(command)
                said[place] = max(said[place], action, key=ACTIONS.index)
    asked = zip(rules, said, strict=True)
    return Finding(commands, [(rule, action) for rule, action in asked if action])


def _in_time(
    commands: Iterable[Simple], clock: Callable[[], float]
) -> Iterator[Simple]:
    """Give the commands that there is time to ask about, and a hidden one for what is left."""
    ends = clock() + MOST_SECONDS
    for command in commands:
        if clock() > ends:
            yield UNSEEN
            return
        if len(command.words) > MOST_WORDS:
            yield UNSEEN
            yield replace(command, words=command.words[:MOST_WORDS])
        else:
            yield command


class RuleBook:
    """The rules that hold for somebody somewhere: asked about a line, it judges."""

    def __init__(
        self,
        user: Any,
        host: Host | None,
        credential: Any,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._about = (user, host, credential)
        self._clock = clock
        self._rules = rules_for(user, host, credential)
        self._read_at = clock()

    def __call__(self, line: str) -> Judgement:
        """Judge a line."""
        self._refresh()
        return find(self._rules, line).judgement if self._rules else NOTHING

    def _refresh(self) -> None:
        if self._clock() - self._read_at < KEPT_SECONDS:
            return
        self._read_at = self._clock()
        try:
            self._rules = rules_for(*self._about)
        except Error:
            # Those of a minute ago are better than none.
            logger.exception("the guard's rules could not be read")


def judge_for(user: Any, host: Host | None, credential: Any) -> RuleBook:
    """Give the judge of what a user types on a host with a credential."""
    return RuleBook(user, host, credential)


def rules_for(user: Any, host: Host | None, credential: Any) -> list[Rule]:
    """Read the rules that hold; one that cannot be read is left out, and the log says so."""
    rows = GuardRule.objects.filter(enabled=True)
    rows = rows.prefetch_related("roles", "host_groups", "credentials")
    here = _Place(user, host, credential)
    found = (_read(row) for row in rows if here.has(row))
    return [rule for rule in found if rule]


class _Place:
    """Who is where, asked for each rule and looked up once."""

    def __init__(self, user: Any, host: Host | None, credential: Any) -> None:
        self._host, self._credential = host, credential
        grants = Grant.objects.holding().filter(user=user) if user else ()
        self._roles = {grant.role_id for grant in grants}
        self._critical: bool | None = None

    def has(self, rule: GuardRule) -> bool:
        """Say whether a rule holds here."""
        roles = {role.pk for role in rule.roles.all()}
        groups = [group.pk for group in rule.host_groups.all()]
        credentials = {each.pk for each in rule.credentials.all()}
        return (
            (not roles or bool(roles & self._roles))
            and (not credentials or getattr(self._credential, "pk", 0) in credentials)
            and (not groups or self._lies_in(groups))
            and (not rule.critical or self._is_critical())
        )

    def _lies_in(self, groups: list[int]) -> bool:
        if self._host is None:
            return False
        row = Host.objects.filter(pk=self._host.pk)
        return membership.in_groups(row, groups).exists()

    def _is_critical(self) -> bool:
        if self._critical is None:
            row = Host.objects.filter(pk=self._host.pk if self._host else 0)
            self._critical = bool(critical_of(row))
        return self._critical


def _read(row: GuardRule) -> Rule | None:
    try:
        patterns = tuple(patterns_of(row.patterns))
    except DomainError as error:
        logger.warning("the guard rule %s cannot be read: %s", row.name, error)
        return None
    return Rule(row.name, row.action, row.risk, row.message, patterns)
