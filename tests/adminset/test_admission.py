"""Who may come in at all: allowed networks and maintenance, at every door."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from adminset import admission, maintenance
from adminset.audit import SystemActor
from adminset.models import AuditEntry, PortalSwitch
from adminset.sockets import is_own_origin
from tests.factories import make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
ME = SystemActor("test")


@pytest.fixture(autouse=True)
def _nothing_remembered(_no_maintenance: None) -> None:
    maintenance.forget()


def test_who_comes_from_another_network_gets_no_page(
    client_of: Signed, admin: User, settings: Any
) -> None:
    settings.ALLOWED_NETWORKS = ["10.0.0.0/8"]
    browser = client_of(admin)
    refused = browser.get("/", REMOTE_ADDR="192.0.2.7")
    assert refused.status_code == 403
    assert "not open to your network" in refused.content.decode()
    assert browser.get("/", REMOTE_ADDR="10.1.2.3").status_code == 200
    assert browser.get("/", REMOTE_ADDR="::ffff:10.1.2.3").status_code == 200


def test_the_sign_in_page_is_closed_to_other_networks_too(
    client: Client, settings: Any
) -> None:
    settings.ALLOWED_NETWORKS = ["10.0.0.0/8"]
    assert client.get("/accounts/sign-in/").status_code == 403
    answer = client.get("/api/v1/hosts/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (
        403,
        "network_refused",
    )


def test_probes_and_agents_are_not_held_to_the_portals_networks(
    client: Client, settings: Any
) -> None:
    settings.ALLOWED_NETWORKS = ["10.0.0.0/8"]
    assert client.get("/healthz").status_code == 200
    assert client.post("/api/agent/v1/facts").status_code == 401


def test_a_forwarded_address_counts_only_from_a_trusted_proxy(
    client: Client, settings: Any
) -> None:
    settings.ALLOWED_NETWORKS = ["10.0.0.0/8"]
    assert client.get("/", HTTP_X_FORWARDED_FOR="10.1.1.1").status_code == 403
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    assert client.get("/", HTTP_X_FORWARDED_FOR="10.1.1.1").status_code == 302


def test_tls_is_believed_of_a_trusted_proxy_only(client: Client, settings: Any) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_SSL_REDIRECT = True
    headers = {"HTTP_X_FORWARDED_PROTO": "https"}
    assert client.get("/accounts/sign-in/", **headers).status_code == 301
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    assert client.get("/accounts/sign-in/", **headers).status_code == 200


def test_maintenance_turns_away_all_but_those_who_may_end_it(
    client_of: Signed, admin: User, operator: User
) -> None:
    maintenance.switch(actor=ME, on=True, message="Back at 14:00")
    away = client_of(operator).get("/cmdb/hosts/")
    assert away.status_code == 503
    assert away["Retry-After"] == "120"
    assert "Back at 14:00" in away.content.decode()
    working = client_of(admin).get("/cmdb/hosts/")
    assert working.status_code == 200
    assert "Maintenance is on" in working.content.decode()


def test_maintenance_lets_people_sign_in_and_probes_ask(client: Client) -> None:
    maintenance.switch(actor=ME, on=True)
    assert client.get("/accounts/sign-in/").status_code == 200
    assert client.get("/healthz").status_code == 200


def test_agents_and_the_api_are_told_to_come_again(client: Client) -> None:
    maintenance.switch(actor=ME, on=True)
    for path in ("/api/agent/v1/metrics", "/api/v1/hosts/"):
        answer = client.post(path)
        assert (answer.status_code, answer["Retry-After"]) == (503, "120")
        assert answer.json()["error"]["code"] == "maintenance"


def test_the_switch_is_recorded_once(client_of: Signed, admin: User) -> None:
    browser = client_of(admin)
    for _twice in range(2):
        sent = {"on": "1", "message": "Disks"}
        assert browser.post("/system/maintenance/", sent).status_code == 302
    line = AuditEntry.objects.get(verb="maintenance.on")
    assert line.actor == admin
    assert line.changes == [{"field": "message", "old": None, "new": "Disks"}]
    browser.post("/system/maintenance/", {"on": "0"})
    assert AuditEntry.objects.filter(verb="maintenance.off").count() == 1
    assert not maintenance.is_on()


def test_an_operator_cannot_turn_maintenance_on(
    client_of: Signed, operator: User
) -> None:
    assert (
        client_of(operator).post("/system/maintenance/", {"on": "1"}).status_code == 403
    )
    assert not PortalSwitch.objects.exists()


def test_the_command_turns_it_on_and_off(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("maintenance", "on", "--message", "x")
    assert maintenance.is_on()
    call_command("maintenance", "off")
    call_command("maintenance", "state")
    assert capsys.readouterr().out.splitlines()[-1] == "Maintenance is off."


def test_a_web_socket_is_held_to_the_same_networks(settings: Any) -> None:
    reached: list[str] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["path"])
        await receive()
        await send({"type": "websocket.accept"})

    async def connect(address: str) -> str:
        scope = {"type": "websocket", "path": "/ws/", "headers": []}
        talk = ApplicationCommunicator(
            admission.admitted(inner), scope | {"client": (address, 1)}
        )
        await talk.send_input({"type": "websocket.connect"})
        answer = await talk.receive_output(5)
        return str(answer["type"])

    settings.ALLOWED_NETWORKS = ["10.0.0.0/8"]
    assert asyncio.run(connect("192.0.2.7")) == "websocket.close"
    assert reached == []


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("http://testserver", "testserver", True),
        ("http://testserver:8000", "testserver:8000", True),
        ("https://testserver", "testserver:443", True),
        ("http://testserver:8001", "testserver:8000", False),
        ("http://evil.example", "testserver", False),
        ("http://evil.example", "evil.example", False),
        ("http://testserver.evil.example", "testserver", False),
        ("null", "testserver", False),
        ("", "testserver", False),
        ("http://testserver:99999", "testserver", False),
        ("https://portal.example", "testserver", True),
    ],
)
def test_a_web_socket_is_opened_by_our_own_pages_only(
    settings: Any, origin: str, host: str, allowed: bool
) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://portal.example"]
    assert is_own_origin(origin, host) is allowed


def test_a_stopped_user_does_not_get_through_maintenance(client_of: Signed) -> None:
    leaver = make_user(is_superuser=True)
    browser = client_of(leaver)
    User.objects.filter(pk=leaver.pk).update(is_active=False)
    maintenance.switch(actor=ME, on=True)
    assert browser.get("/").status_code == 503
