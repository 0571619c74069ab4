"""The shipped rules are made once; what people change or delete stays so."""

from __future__ import annotations

import pytest

from accounts.models import User
from adminset.audit import SystemActor
from adminset.models import AuditEntry
from tasks.guard.patterns import patterns_of
from tasks.guard.shipped import RULES, prepare
from tasks.models import GuardRule
from tests.tasks.guard.things import make_guard_rule

pytestmark = pytest.mark.django_db
SETUP = SystemActor("set-up")


def test_they_are_made_where_there_was_never_a_rule() -> None:
    prepare(SETUP)
    assert GuardRule.objects.count() == len(RULES)
    lines = AuditEntry.objects.filter(verb="guardrule.create")
    assert {line.actor_name for line in lines} == {"set-up"}
    assert lines.count() == len(RULES)
    for rule in GuardRule.objects.all():
        assert patterns_of(rule.patterns)
        rule.full_clean()
    prepare(SETUP)
    assert GuardRule.objects.count() == len(RULES)


def test_what_was_deleted_does_not_come_back() -> None:
    prepare(SETUP)
    GuardRule.objects.all().delete()
    prepare(SETUP)
    assert not GuardRule.objects.exists()


def test_a_portal_with_rules_of_its_own_is_left_alone(admin: User) -> None:
    make_guard_rule()
    prepare(SETUP)
    assert GuardRule.objects.count() == 1
