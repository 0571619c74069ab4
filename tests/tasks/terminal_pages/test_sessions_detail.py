"""The page of a session: its recording, its buttons, how long nobody has typed; and the tab of a host."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from cmdb.models import Host
from tasks.models import TerminalSession
from tests.tasks.terminal_pages.session_things import make_ended, make_session, page

pytestmark = pytest.mark.django_db


def test_the_page_says_what_became_of_the_recording(
    client_of, admin, anna, db1
) -> None:
    client = client_of(admin)
    failed = make_ended(
        anna, db1, recording="failed", recording_problem="The disk is full."
    )
    sealed = make_ended(
        anna, db1, recording="sealed", recording_sha256="ab" * 32, recording_bytes=2048
    )
    cleared = make_ended(anna, db1, recording="cleared", recording_sha256="cd" * 32)
    assert "The disk is full." in page(client, failed.get_absolute_url())
    text = page(client, sealed.get_absolute_url())
    assert "ab" * 32 in text
    assert "2 KiB" in text
    assert reverse("tasks:terminalsession_replay", args=[sealed.pk]) in text
    text = page(client, cleared.get_absolute_url())
    assert "cd" * 32 in text
    assert reverse("tasks:terminalsession_replay", args=[cleared.pk]) not in text


def test_only_of_terminals_of_one_page_it_is_said_that_the_same_may_have_been_typed(
    client_of, admin, anna, db1, db2
) -> None:
    word, client = "w" * 43, client_of(admin)
    session = make_ended(anna, db1, together=word)
    # Of somebody else, with a word that was copied.
    make_ended(admin, db2, together=word)
    alone = make_ended(anna, db2)
    make_ended(anna, db2)
    for one in (session, alone):
        assert "the same may have been" not in page(client, one.get_absolute_url())
    beside = make_session(anna, db2, together=word)
    text = page(client, session.get_absolute_url())
    assert "in the same page as 1 other:" in text
    assert f"?f.together.is={word}" in text
    make_ended(anna, db1, together=word)
    assert "as 2 others:" in page(client, beside.get_absolute_url())


@pytest.mark.parametrize(
    ("who", "offered"),
    [
        ("anna", {"join", "invite", "kill", "say"}),
        ("guard", {"watch", "replay", "invite", "kill", "lock", "say"}),
        ("viewer", set()),
    ],
)
def test_everybody_gets_the_buttons_that_work(
    client_of, request, session, who, offered
) -> None:
    TerminalSession.objects.update(recording="running")
    user: User = request.getfixturevalue(who)
    text = page(client_of(user), session.get_absolute_url())
    names = {"watch", "replay", "invite", "kill", "lock", "say"}
    shown = {
        name
        for name in names
        if f'"{reverse(f"tasks:terminalsession_{name}", args=[session.pk])}"' in text
    }
    if f'"{reverse("tasks:terminal_join", args=[session.pk])}"' in text:
        shown.add("join")
    assert shown == offered


def test_a_session_that_is_over_offers_nothing_to_do(
    client_of, guard, anna, db1
) -> None:
    over = make_ended(anna, db1)
    text = page(client_of(guard), over.get_absolute_url())
    for name in ("watch", "invite", "kill", "lock", "say"):
        assert reverse(f"tasks:terminalsession_{name}", args=[over.pk]) not in text


def test_long_silence_is_pointed_out_and_what_is_over_is_not_idle(
    client_of, admin, anna, db1, settings
) -> None:
    settings.TERMINAL_IDLE_SECONDS = 600
    silent = timezone.now() - timedelta(minutes=8)
    session = make_session(anna, db1, opened_at=silent, last_input_at=silent)
    text = page(client_of(admin), session.get_absolute_url())
    assert "Nobody has typed for 8 min" in text
    over = make_ended(anna, db1, opened_at=silent, last_input_at=silent)
    assert over.idle is None
    assert "it ends" not in page(client_of(admin), over.get_absolute_url())


def test_a_hosts_page_has_the_terminals_on_it(
    client_of, guard, anna, db1: Host, session
) -> None:
    text = page(client_of(guard), f"{db1.get_absolute_url()}?tab=terminals")
    assert session.get_absolute_url() in text
    # Who may not look at sessions in general sees the host without the tab.
    assert "tab=terminals" not in page(client_of(anna), db1.get_absolute_url())
