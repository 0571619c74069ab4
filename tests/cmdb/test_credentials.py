"""Secrets go in and never come out: on no page, in no API answer, audit line, export or history."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from django.core import serializers
from django.test import Client

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.logins import login_for
from cmdb.models import Credential
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db
PASSWORD = "s3cret-of-root"
PASSPHRASE = "open-sesame-42"


def _key(passphrase: str = "") -> str:
    seal = BestAvailableEncryption(passphrase.encode()) if passphrase else None
    made = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.OpenSSH, seal or NoEncryption()
    )
    return made.decode()


@pytest.fixture
def browser(client_of: Any, admin: User) -> Client:
    """A browser of the administrator."""
    client: Client = client_of(admin)
    return client


def _add(browser: Client, **values: str) -> Any:
    sent = {"name": "root", "username": "root", "port": "22", **values}
    return browser.post("/cmdb/credentials/add/", sent)


def test_what_is_stored_is_shown_nowhere(browser: Client) -> None:
    key = _key(PASSPHRASE)
    answer = _add(
        browser,
        password=PASSWORD,
        private_key=key.replace("\n", "\r\n"),
        passphrase=PASSPHRASE,
        become_method="sudo",
        become_password=PASSWORD + "-sudo",
    )
    assert answer.status_code == 302, answer.context["form"].errors
    row = Credential.objects.get()
    assert row.password.reveal() == PASSWORD
    assert row.private_key.reveal() == key
    base = f"/cmdb/credentials/{row.pk}/"
    pages = [
        base,
        f"{base}edit/",
        f"{base}history/",
        "/cmdb/credentials/",
        "/cmdb/credentials/?export=csv",
        f"/api/v1/credentials/{row.pk}/",
        "/api/v1/credentials/",
    ]
    texts = [browser.get(page).getvalue().decode() for page in pages]
    texts.append(json.dumps(list(AuditEntry.objects.values()), default=str))
    texts.append(serializers.serialize("json", AuditEntry.objects.all()))
    body = key.splitlines()[2]
    for text in texts:
        for secret in (PASSWORD, PASSPHRASE, body, row.password.sealed):
            assert secret not in text


def test_an_empty_box_keeps_a_secret_and_a_tick_forgets_it(browser: Client) -> None:
    _add(browser, password=PASSWORD, become_password="other-secret-9")
    page = f"/cmdb/credentials/{Credential.objects.get().pk}/edit/"
    sent = {"name": "renamed", "username": "root", "port": "22"}
    assert browser.post(page, sent).status_code == 302
    assert Credential.objects.get().password.reveal() == PASSWORD
    assert browser.post(page, sent | {"clear_password": "on"}).status_code == 302
    row = Credential.objects.get()
    assert row.password is None
    assert row.become_password.reveal() == "other-secret-9"


def test_a_change_by_the_api_keeps_the_secrets(browser: Client) -> None:
    _add(browser, password=PASSWORD)
    page = f"/api/v1/credentials/{Credential.objects.get().pk}/"
    answer = browser.patch(page, {"notes": "x"}, content_type="application/json")
    assert answer.status_code == 200, answer.json()
    assert Credential.objects.get().password.reveal() == PASSWORD
    line = AuditEntry.objects.get(verb="credential.update")
    assert [change["field"] for change in line.changes] == ["notes"]


def test_a_replaced_secret_leaves_a_line_without_it(browser: Client) -> None:
    _add(browser, password=PASSWORD)
    page = f"/cmdb/credentials/{Credential.objects.get().pk}/edit/"
    sent = {"name": "root", "username": "root", "port": "22", "password": "other-1234"}
    browser.post(page, sent)
    line = AuditEntry.objects.get(verb="credential.update")
    assert [change["field"] for change in line.changes] == ["password"]
    assert "other-1234" not in json.dumps(line.changes)


def test_spaces_belong_to_a_password(browser: Client) -> None:
    _add(browser, password="  two spaces  ")
    assert Credential.objects.get().password.reveal() == "  two spaces  "


@pytest.mark.parametrize(
    ("key", "passphrase"),
    [
        ("garbage", ""),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
            "",
        ),
        ("PuTTY-User-Key-File-3: ssh-ed25519", ""),
        (_key(PASSPHRASE), ""),
        (_key(PASSPHRASE), "wrong one"),
        (_key().replace("A", "B"), ""),
    ],
    # A key is another one in each process, and the processes must name the tests alike.
    ids=["garbage", "empty", "putty", "no passphrase", "wrong passphrase", "damaged"],
)
def test_what_is_no_key_is_refused(browser: Client, key: str, passphrase: str) -> None:
    answer = _add(browser, private_key=key, passphrase=passphrase)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["private_key"]
    assert not Credential.objects.exists()


def test_a_login_opens_its_secrets_only_when_asked(browser: Client) -> None:
    _add(browser, password=PASSWORD, become_method="sudo")
    host = make_host(credential=Credential.objects.get(), ssh_port=2222)
    login = login_for(host)
    assert PASSWORD not in repr(login)
    assert (login.port, login.username, login.password()) == (2222, "root", PASSWORD)
    assert login.become_password() == PASSWORD
    assert login.private_key() is None


def test_one_who_may_not_use_credentials_chooses_none(client_of: Any) -> None:
    row = Credential.objects.create(name="root", username="root")
    host = make_host()
    perms = ["cmdb.view_host", "cmdb.change_host", "cmdb.view_credential"]
    page = f"/api/v1/hosts/{host.pk}/"
    sent = {"credential": row.pk}
    without, with_it = (
        make_user(perms=perms),
        make_user(perms=[*perms, "cmdb.use_credential"]),
    )

    def patch(user: User) -> int:
        client = client_of(user)
        return client.patch(page, sent, content_type="application/json").status_code

    assert patch(without) == 422
    host.refresh_from_db()
    assert host.credential is None
    assert patch(with_it) == 200


def test_a_scoped_user_uses_only_what_the_scope_uses_already(
    client_of: Any, group: Any
) -> None:
    ours = Credential.objects.create(name="ours", username="web")
    theirs = Credential.objects.create(name="theirs", username="root")
    make_host(groups=[group], credential=ours)
    make_host(credential=theirs)
    host = make_host(groups=[group])
    perms = [
        "view_host",
        "change_host",
        "view_hostgroup",
        "view_credential",
        "use_credential",
    ]
    user = make_user(perms=[f"cmdb.{name}" for name in perms], groups=[group])
    client = client_of(user)
    for row, status in ((theirs, 422), (ours, 200)):
        answer = client.patch(
            f"/api/v1/hosts/{host.pk}/",
            {"credential": row.pk},
            content_type="application/json",
        )
        assert answer.status_code == status
