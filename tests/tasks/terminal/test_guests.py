"""Guests who type: with whose rights, under whose rules, in whose name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError

from accounts.models import ApiToken, Grant, User
from adminset.errors import DomainError, Forbidden
from adminset.models import AuditEntry
from cmdb.models import HostGroup
from tasks.guard.verdicts import Judgement
from tasks.models import GuardRule, TerminalCommand, TerminalGuest
from tasks.terminal import control, ledger
from tasks.terminal.judging import may_type
from tasks.terminal.strictest import StrictestJudge, strictest
from tests.factories import grant, make_user
from tests.tasks.terminal.things import begin, come, in_thread, row_becomes, run

pytestmark = pytest.mark.django_db(transaction=True)
Opened = Callable[..., Any]


@pytest.fixture
def chief(group: HostGroup) -> User:
    """May control terminals of the group and open some there, and uses no credential."""
    made = make_user("chief")
    actions = ["tasks.control_terminalsession", "cmdb.terminal_host"]
    grant(made, actions, [group])
    return made


@pytest.fixture
def guest() -> User:
    """Could have opened the terminal; a rule is for this role."""
    made = make_user("guest")
    role = grant(made, ["cmdb.terminal_host", "cmdb.use_credential"]).role
    rule = GuardRule.objects.create(
        name="not for guests", patterns="forbidden *\nforbidden", action="refuse"
    )
    rule.roles.add(role)
    return made


def test_control_of_a_terminal_is_no_use_of_its_credential(
    opened: Opened, chief: User, worker: User
) -> None:
    session, _hello = opened()
    with pytest.raises(DomainError, match="could not open this terminal"):
        control.invite(actor=chief, session=session, user=chief, may_write=True)
    with pytest.raises(DomainError, match="could not open this terminal"):
        control.invite(actor=worker, session=session, user=chief, may_write=True)
    assert not TerminalGuest.objects.exists()
    control.invite(actor=worker, session=session, user=chief)
    assert not may_type(chief, session)
    right = grant(chief, ["cmdb.use_credential"])
    control.invite(actor=chief, session=session, user=chief, may_write=True)
    assert may_type(chief, session)
    # And who loses it types no more.
    Grant.objects.filter(pk=right.pk).delete()
    assert not may_type(User.objects.get(pk=chief.pk), session)


def test_a_terminal_whose_credential_is_gone_is_typed_in_by_no_guest(
    opened: Opened, worker: User, guest: User
) -> None:
    session, _hello = opened()
    control.invite(actor=worker, session=session, user=guest, may_write=True)
    assert may_type(guest, session)
    session.credential = None
    assert not may_type(guest, session)


def test_what_a_guest_types_is_judged_by_the_rules_for_guests_and_told_in_that_name(
    opened: Opened, worker: User, guest: User
) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        await in_thread(
            control.invite, actor=worker, session=session, user=guest, may_write=True
        )
        await page.type("PS1='rea''dy> '\n")
        await page.shows("ready> ")
        await page.type("forbidden of-owner$((1+1))\n")
        await page.shows("not found")
        await page.shows("ready> ")
        other = await come(session, guest)
        await other.hears("ready")
        await other.type("forbidden of-guest\n")
        assert (await other.hears("guard", action="refuse"))["id"] == 0
        await page.type("exit\n")
        await page.hears("end")
        await row_becomes(session, "ended")
        await other.leave()
        await page.leave()

    run(scene)
    rows = TerminalCommand.objects.filter(text__startswith="forbidden")
    kept = {row.typed_by: row.verdict for row in rows}
    assert kept == {"operator": "passed", "guest": "refused"}
    line = AuditEntry.objects.get(verb="terminal.refuse_command")
    assert (line.actor, line.target_id) == (guest, str(session.pk))
    assert line.changes == [{"field": "typed_by", "old": None, "new": "guest"}]


def test_a_typist_who_is_no_user_any_more_is_not_taken_for_the_owner(
    opened: Opened, worker: User
) -> None:
    session, _hello = opened()
    ledger.tell(session, "terminal.refuse_command", "rm (rule)", "gone")
    line = AuditEntry.objects.get(verb="terminal.refuse_command")
    assert (line.actor, line.actor_name) == (None, "terminal")
    assert line.changes[0]["new"] == "gone"
    ledger.tell(session, "terminal.notify_command", "ls (rule)", worker.username)
    line = AuditEntry.objects.get(verb="terminal.notify_command")
    assert (line.actor, line.changes) == (worker, [])


def test_the_strictest_word_counts_with_the_highest_risk() -> None:
    mild, stern = Judgement("notify", 2, "a"), Judgement("confirm", 1, "b", "Sure?")
    expected = Judgement("confirm", 2, "b", "Sure?")
    assert strictest(mild, stern) == strictest(stern, mild) == expected
    assert strictest() == Judgement()


def test_a_guest_whose_rules_cannot_be_read_gets_nothing_through(
    opened: Opened, guest: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, _hello = opened()
    judge = StrictestJudge(session)
    judge.typist = lambda: guest.username

    def away(*_: Any) -> None:
        raise OperationalError("away")

    with monkeypatch.context() as patched:
        patched.setattr("tasks.terminal.strictest.judge_for", away)
        assert judge("ls").action == "refuse"
    assert judge("ls").action == ""
    assert judge("forbidden").action == "refuse"
    judge.typist = lambda: session.username
    assert judge("forbidden").action == ""


def test_a_token_of_the_owner_does_not_unlock_by_a_right_over_some_hosts(
    opened: Opened, worker: User, group: HostGroup
) -> None:
    session, _hello = opened()
    grant(worker, ["tasks.control_terminalsession"], [group])
    by_token = User.objects.get(pk=worker.pk)
    by_token.token = ApiToken(user=worker, can_write=True)
    assert control.may_control(worker, session)
    for actor in (worker, by_token):
        assert not control.may_control(actor, session, own=False)
        with pytest.raises(Forbidden):
            control.unlock(actor=actor, session=session)
