"""Who does not get to a terminal: by the socket, by the ticket, by permission."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from accounts.models import Grant, PortalSession, User
from adminset import redis_door
from adminset.sockets import is_own_origin, own_origin
from cmdb.models import HostGroup
from tasks.models import TerminalSession
from tasks.terminal import tickets
from tasks.terminal.registry import REGISTRY
from tests.factories import grant, make_user
from tests.tasks.terminal.things import ADDRESS, Page, run

pytestmark = pytest.mark.django_db(transaction=True)
Opened = Callable[..., Any]


def closing(page: Page, hello: dict[str, Any] | None) -> int:
    """Come with a hello and give the code with which one is turned away."""

    async def scene() -> None:
        assert await page.open(hello)
        await page.closes()
        await page.leave()

    run(scene)
    assert page.output == b""
    return page.code or 0


def refused(page: Page) -> bool:
    """Say whether even the handshake is refused."""

    async def scene() -> None:
        assert not await page.open()
        await page.leave()

    run(scene)
    return page.code is not None


def test_without_a_sign_in_there_is_no_socket(opened: Opened) -> None:
    session, _hello = opened()
    assert refused(Page(session.key, AnonymousUser()))


def test_who_has_something_to_do_first_gets_no_socket(
    opened: Opened, worker: User
) -> None:
    session, _hello = opened()
    worker.must_change_password = True
    worker.save()
    assert refused(Page(session.key, worker))


def test_a_page_of_another_origin_gets_no_socket() -> None:
    reached: list[bool] = []
    sent: list[dict[str, Any]] = []

    async def application(*_: Any) -> None:
        reached.append(True)

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"origin", b"https://evil.example"), (b"host", b"testserver")]
    asyncio.run(own_origin(application)({"headers": headers}, receive, send))
    assert (reached, sent) == ([], [{"type": "websocket.close", "code": 4403}])
    assert not is_own_origin("", "testserver")


@pytest.mark.parametrize("ticket", ["", "guessed", "x" * 5000])
def test_a_ticket_that_was_never_given_opens_nothing(
    opened: Opened, worker: User, ticket: str
) -> None:
    session, hello = opened()
    assert closing(Page(session.key, worker), hello | {"ticket": ticket}) == 4409
    assert REGISTRY.all() == []


def test_a_ticket_is_good_once(opened: Opened, worker: User) -> None:
    session, hello = opened()
    assert tickets.redeem(hello["ticket"], worker, ADDRESS, session.key) == session
    assert closing(Page(session.key, worker), hello) == 4409


def test_a_ticket_is_good_for_a_minute(opened: Opened, worker: User) -> None:
    session, hello = opened()
    client = redis_door.client()
    names = list(client.scan_iter("adminset:ticket:terminal:*"))
    lives = [client.ttl(name) for name in names]
    assert lives
    assert all(0 < left <= 60 for left in lives)
    client.delete(*names)
    assert closing(Page(session.key, worker), hello) == 4409


def test_a_ticket_is_good_for_its_user_session_and_address_only(
    opened: Opened, worker: User, admin: User
) -> None:
    session, hello = opened()
    assert closing(Page(session.key, admin), hello) == 4409
    # Even the right one comes too late then: somebody else had it in hand.
    assert closing(Page(session.key, worker), hello) == 4409
    session, hello = opened()
    assert closing(Page(session.key, worker, address="192.0.2.8"), hello) == 4409
    (one, hello), (other, _hello) = opened(), opened()
    assert closing(Page(other.key, worker), hello) == 4409
    assert TerminalSession.objects.exclude(state="opening").count() == 0
    assert one.credential_id is not None


def test_a_ticket_is_worth_nothing_when_the_credential_became_another(
    opened: Opened, worker: User
) -> None:
    session, hello = opened()
    TerminalSession.objects.filter(pk=session.pk).update(credential=None)
    assert closing(Page(session.key, worker), hello) == 4409


def test_bytes_before_the_ticket_go_nowhere(opened: Opened, worker: User) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = Page(session.key, worker)
        await page.open()
        await page.type("touch /tmp/never\n")
        await page.say("ack", n=10)
        await page.say("hello", **(hello | {"ticket": "no"}))
        assert await page.closes() == 4409
        await page.leave()

    run(scene)
    assert REGISTRY.all() == []


@pytest.mark.parametrize(
    "lost", ["grant", "host", "credential", "stopped", "expired", "signed out"]
)
def test_who_may_not_any_more_when_the_page_comes_gets_no_shell(
    opened: Opened,
    worker: User,
    group: HostGroup,
    client_of: Any,
    lost: str,
) -> None:
    session, hello = opened()
    key = client_of(worker).cookies["sessionid"].value
    page = Page(session.key, worker, session_key=key)
    long_ago = timezone.now().replace(year=2020)
    {
        "grant": lambda: Grant.objects.filter(user=worker).delete(),
        "host": lambda: group.hosts.clear(),
        "credential": lambda: Grant.objects.exclude(
            role__permissions__codename="terminal_host"
        ).delete(),
        "stopped": lambda: User.objects.filter(pk=worker.pk).update(is_active=False),
        "expired": lambda: User.objects.filter(pk=worker.pk).update(
            expires_at=long_ago
        ),
        "signed out": lambda: PortalSession.objects.all().delete(),
    }[lost]()
    code = closing(page, hello)
    assert code == (4401 if lost in ("stopped", "expired", "signed out") else 4403)
    assert REGISTRY.all() == []


def test_who_has_no_business_there_gets_no_socket_even_with_a_ticket(
    opened: Opened, worker: User, group: HostGroup, other_group: HostGroup
) -> None:
    session, _hello = opened()
    colleague, watcher = make_user("colleague"), make_user("watcher")
    grant(colleague, ["cmdb.terminal_host", "cmdb.use_credential"], [group])
    grant(watcher, ["tasks.watch_terminalsession"], [other_group])
    for one in (colleague, watcher):
        tickets.issue(session, one, ADDRESS)
        assert refused(Page(session.key, one))
    assert refused(Page("no-such-key", worker))
