"""Step-up: dangerous acts ask once more who is there, and nothing happens before the answer."""

import time
from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from django.conf import settings as portal
from django.test import Client
from django.urls import reverse

from accounts import second_factor
from accounts.models import SecondFactor, User
from accounts.services.tokens import create_token
from adminset.http import PROVED_AT
from adminset.models import AuditEntry
from cmdb.models import Credential
from tests.factories import PASSWORD, make_user
from tests.test_permissions import URLS, _address, _permission

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
CONFIRM = "/accounts/confirm/"


@pytest.fixture
def stale(client_of: Signed, admin: User) -> Client:
    """An administrator's browser whose last proof is too old."""
    browser = client_of(admin)
    _age(browser)
    return browser


def _age(browser: Client) -> None:
    session = browser.session
    session[PROVED_AT] = time.time() - portal.STEP_UP_SECONDS - 1
    session.save()


# They lead to the page of terminals, where opening one asks (tests/tasks/terminal_pages/test_proofs.py).
LEAD_ON = {
    "tasks:host_bulk_terminal",
    "tasks:host_terminal",
    "tasks:hostgroup_terminal",
    "tasks:terminal",
    "tasks:terminal_hosts",
}
GUARDED = [
    (name, route)
    for name, route, pattern in URLS
    if _permission(pattern) in portal.STEP_UP_PERMISSIONS and name not in LEAD_ON
]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(("name", "route"), GUARDED, ids=[name for name, _ in GUARDED])
def test_every_dangerous_page_asks_first(
    stale: Client, name: str, route: str, method: str
) -> None:
    before = AuditEntry.objects.count()
    answer = getattr(stale, method)(_address(route))
    if _address(route).startswith("/api/"):
        # A program is told so; a method that there is not stays one.
        told = answer.json()["error"]["code"]
        assert answer.status_code == 405 or told == "proof_needed"
    else:
        assert answer.status_code == 302
        assert answer["Location"].startswith(CONFIRM)
    assert AuditEntry.objects.count() == before


def test_each_permission_of_the_list_guards_some_page_or_comes_with_a_later_room() -> (
    None
):
    guarded = {_permission(pattern) for _name, _route, pattern in URLS}
    # Further ones that open the same page as the first.
    beside = {f"tasks.approve_{kind}" for kind in ("playbook", "role", "storedfile")}
    left = portal.STEP_UP_PERMISSIONS - guarded - beside
    assert left == set()


# They decide when and by which way something runs, or stop it; not what runs. A further rule makes the guard stricter only.
HARMLESS = {
    "delivery.add_deploylock",
    "delivery.cancel_deploy",
    "delivery.change_artefact",
    "tasks.add_calendar",
    "tasks.add_guardrule",
    "tasks.add_site",
    "tasks.cancel_run",
    "tasks.cancel_workflowrun",
    "tasks.change_calendar",
    "tasks.change_site",
    "tasks.use_taskmodule",
}


def test_whatever_leads_to_work_on_hosts_now_or_later_is_in_the_list() -> None:
    wanted = {_permission(pattern) for _name, _route, pattern in URLS}
    acts = {
        name
        for name in wanted
        if name.startswith(("delivery.", "tasks."))
        and not name.partition(".")[2].startswith(("view_", "delete_"))
    }
    assert acts - HARMLESS <= portal.STEP_UP_PERMISSIONS
    assert {
        "appconf.deploy_environment",
        "appconf.add_pulltoken",
        "tasks.use_template",
        "tasks.add_inhook",
        "tasks.approve_playbook",
        "tasks.change_role",
    } <= portal.STEP_UP_PERMISSIONS


def test_the_right_password_opens_the_way_back(stale: Client) -> None:
    answer = stale.get("/cmdb/credentials/add/")
    page = stale.get(answer["Location"])
    assert "Confirm who you are" in page.content.decode()
    sent = {"password": PASSWORD, "next": "/cmdb/credentials/add/"}
    assert stale.post(CONFIRM, sent)["Location"] == "/cmdb/credentials/add/"
    assert stale.get("/cmdb/credentials/add/").status_code == 200


def test_a_wrong_password_opens_nothing_and_is_recorded(stale: Client) -> None:
    assert stale.post(CONFIRM, {"password": "guess"}).status_code == 422
    assert stale.get("/cmdb/credentials/add/").status_code == 302
    assert AuditEntry.objects.filter(verb="session.confirm_refused").count() == 1


def test_guessing_is_slowed_down(stale: Client) -> None:
    for _guess in range(portal.SIGN_IN_ATTEMPTS):
        stale.post(CONFIRM, {"password": "guess"})
    assert stale.post(CONFIRM, {"password": PASSWORD}).status_code == 429
    assert stale.get("/cmdb/credentials/add/").status_code == 302


def test_who_has_a_second_factor_gives_a_code(stale: Client, admin: User) -> None:
    secret = second_factor.new_secret()
    SecondFactor.objects.create(
        user=admin, secret=secret, confirmed_at="2026-01-01T00:00:00Z"
    )
    assert "Code" in stale.get(CONFIRM).content.decode()
    assert stale.post(CONFIRM, {"password": PASSWORD}).status_code == 422
    code = pyotp.TOTP(secret).now()
    assert stale.post(CONFIRM, {"code": code, "next": "/"})["Location"] == "/"


def test_the_way_back_leads_to_ourselves_only(stale: Client) -> None:
    sent = {"password": PASSWORD, "next": "https://evil.example/"}
    assert stale.post(CONFIRM, sent)["Location"] == "/"


def test_what_was_sent_is_said_to_be_lost_and_the_form_comes_back(
    stale: Client,
) -> None:
    form = reverse("cmdb:credential_add")
    answer = stale.post(
        form,
        {"name": "x", "username": "root"},
        headers={"Referer": f"http://testserver{form}"},
    )
    assert not Credential.objects.exists()
    page = stale.get(answer["Location"]).content.decode()
    assert "Your input was not sent" in page
    assert form in page


def test_htmx_and_machines_are_told_in_their_own_way(stale: Client) -> None:
    answer = stale.get("/cmdb/credentials/add/", headers={"HX-Request": "true"})
    assert answer.status_code == 403
    assert answer["HX-Redirect"].startswith(CONFIRM)
    answer = stale.post(
        "/api/v1/credentials/", {"name": "x"}, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "proof_needed")
    assert not Credential.objects.exists()


def test_a_part_of_a_page_that_asks_leads_back_to_the_page(stale: Client) -> None:
    page = "http://testserver/cmdb/credentials/?q=a"
    headers = {"HX-Request": "true", "Referer": page}
    answer = stale.get("/cmdb/credentials/add/", headers=headers)
    assert answer["HX-Redirect"].endswith("?next=%2Fcmdb%2Fcredentials%2F%3Fq%3Da")
    headers["Referer"] = "https://evil.example/"
    answer = stale.get("/cmdb/credentials/add/", headers=headers)
    assert answer["HX-Redirect"].endswith("?next=%2F")


def test_a_token_is_its_own_proof(admin: User) -> None:
    _token, text = create_token(actor=admin, user=admin, name="t", can_write=True)
    answer = Client().post(
        "/api/v1/credentials/",
        {"name": "x", "username": "root"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {text}"},
    )
    assert answer.status_code == 201


def test_a_proof_from_the_future_counts_for_nothing(client_of: Signed) -> None:
    browser: Any = client_of(make_user(is_superuser=True))
    session = browser.session
    session[PROVED_AT] = time.time() + 9999
    session.save()
    assert browser.get("/cmdb/credentials/add/").status_code == 302
