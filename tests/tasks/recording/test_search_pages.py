"""The search over terminals: who finds what, how it goes on, and what it says of how far it looked."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import Host, HostGroup
from tasks.guard.resources import RULES
from tasks.models import TerminalCommand, TerminalSession
from tasks.recording import searching
from tasks.recording.frames import path_of
from tasks.recording.recorder import Recorder
from tasks.recording_pages.turns import TURNS
from tasks.terminal_pages.sessions_resources import TERMINAL_SESSIONS
from tests.factories import make_host, make_user
from tests.tasks.recording.recordings import new_session

Record = Callable[..., Recorder]
Browser = Callable[[User], Client]
REPLAY = "tasks.replay_terminalsession"
VIEW = "tasks.view_terminalsession"
ALL = "These are all."


def url(name: str, session: TerminalSession) -> str:
    return reverse(f"tasks:terminalsession_{name}", args=[session.pk])


def outputs(client: Client, wanted: str = "needle") -> str:
    address = reverse("tasks:terminal_search_outputs")
    return client.get(address, {"q": wanted}).content.decode()


def pressed(client: Client, page: str, button: str) -> str:
    """Ask for what a button of the page asks for."""
    found = re.search(rf'hx-get="([^"]+)"[^>]*>{button}<', page)
    assert found, page
    return client.get(html.unescape(found[1])).content.decode()


def test_commands_are_found_with_a_way_into_the_replay(
    sealed: TerminalSession, admin: User, client_of: Browser
) -> None:
    page = client_of(admin).get(reverse("tasks:terminal_search"), {"q": "LS -"})
    assert f"{url('replay', sealed)}?at=1000" in page.content.decode()
    line = AuditEntry.objects.get(verb="terminalsession.search")
    assert "LS" in line.changes[0]["new"]


def test_who_may_not_replay_finds_commands_only(
    sealed: TerminalSession, client_of: Browser
) -> None:
    client = client_of(make_user(perms=[VIEW]))
    page = client.get(reverse("tasks:terminal_search"), {"q": "ls"}).content.decode()
    assert "ls -l" in page
    assert url("replay", sealed) not in page
    assert reverse("tasks:terminal_search_outputs") not in page
    outputs = reverse("tasks:terminal_search_outputs")
    assert client.get(outputs, {"q": "needle"}).status_code == 403


def test_outputs_are_found_and_it_is_said_how_far_it_looked(
    sealed: TerminalSession, admin: User, client_of: Browser
) -> None:
    outputs = reverse("tasks:terminal_search_outputs")
    page = client_of(admin).get(outputs, {"q": "needle"}).content.decode()
    assert f"{url('replay', sealed)}?at=2000" in page
    assert "1 of 1 (" in page
    html = client_of(admin).get(outputs, {"q": "$(x)"}).content.decode()
    assert "&lt;b&gt;$(x)&lt;/b&gt;" in html


def test_a_search_is_narrowed_by_host_user_and_days(
    sealed: TerminalSession, admin: User, client_of: Browser, group: HostGroup
) -> None:
    other = new_session(make_user("zoe"), make_host("web1", groups=[group]))
    TerminalCommand.objects.create(session=other, number=1, text="ls -l /web")
    client, search = client_of(admin), reverse("tasks:terminal_search")
    for narrow in ({"host": "web"}, {"user": "zoe"}):
        page = client.get(search, {"q": "ls", **narrow}).content.decode()
        assert "/web" in page
        assert url("replay", sealed) not in page
    page = client.get(search, {"q": "ls", "days": "1"}).content.decode()
    assert "/web" in page


def test_whoever_sees_only_own_sessions_searches_these(
    sealed: TerminalSession, host: Host, record: Record, client_of: Browser
) -> None:
    user = make_user(perms=["cmdb.terminal_host"])
    mine = new_session(user, host)
    TerminalCommand.objects.create(session=mine, number=1, text="ls /mine")
    record(mine, b"a needle\r\n").close()
    client = client_of(user)
    page = client.get(reverse("tasks:terminal_search"), {"q": "ls"})
    assert page.status_code == 200
    assert "ls /mine" in page.content.decode()
    assert "ls -l" not in page.content.decode()
    # What was printed is for who may replay, also where it is one's own.
    address = reverse("tasks:terminal_search_outputs")
    assert client.get(address, {"q": "needle"}).status_code == 403
    reader = client_of(make_user())
    assert reader.get(reverse("tasks:terminal_search")).status_code == 403


def test_all_is_said_only_when_all_was_looked_through(
    sealed: TerminalSession, admin: User, record: Record, client_of: Browser
) -> None:
    most = searching.MOST_OF_ONE
    many = new_session(admin, sealed.host)
    record(many, b"".join(b"needle %d\r\n" % n for n in range(most + 3))).close()
    client = client_of(admin)
    first = outputs(client)
    assert first.count("<code") == most
    assert "1 of 2 (" in first
    assert ALL not in first
    second = pressed(client, first, "Look further in this recording")
    assert f"needle {most + 2}<" in second
    assert "a needle" in second
    assert second.count("<code") == 4
    assert "2 of 2 (" in second
    assert f"lines found: {most + 4}." in second
    assert ALL in second
    assert AuditEntry.objects.filter(verb="terminalsession.search").count() == 1


def test_a_recording_with_many_lines_can_be_left(
    sealed: TerminalSession, admin: User, record: Record, client_of: Browser
) -> None:
    many = new_session(admin, sealed.host)
    record(many, b"needle\r\n" * 100).close()
    client = client_of(admin)
    page = pressed(client, outputs(client), "Go on with the one before")
    assert page.count("<code") == 1
    assert "a needle" in page
    assert "1 recording was left before its end." in page
    assert ALL not in page


def test_what_could_not_be_read_is_said_to_the_end(
    sealed: TerminalSession,
    admin: User,
    record: Record,
    client_of: Browser,
    settings: Any,
) -> None:
    broken = new_session(admin, sealed.host)
    record(broken, b"needle\r\n").close()
    settings.TERMINAL_SEARCH_BYTES = 1
    path = path_of(broken.key)
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    client, page = client_of(admin), ""
    page = outputs(client)
    while "Look further" in page:
        page = pressed(client, page, "Look further[^<]*")
    assert "1 recording could not be read." in page
    assert "2 of 2 (" in page
    assert ALL not in page


def test_one_look_at_a_time_for_each_user(
    sealed: TerminalSession, admin: User, client_of: Browser
) -> None:
    client = client_of(admin)
    with TURNS.of(admin.pk) as free:
        assert free
        page = outputs(client)
        assert "a needle" not in page
        assert 'hx-trigger="load delay:1s"' in page
        other = client_of(make_user(perms=[REPLAY]))
        assert "a needle" in outputs(other)
    again = re.search(r'hx-get="([^"]+)"', page)
    assert again
    page = client.get(html.unescape(again[1])).content.decode()
    assert "a needle" in page


def test_the_tabs_are_the_same_on_each_page(
    sealed: TerminalSession, admin: User, client_of: Browser
) -> None:
    client = client_of(admin)
    pages = ("terminalsession_list", "terminalsession_live", "terminal_search")
    guards = ("guardrule_list", "guard_try", "guard_notices", "guard_sudoers")
    assert TERMINAL_SESSIONS.tabs == RULES.tabs
    for name in (*pages, *guards):
        context: Any = client.get(reverse(f"tasks:{name}")).context
        titles = [str(tab["title"]) for tab in context["tabs"]]
        assert titles[0] == "Sessions"
        assert len(titles) == len(RULES.tabs), (name, titles)
