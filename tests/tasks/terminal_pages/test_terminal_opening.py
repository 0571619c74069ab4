"""Opening a terminal from the page, and coming back to it: what is answered, written down, and refused."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from adminset.models import AuditEntry
from cmdb.models import Credential, Host, Tag
from tasks.models import TerminalSession
from tests.factories import grant, make_host, make_user

pytestmark = pytest.mark.usefixtures("issued")
JSON = {"accept": "application/json"}


@pytest.fixture
def host(group: Any) -> Host:
    """A host of the operator's group."""
    key = Credential.objects.create(
        name="ops key", username="ops", password="x", become_method="sudo"
    )
    return make_host("web1", groups=[group], credential=key)


def ask(browser: Client, **wanted: Any) -> Any:
    """Ask for a terminal as the page does."""
    return browser.post(reverse("tasks:terminal_open"), wanted, headers=JSON)


def test_a_terminal_is_written_down_with_its_size_and_gives_a_ticket(
    browser: Client, host: Host, issued: dict[str, str], worker: Any
) -> None:
    answer = ask(browser, host=host.pk, columns=132, rows=43, become="on", reason="why")
    assert answer.status_code == 201, answer.content
    said = answer.json()
    session = TerminalSession.objects.get(pk=said["session"])
    assert (session.user, session.host, session.state) == (worker, host, "opening")
    assert (session.columns, session.rows) == (132, 43)
    assert (session.become, session.reason, session.login) == (True, "why", "ops")
    assert said["socket"] == f"/ws/tasks/terminals/{session.key}/"
    assert said["ticket"] not in str(issued)
    assert len(issued) == 1
    line = AuditEntry.objects.get(verb="terminal.open")
    assert (line.actor_name, line.reason) == ("operator", "why")
    assert said["ticket"] not in str(line.changes)


def test_another_credential_is_taken_where_it_may_be_used(
    browser: Client, host: Host, worker: Any
) -> None:
    other = Credential.objects.create(name="other", username="deploy", password="x")
    answer = ask(browser, host=host.pk, credential=other.pk)
    assert TerminalSession.objects.get(pk=answer.json()["session"]).login == "deploy"


def test_a_credential_of_others_is_none_of_the_choices(
    client_of: Any, host: Host, group: Any
) -> None:
    user = make_user(perms=["cmdb.terminal_host", "cmdb.view_host"], groups=[group])
    answer = ask(client_of(user), host=host.pk, credential=host.credential_id)
    assert answer.status_code == 422
    assert "credential" in answer.json()["error"]["fields"]
    answer = ask(client_of(user), host=host.pk)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "credential_refused"
    assert not TerminalSession.objects.exists()


def test_a_critical_host_wants_a_reason(
    browser: Client, host: Host, settings: Any
) -> None:
    settings.RUN_CRITICAL_TAGS = ["production"]
    host.tags.add(Tag.objects.create(name="production"))
    answer = ask(browser, host=host.pk)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "reason_needed"
    assert not TerminalSession.objects.exists()
    assert ask(browser, host=host.pk, reason="disk full").status_code == 201


def test_a_host_out_of_sight_is_not_there_and_one_to_look_at_is_refused(
    browser: Client, worker: Any, other_group: Any
) -> None:
    other = make_host("db1", groups=[other_group])
    assert ask(browser, host=other.pk).status_code == 404
    grant(worker, ["cmdb.view_host"], [other_group])
    answer = ask(browser, host=other.pk)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "terminal_refused"
    assert not TerminalSession.objects.exists()


def test_several_together_need_their_own_permission(
    browser: Client, worker: Any, host: Host
) -> None:
    word = "w" * 43
    answer = ask(browser, host=host.pk, together=word)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "together_refused"
    grant(worker, ["tasks.together_terminalsession"])
    answer = ask(browser, host=host.pk, together=word)
    assert TerminalSession.objects.get(pk=answer.json()["session"]).together == word


@pytest.mark.parametrize(
    "wanted",
    [
        {"host": ""},
        {"host": "x"},
        {"host": "9" * 30},
        {"columns": "0"},
        {"rows": "100000"},
        {"together": "<script>"},
        {"reason": "x" * 501},
        {"credential": "x"},
    ],
)
def test_what_makes_no_sense_is_refused_in_words(
    browser: Client, host: Host, wanted: dict[str, str]
) -> None:
    answer = ask(browser, **({"host": host.pk} | wanted))
    assert answer.status_code == 422
    assert answer.json()["error"]["message"]
    assert not TerminalSession.objects.exists()


def test_one_comes_back_to_ones_own_terminal_with_a_new_ticket(
    browser: Client, host: Host, issued: dict[str, str]
) -> None:
    said = ask(browser, host=host.pk).json()
    again = browser.post(said["ticket_url"], headers=JSON).json()
    assert again["key"] == said["key"]
    assert again["ticket"] != said["ticket"]
    assert len(issued) == 2


def test_a_terminal_of_another_is_not_there(
    browser: Client, host: Host, client_of: Any, group: Any, issued: dict[str, str]
) -> None:
    said = ask(browser, host=host.pk).json()
    perms = ["cmdb.terminal_host", "cmdb.view_host", "tasks.view_terminalsession"]
    other = client_of(make_user(perms=perms, groups=[group]))
    assert other.post(said["ticket_url"], headers=JSON).status_code == 404
    assert other.get(f"/tasks/terminal/{said['session']}/join/").status_code == 404
    assert len(issued) == 1


def test_who_may_watch_gets_a_ticket_and_another_page(
    browser: Client, host: Host, client_of: Any, group: Any
) -> None:
    said = ask(browser, host=host.pk).json()
    watcher = make_user(perms=["tasks.watch_terminalsession"], groups=[group])
    page = client_of(watcher)
    assert page.post(said["ticket_url"], headers=JSON).status_code == 200
    answer = page.get(f"/tasks/terminal/{said['session']}/join/")
    assert answer["Location"] == f"/tasks/terminal-sessions/{said['session']}/watch/"


def test_who_comes_back_to_a_terminal_that_is_over_reads_why_and_nobody_else_does(
    browser: Client, host: Host, client_of: Any, stranger: Any
) -> None:
    said = ask(browser, host=host.pk).json()
    why = "Ended by eve. Enough.\u202e"
    TerminalSession.objects.update(state="ended", end_reason=why)
    answer = browser.post(said["ticket_url"], headers=JSON)
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert error["code"] == "terminal_over"
    assert error["message"] == "Ended by eve. Enough.[U+202E]"
    page = browser.get(f"/tasks/terminal/{said['session']}/join/")
    assert (page.status_code, b"Ended by eve." in page.content) == (404, True)
    other = client_of(stranger).post(said["ticket_url"], headers=JSON)
    assert other.json()["error"]["message"] == "This terminal is not open any more."
    assert other.status_code == 404


def test_one_that_ended_without_a_word_says_that_it_is_over(
    browser: Client, host: Host
) -> None:
    said = ask(browser, host=host.pk).json()
    TerminalSession.objects.update(state="ended")
    error = browser.post(said["ticket_url"], headers=JSON).json()["error"]
    assert error["message"] == "This terminal is not open any more."


def test_nothing_is_opened_by_a_get_or_without_a_token(
    browser: Client, host: Host, worker: Any
) -> None:
    assert browser.get(reverse("tasks:terminal_open")).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(worker)
    assert ask(strict, host=host.pk).status_code == 403
    assert not TerminalSession.objects.exists()
