"""The permission matrix of docs/permissions.md, asked again: every url, API method and web socket, as six people."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.urls import URLPattern

from accounts.models import User
from adminset.sockets import routes
from tests import matrix, matrix_page, matrix_urls
from tests.tasks.test_run_socket import Socket
from tests.test_permissions import FOR_ALL_USERS, PUBLIC, URLS, _permission

WRITING = bool(os.environ.get("ADMINSET_WRITE_PERMISSIONS"))
LET_IN = {"200", "201", "204", "302", "400", "409", "422", "503"}
NOT_LET_IN = {"sign in", "401", "403", "404", "405"}
# Asked by an empty request these answer what no permission decides; each with its reason.
EXEMPT_FOR_ADMINISTRATOR = {
    "tasks:run_download": "the run of the stage has no output",
    "tasks:terminalsession_events": "the session of the stage has no recording",
    "tasks:terminalsession_cast": "the session of the stage has no recording",
    "tasks_api:terminalsession_events": "the session of the stage has no recording",
    "tasks_api:terminalsession_export": "the session of the stage has no recording",
    "appconf:package_download": "the package of the stage has no file",
    "appconf:package_piece": "nobody began to send this file",
    "appconf:package_pieces_finish": "nobody began to send this file",
    "delivery_api:pipeline_plan": "nobody asked for a plan by this key",
    "accounts:my_token_revoke": "a token of somebody else: 404 for everybody",
    "accounts:my_session_end": "a session of somebody else: 404 for everybody",
}
# Questions that are too long for an address, and the wish to watch: they change nothing.
ASKED_BY_POST = {
    "prom:query",
    "prom:query_range",
    "prom:series",
    "prom:labels",
    "monitor:host_watch",
    "tasks_api:run_follow",
    "tasks:terminalsession_verify",
    "tasks_api:terminalsession_verify",
    # What the rules would say of a line.
    "tasks:guard_try",
}
Urls = list[tuple[str, str, URLPattern]]


def _grouped() -> list[Any]:
    """Put the urls of one kind of object together."""
    groups: dict[str, Urls] = {}
    for name, route, pattern in URLS:
        room = name.partition(":")[0]
        groups.setdefault(f"{room} {matrix_urls.kind_of(name)}", []).append(
            (name, route, pattern)
        )
    return [pytest.param(urls, id=key) for key, urls in groups.items()]


_written: dict[tuple[str, str], tuple[str, matrix_page.Statuses]] = {}


def _key(name: str, route: str) -> str:
    """Tell urls of one name apart: those of a viewset have one name, a format suffix another route."""
    return name if "format" not in route else f"{name}.format"


@pytest.fixture(scope="session")
def expected() -> dict[tuple[str, str], tuple[str, matrix_page.Statuses]]:
    if not matrix_page.PAGE.exists():
        return {}
    return {
        (name, method): (permission, statuses)
        for name, method, permission, statuses in matrix_page.rows_of_page()
    }


@pytest.fixture(scope="session", autouse=True)
def _write_the_page() -> Iterator[None]:
    yield
    if WRITING:
        matrix_page.PAGE.write_text(matrix_page.page(_written), encoding="utf-8")


@pytest.fixture(scope="class")
def standing(django_db_setup: None, django_db_blocker: Any) -> Iterator[matrix.Stage]:
    with matrix.standing(django_db_blocker) as stage:
        yield stage


@pytest.fixture
def stage(
    standing: matrix.Stage,
    db: None,
    client_of: Callable[[User], Client],
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> matrix.Stage:
    cookies: dict[int, Any] = {}

    def signed_in(user: User | None) -> Client:
        browser = Client(raise_request_exception=False)
        if user is not None:
            # One session each, in a fresh browser: what an answer did to its cookies is forgotten.
            if user.pk not in cookies:
                cookies[user.pk] = client_of(user).cookies
            browser.cookies.load(cookies[user.pk].output(header=""))
        return browser

    settings.RUN_DIR = tmp_path
    matrix.refuse_plainly(monkeypatch)
    matrix.remember_grants(monkeypatch)
    return matrix.entered(standing, signed_in)


class TestEveryUrl:
    """Its stage is gone before other tests begin."""

    @pytest.mark.parametrize("urls", _grouped())
    def test_every_url_answers_each_person_as_the_page_says(
        self,
        stage: matrix.Stage,
        expected: dict[tuple[str, str], tuple[str, matrix_page.Statuses]],
        urls: Urls,
    ) -> None:
        answers = {}
        for name, route, pattern in urls:
            permission = _permission(pattern)
            for method in matrix_urls.methods_of(name, pattern):
                statuses = matrix.ask(stage, name, route, method)
                _check_sense(name, method, statuses)
                answers[_key(name, route), method] = (permission or "-", statuses)
                _written[_key(name, route), method] = (permission, statuses)
        if not WRITING:
            known = {key: expected.get(key) for key in answers}
            assert known == answers, (
                "docs/permissions.md says otherwise, or has no row: look at it, then `make permissions`"
            )


def _check_sense(name: str, method: str, statuses: matrix_page.Statuses) -> None:
    """Hold the answers to what no page may say otherwise."""
    anonymous, stranger, auditor, _inside, outside, administrator = statuses
    told = f"{name} {method}: {statuses}"
    assert set(statuses) <= LET_IN | NOT_LET_IN, f"an answer nobody expects: {told}"
    if name in PUBLIC:
        return
    assert anonymous in NOT_LET_IN, told
    if name in FOR_ALL_USERS:
        return
    assert stranger in {"403", "404", "405"}, told
    if method != "GET" and name not in ASKED_BY_POST:
        assert auditor in {"403", "404", "405"}, f"an auditor changes nothing: {told}"
    if name not in EXEMPT_FOR_ADMINISTRATOR:
        assert administrator in LET_IN | {"405"}, told
    if matrix_urls.is_scoped(name):
        assert outside in {"403", "404", "405"}, f"out of scope it is not there: {told}"


def test_the_page_has_no_row_for_a_url_that_is_gone(
    expected: dict[tuple[str, str], tuple[str, matrix_page.Statuses]],
) -> None:
    known = {
        (_key(name, route), method)
        for name, route, pattern in URLS
        for method in matrix_urls.methods_of(name, pattern)
    }
    known |= {(str(pattern.pattern), "web socket") for pattern in routes()}
    assert WRITING or set(expected) == known


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("pattern", routes(), ids=lambda p: str(p.pattern))
def test_every_web_socket_lets_in_whom_the_page_says(
    expected: dict[tuple[str, str], tuple[str, matrix_page.Statuses]],
    settings: Any,
    tmp_path: Path,
    pattern: Any,
) -> None:
    settings.RUN_DIR = tmp_path
    stage = matrix.set_stage(lambda user: Client())
    route = str(pattern.pattern)
    people = stage.people
    asked: list[tuple[Any, dict[str, int]]] = [
        (AnonymousUser(), stage.inside),
        (people["stranger"], stage.inside),
        (people["auditor"], stage.inside),
        (people["operator"], stage.inside),
        (people["operator"], stage.outside),
        (people["administrator"], stage.inside),
    ]
    statuses = tuple(
        asyncio.run(_opens(user, matrix_urls.socket_address(route, objects)))
        for user, objects in asked
    )
    anonymous, stranger, _auditor, _inside, outside, administrator = statuses
    assert (anonymous, stranger, outside, administrator) == ("403", "403", "403", "101")
    permission = pattern.callback.consumer_class.permission
    _written[route, "web socket"] = (permission, statuses)
    if not WRITING:
        assert expected[route, "web socket"] == (permission, statuses)


async def _opens(user: Any, address: str) -> str:
    socket = Socket(user, address)
    opened = await socket.connect()
    if opened:
        await socket.leave()
    return "101" if opened else "403"
