"""Which rules hold for whom and where, which of several counts, and when a change is noticed."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError

from accounts.models import Grant, Role, User
from cmdb.models import Credential, Host, HostGroup, Tag
from tasks.guard import judging
from tasks.guard.judging import RuleBook, judge_for
from tasks.models import GuardRule
from tests.factories import make_host
from tests.tasks.guard.things import make_guard_rule

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(group: HostGroup) -> Host:
    return make_host("web1", groups=[group])


def said(user: User, host: Host | None, credential: Any = None) -> str:
    """Give what happens to a forbidden line."""
    return judge_for(user, host, credential)("sudo forbidden").action


def test_without_rules_nothing_is_said(operator: User, host: Host) -> None:
    assert said(operator, host) == ""


def test_a_rule_without_limits_holds_for_everybody(
    operator: User, admin: User, host: Host
) -> None:
    make_guard_rule()
    assert said(operator, host) == said(admin, host) == said(admin, None) == "refuse"


def test_a_rule_that_is_off_says_nothing(operator: User, host: Host) -> None:
    make_guard_rule(enabled=False)
    assert said(operator, host) == ""


def test_a_rule_of_a_role_holds_for_who_holds_the_role(
    operator: User, admin: User, host: Host
) -> None:
    role = Role.objects.create(name="careful")
    make_guard_rule().roles.add(role)
    assert said(operator, host) == ""
    Grant.objects.create(user=operator, role=role, everything=True)
    assert said(operator, host) == "refuse"
    assert said(admin, host) == ""


def test_a_rule_of_a_group_holds_on_its_hosts(
    operator: User, host: Host, group: HostGroup
) -> None:
    make_guard_rule().host_groups.add(group)
    assert said(operator, host) == "refuse"
    assert said(operator, make_host()) == said(operator, None) == ""


def test_a_rule_of_a_credential_holds_with_it(operator: User, host: Host) -> None:
    root = Credential.objects.create(name="root", username="root")
    other = Credential.objects.create(name="other", username="other")
    make_guard_rule().credentials.add(root)
    assert said(operator, host, root) == "refuse"
    assert said(operator, host, other) == said(operator, host) == ""


def test_a_rule_for_critical_hosts_holds_on_those(operator: User, host: Host) -> None:
    make_guard_rule(critical=True)
    assert said(operator, host) == ""
    host.tags.add(Tag.objects.create(name="critical"))
    assert said(operator, host) == "refuse"


def test_all_limits_of_a_rule_must_be_met(
    operator: User, host: Host, group: HostGroup
) -> None:
    rule = make_guard_rule(critical=True)
    rule.host_groups.add(group)
    assert said(operator, host) == ""
    host.tags.add(Tag.objects.create(name="critical"))
    assert said(operator, host) == "refuse"


def test_the_strictest_of_several_counts_with_the_highest_risk(
    operator: User, host: Host
) -> None:
    make_guard_rule(action="notify", risk=2)
    make_guard_rule(action="confirm", risk=1, name="asks", message="Really?")
    make_guard_rule(action="warn", risk=0)
    judged = judge_for(operator, host, None)("forbidden")
    assert (judged.action, judged.risk) == ("confirm", 2)
    assert (judged.rule_name, judged.words) == ("asks", "Really?")


def test_a_rule_that_cannot_be_read_does_not_stop_the_others(
    operator: User, host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    make_guard_rule("'open", name="broken")
    make_guard_rule()
    assert said(operator, host) == "refuse"
    assert "broken" in caplog.text


def test_rules_are_read_anew_each_minute(operator: User, host: Host) -> None:
    now = [100.0]
    book = RuleBook(operator, host, None, lambda: now[0])
    make_guard_rule()
    now[0] += 59
    assert book("forbidden").action == ""
    now[0] += 2
    assert book("forbidden").action == "refuse"
    GuardRule.objects.all().delete()
    now[0] += 61
    assert book("forbidden").action == ""


def test_without_a_database_the_rules_of_before_hold(
    operator: User, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    make_guard_rule()
    book = RuleBook(operator, host, None, lambda: now[0])

    def gone(*_about: Any) -> Any:
        raise DatabaseError

    monkeypatch.setattr(judging, "rules_for", gone)
    now[0] += 61
    assert book("forbidden").action == "refuse"
