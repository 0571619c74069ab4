"""Who may replay, export and search, what they get, and what the trail says of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from redis import RedisError

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import Host, HostGroup
from tasks.models import TerminalSession
from tasks.recording import reading
from tasks.recording.frames import START
from tasks.recording.recorder import Recorder
from tests.factories import make_user
from tests.tasks.recording.recordings import new_session

Record = Callable[..., Recorder]
Browser = Callable[[User], Client]
REPLAY = "tasks.replay_terminalsession"
EXPORT = "tasks.export_terminalsession"
VIEW = "tasks.view_terminalsession"


def url(name: str, session: TerminalSession) -> str:
    return reverse(f"tasks:terminalsession_{name}", args=[session.pk])


def content_of(answer: Any) -> bytes:
    return b"".join(answer)


def test_the_player_knows_the_commands_and_the_length(
    sealed: TerminalSession, admin: User, client_of: Browser
) -> None:
    answer = client_of(admin).get(url("replay", sealed))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert 'data-length="3000"' in page
    assert 'data-at="1000"' in page
    assert "ls -l" in page
    assert AuditEntry.objects.filter(verb="terminalsession.replay").count() == 1


def test_events_come_from_the_beginning_and_go_on(
    sealed: TerminalSession,
    admin: User,
    client_of: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading.page, "__defaults__", (START, 1))
    client, after, found = client_of(admin), "", []
    while True:
        told = client.get(url("events", sealed), {"after": after}).json()
        found += told["events"]
        after = told["after"]
        if told["at_end"]:
            break
    assert [each[2] for each in found] == [
        "$ ls\r\n",
        "a needle\r\n",
        "<b>$(x)</b>\r\n",
    ]
    assert not told["grows"]
    # One line for all of it.
    assert AuditEntry.objects.filter(verb="terminalsession.replay").count() == 1


def test_a_place_that_is_none_is_not_found(
    sealed: TerminalSession, admin: User, client_of: Browser
) -> None:
    client = client_of(admin)
    for wrong in ("x", "-1", "1", "30-x"):
        assert client.get(url("events", sealed), {"after": wrong}).status_code == 404


def test_an_export_is_the_text_that_was_sealed(
    sealed: TerminalSession, admin: User, client_of: Browser
) -> None:
    answer = client_of(admin).get(url("cast", sealed))
    data = content_of(answer)
    assert hashlib.sha256(data).hexdigest() == sealed.recording_sha256
    assert answer["X-Content-SHA256"] == sealed.recording_sha256
    assert answer["Content-Disposition"].endswith('-db1.cast"')
    assert json.loads(data.splitlines()[0])["version"] == 2
    line = AuditEntry.objects.get(verb="terminalsession.export")
    assert line.actor == admin
    told = {change["field"]: change["new"] for change in line.changes}
    assert told == {
        "sha256": sealed.recording_sha256,
        "bytes": len(data),
        "as_sealed": True,
    }


@pytest.mark.parametrize(
    ("name", "needed"), [("replay", REPLAY), ("events", REPLAY), ("cast", EXPORT)]
)
def test_each_act_needs_its_own_permission(
    sealed: TerminalSession, client_of: Browser, name: str, needed: str
) -> None:
    others = {VIEW, REPLAY, EXPORT} - {needed}
    without = make_user(perms=others)
    assert client_of(without).get(url(name, sealed)).status_code == 403
    allowed = make_user(perms=[needed])
    assert client_of(allowed).get(url(name, sealed)).status_code == 200


def test_sessions_of_other_groups_are_not_there(
    sealed: TerminalSession, other_group: HostGroup, client_of: Browser
) -> None:
    user = make_user(perms=[VIEW, REPLAY, EXPORT], groups=[other_group])
    client = client_of(user)
    for name in ("replay", "events", "cast"):
        assert client.get(url(name, sealed)).status_code == 404
    assert client.post(url("verify", sealed)).status_code == 404
    assert not AuditEntry.objects.filter(verb__startswith="terminalsession.r").exists()
    found = client.get(reverse("tasks:terminal_search"), {"q": "ls"})
    assert b"ls -l" not in found.content
    said = client.get(reverse("tasks:terminal_search_outputs"), {"q": "needle"})
    assert b"a needle" not in said.content


def test_an_own_session_is_replayed_with_the_permission_only(
    host: Host, other_group: HostGroup, record: Record, client_of: Browser
) -> None:
    user = make_user(perms=[VIEW])
    mine = new_session(user, host)
    record(mine, b"mine").close()
    assert client_of(user).get(url("replay", mine)).status_code == 403
    # Wherever the permission holds, the own ones are within reach.
    scoped = make_user(perms=[REPLAY], groups=[other_group])
    own = new_session(scoped, host)
    record(own, b"mine").close()
    assert client_of(scoped).get(url("replay", own)).status_code == 200
    assert client_of(scoped).get(url("replay", mine)).status_code == 404


def test_nobody_verifies_by_a_link(
    sealed: TerminalSession, admin: User, client_of: Browser
) -> None:
    client = client_of(admin)
    assert client.get(url("verify", sealed)).status_code == 405
    answer = client.post(url("verify", sealed), headers={"HX-Request": "true"})
    assert sealed.recording_sha256 in answer.content.decode()
    assert AuditEntry.objects.filter(verb="terminalsession.verify").count() == 1


def test_without_the_cache_a_replay_is_told_and_shown(
    sealed: TerminalSession,
    admin: User,
    client_of: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(*_arguments: Any) -> bool:
        raise RedisError("away")

    client = client_of(admin)
    monkeypatch.setattr("django.core.cache.cache.add", away)
    assert client.get(url("replay", sealed)).status_code == 200
    assert AuditEntry.objects.filter(verb="terminalsession.replay").count() == 1
    found = client.get(reverse("tasks:terminal_search"), {"q": "ls"})
    assert found.status_code == 200
    assert AuditEntry.objects.filter(verb="terminalsession.search").count() == 1


def test_the_page_of_a_session_and_the_replay_verify_by_the_same_button(
    sealed: TerminalSession, admin: User, client_of: Browser
) -> None:
    client, form = client_of(admin), f'hx-post="{url("verify", sealed)}"'
    addresses = (sealed.get_absolute_url(), url("replay", sealed))
    for address in addresses:
        page = client.get(address).content.decode()
        assert page.count(form) == page.count('id="recording-finding"') == 1
    # Of one that was cleared away the trail says what became of it.
    TerminalSession.objects.update(recording="cleared", recording_key=None)
    for address in addresses:
        assert form in client.get(address).content.decode()
    reader = client_of(make_user(perms=[REPLAY]))
    assert form not in reader.get(url("replay", sealed)).content.decode()


def test_the_api_lists_gives_events_and_exports(
    sealed: TerminalSession, admin: User, client_of: Browser
) -> None:
    client = client_of(admin)
    listed = client.get("/api/v1/terminal-recordings/").json()
    assert [row["id"] for row in listed["results"]] == [sealed.pk]
    assert listed["results"][0]["recording_sha256"] == sealed.recording_sha256
    base = f"/api/v1/terminal-recordings/{sealed.pk}"
    events = client.get(f"{base}/events/").json()
    assert events["at_end"] is True
    data = content_of(client.get(f"{base}/export/"))
    assert hashlib.sha256(data).hexdigest() == sealed.recording_sha256
    assert client.get(f"{base}/verify/").status_code == 405
    assert not AuditEntry.objects.filter(verb="terminalsession.verify").exists()
    assert client.post(f"{base}/verify/").json()["verdict"] == "ok"
    assert AuditEntry.objects.filter(verb="terminalsession.verify").count() == 1
    stranger = client_of(make_user(perms=[VIEW]))
    assert stranger.get("/api/v1/terminal-recordings/").status_code == 403
    assert stranger.get(f"{base}/export/").status_code == 403


def test_the_key_is_shown_to_nobody(
    sealed: TerminalSession, admin: User, client_of: Browser
) -> None:
    key: Any = sealed.recording_key
    for address in ("/api/v1/terminal-recordings/", url("replay", sealed)):
        page = client_of(admin).get(address).content.decode()
        assert key.sealed not in page
        assert "recording_key" not in page
