"""The pages of the guard: its rules, a box to try a line, and what it had a word on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import Host, HostGroup, Tag
from tasks.models import GuardRule, TerminalCommand
from tests.crud import ResourceTests
from tests.factories import make_host, make_user
from tests.tasks.guard.things import make_guard_rule
from tests.tasks.recording.recordings import new_session

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
NOTE = "This is a guard and not a sandbox."


class TestGuardRuleResource(ResourceTests):
    model = GuardRule

    def make(self, number: int = 0, *, outside: bool = False) -> GuardRule:
        return make_guard_rule(name=f"rule number {number}")

    def valid(self) -> dict[str, Any]:
        return {
            "name": "no reboots",
            "patterns": "reboot\nshutdown",
            "action": "confirm",
            "risk": "2",
        }


@pytest.fixture
def keeper(db: None) -> User:
    return make_user(
        perms=["tasks.view_guardrule", "tasks.add_guardrule", "cmdb.view_host"]
    )


def add(client: Client, **fields: str) -> Any:
    """Send the form of a new rule."""
    sent = {"name": "mine", "patterns": "reboot", "action": "refuse", "risk": "2"}
    return client.post(reverse("tasks:guardrule_add"), sent | fields)


def tried(client: Client, **sent: Any) -> Any:
    """Try a line."""
    return client.post(reverse("tasks:guard_try"), sent)


def test_a_rule_is_saved_and_told_of(client_of: Signed, keeper: User) -> None:
    assert add(client_of(keeper)).status_code == 302
    rule = GuardRule.objects.get(name="mine")
    assert (rule.action, rule.enabled) == ("refuse", False)
    line = AuditEntry.objects.get(verb="guardrule.create")
    assert line.target_id == str(rule.pk)
    assert "reboot" in [change["new"] for change in line.changes]


@pytest.mark.parametrize(
    ("patterns", "words"),
    [
        ("'open", "A quote is not closed"),
        ("/(/", "no regular expression of RE2"),
        ("@other", "There is no @other"),
        ("# only a note", "Name one command at least."),
        ("x " * 11_000, "That is too long for one rule."),
    ],
)
def test_a_pattern_that_cannot_be_read_is_refused(
    client_of: Signed, keeper: User, patterns: str, words: str
) -> None:
    answer = add(client_of(keeper), patterns=patterns)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not GuardRule.objects.exists()


@pytest.mark.parametrize(
    "name",
    [
        "guardrule_list",
        "guardrule_add",
        "guard_try",
        "guard_notices",
        "guard_sudoers",
    ],
)
def test_every_page_says_what_it_is_not(
    client_of: Signed, admin: User, name: str
) -> None:
    answer = client_of(admin).get(reverse(f"tasks:{name}"))
    assert answer.status_code == 200
    assert NOTE in answer.content.decode()


def test_a_line_is_tried_and_nothing_is_written(
    client_of: Signed, keeper: User
) -> None:
    make_guard_rule("rm -r /", name="Everything", message="Not that.")
    make_guard_rule("@hidden", name="Hidden", action="notify")
    before = AuditEntry.objects.count()
    page = tried(client_of(keeper), line="sudo rm -rf /; $x").content.decode()
    assert "Not that." in page
    for text in ("Everything", "Hidden", "2 rules hold for you there.", "rm -rf /"):
        assert text in page
    assert AuditEntry.objects.count() == before
    page = tried(client_of(keeper), line="rm -rf $x/*").content.decode()
    assert "rm -rf \u2026/*" in page
    assert "it is asked about at most" in page
    page = tried(client_of(keeper), line="ls").content.decode()
    assert "no rule fits" in page


def test_a_line_is_tried_on_a_host_that_one_may_see(
    client_of: Signed, keeper: User, group: HostGroup
) -> None:
    host = make_host("web1", groups=[group])
    host.tags.add(Tag.objects.create(name="critical"))
    make_guard_rule(critical=True, message="Critical!")
    client = client_of(keeper)
    assert "Critical!" not in tried(client, line="forbidden").content.decode()
    shown = tried(client, line="forbidden", host=host.pk).content.decode()
    assert "Critical!" in shown
    blind = client_of(make_user(perms=["tasks.view_guardrule"]))
    assert tried(blind, line="forbidden", host=host.pk).status_code == 422


def test_hostile_lines_are_only_text(client_of: Signed, keeper: User) -> None:
    page = tried(client_of(keeper), line="<script>alert(1)</script>; x").content
    assert b"<script>alert(1)" not in page


def noticed(user: User, host: Host, **fields: Any) -> TerminalCommand:
    """Enter a line on which a rule had a word."""
    session = new_session(user, host)
    given = {"number": 1, "text": "reboot", "rule_name": "Stops the host"} | fields
    return TerminalCommand.objects.create(session=session, **given)


def test_what_a_rule_had_a_word_on_is_listed_for_who_may_see_the_session(
    client_of: Signed, auditor: User, admin: User
) -> None:
    noticed(admin, make_host("web1"), text="reboot <now>", verdict="warned")
    noticed(admin, make_host("web2"), text="ls", rule_name="")
    page = client_of(auditor).get(reverse("tasks:guard_notices")).content.decode()
    for text in ("reboot &lt;now&gt;", "web1", "Stops the host", "warned", "admin"):
        assert text in page
    assert "web2" not in page


def test_only_hosts_that_are_mine_are_listed_when_asked_for(
    client_of: Signed, auditor: User, admin: User
) -> None:
    noticed(admin, make_host("web1", owner=auditor.username))
    noticed(admin, make_host("web2", owner="somebody"))
    address = reverse("tasks:guard_notices")
    page = client_of(auditor).get(address, {"show": "own"}).content.decode()
    assert "web1" in page
    assert "web2" not in page


def test_sessions_out_of_scope_are_not_listed(
    client_of: Signed, admin: User, group: HostGroup, other_group: HostGroup
) -> None:
    reader = make_user(perms=["tasks.view_terminalsession"], groups=[group])
    noticed(admin, make_host("web1", groups=[group]))
    noticed(admin, make_host("web2", groups=[other_group]))
    page = client_of(reader).get(reverse("tasks:guard_notices")).content.decode()
    assert "web1" in page
    assert "web2" not in page
