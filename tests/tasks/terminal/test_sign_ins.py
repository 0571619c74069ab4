"""A terminal and the sign-in that opened it: tickets are good for one, and the row knows which, without its key."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from adminset.errors import DomainError
from cmdb.models import Host
from tasks.terminal import tickets
from tasks.terminal.opening import is_known_from, open_terminal, ticket_for
from tests.tasks.terminal.things import ADDRESS, Page, run

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_ticket_is_good_for_the_sign_in_that_asked_for_it(
    from_here: None, worker: User, host: Host
) -> None:
    session, ticket = open_terminal(actor=worker, host=host, portal_session="one")
    with pytest.raises(DomainError, match="does not open the terminal"):
        tickets.redeem(ticket, worker, ADDRESS, session.key, "other")
    again = ticket_for(actor=worker, session=session, portal_session="one")
    assert tickets.redeem(again, worker, ADDRESS, session.key, "one") == session
    session.refresh_from_db()
    assert session.portal_session == tickets.mark_of("one") != "one"


def test_a_terminal_is_known_from_no_sign_in_where_none_opened_it(
    from_here: None, worker: User, host: Host
) -> None:
    session, _ticket = open_terminal(actor=worker, host=host)
    for key in (None, "", "any"):
        assert not is_known_from(session, key)


def test_the_socket_has_to_come_with_the_sign_in_of_its_ticket(
    from_here: None, worker: User, host: Host, client_of: Any
) -> None:
    one, other = (client_of(worker).cookies["sessionid"].value for _ in range(2))
    hello = {"columns": 80, "rows": 24, "from": None}
    first, stolen = open_terminal(actor=worker, host=host, portal_session=one)
    second, own = open_terminal(actor=worker, host=host, portal_session=one)

    async def scene() -> None:
        thief = Page(first.key, worker, session_key=other)
        await thief.open(hello | {"ticket": stolen})
        assert await thief.closes() == 4409
        await thief.leave()
        page = Page(second.key, worker, session_key=one)
        await page.open(hello | {"ticket": own})
        assert await page.hears("ready")
        await page.leave()

    run(scene)
