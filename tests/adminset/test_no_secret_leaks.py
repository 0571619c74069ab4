"""Secrets go through the real pages and then stand nowhere in clear: no table, no log line, no Redis key, no answer."""

import base64
import logging
import time
from collections.abc import Callable, Iterator

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, RecoveryCode, SecondFactor, User
from accounts.services import second_factor
from accounts.services import tokens as services
from adminset import audit
from cmdb.models import Credential
from cmdb.services import agents
from tests import dump
from tests.canaries import Canaries, Leak
from tests.factories import PASSWORD

NEW_PASSWORD = "marker new pass phrase 4711"
CREDENTIAL = {
    "name": "everywhere",
    "username": "root",
    "port": 22,
    "password": "marker-login-5ecret",
    "become_method": "sudo",
    "become_password": "marker-become-5ecret",
}


def _all_tables() -> str:
    """Everything that the database holds, as text."""
    with connection.cursor() as cursor:
        found = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - names from the database itself
            found += [f"{table}: {row!r}" for row in cursor.fetchall()]
    return "\n".join(found)


def _all_of_redis(url: str) -> bytes:
    """Every key and what it holds."""
    return b"\n".join(b"%s: %s" % (k.encode(), v) for k, v in dump.redis_values(url))


@pytest.fixture
def secrets(caplog: pytest.LogCaptureFixture) -> Iterator[Canaries]:
    """The secrets of a test; logs are taken whole, and the cache is Redis as in a portal."""
    caplog.set_level(logging.DEBUG)
    cache = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": settings.REDIS_URL,
    }
    with override_settings(CACHES={"default": cache}):
        yield Canaries()


def leaks(secrets: Canaries, log: str, pages: str) -> list[Leak]:
    """Look everywhere; a dump that does not hold what was written proves nothing."""
    places = {"database": _all_tables(), "log": log, "pages": pages}
    held = _all_of_redis(settings.REDIS_URL)
    assert "everywhere" in places["database"]
    assert b"sign-in:" in held
    assert "sign-in" in log
    assert "everywhere" in pages
    texts = ((place, text.encode()) for place, text in places.items())
    return secrets.leaks([("redis", held), *texts])


def refused_sign_in(secrets: Canaries) -> None:
    wrong = secrets.add("wrong password", "marker-wrong-guess")
    data = {"username": "admin", "password": wrong}
    assert Client().post(reverse("accounts:sign_in"), data).status_code == 422


@pytest.mark.django_db
def test_no_secret_stands_anywhere_in_clear(
    client_of: Callable[[User], Client],
    admin: User,
    caplog: pytest.LogCaptureFixture,
    secrets: Canaries,
) -> None:
    client = client_of(admin)
    secrets.add("session", client.cookies["sessionid"].value)
    for name in ("password", "become_password"):
        secrets.add(name, str(CREDENTIAL[name]))
    assert client.post(reverse("cmdb:credential_add"), CREDENTIAL).status_code == 302
    made = Credential.objects.get(name="everywhere")
    assert made.password is not None
    assert made.password.reveal() == CREDENTIAL["password"]
    _tokens(admin, secrets)
    secrets.add("old password", PASSWORD)
    secrets.add("new password", NEW_PASSWORD)
    change = {"old_password": PASSWORD, "password": NEW_PASSWORD}
    answer = client.post(
        reverse("accounts:password_change"), {**change, "repeat": NEW_PASSWORD}
    )
    assert answer.status_code == 302, answer.context["form"].errors
    secrets.add("session after that", client.cookies["sessionid"].value)
    refused_sign_in(secrets)
    pages = "\n".join(
        client.get(path).content.decode()
        for path in (
            reverse("cmdb:credential_edit", args=[made.pk]),
            reverse("cmdb:credential_detail", args=[made.pk]),
            reverse("cmdb:credential_history", args=[made.pk]),
            reverse("accounts:audit_list"),
            reverse("accounts:my_tokens"),
            f"/api/v1/credentials/{made.pk}/",
            "/api/v1/credentials/",
        )
    )
    assert leaks(secrets, caplog.text, pages) == []


def _tokens(admin: User, secrets: Canaries) -> None:
    secrets.add(
        "API token", services.create_token(actor=admin, user=admin, name="t")[1]
    )
    plain = agents.create_enrolment_token(actor=admin, name="rack")[1]
    secrets.add("enrolment token", plain)
    identity = {"machine_id": "ab" * 32, "product_uuid": None}
    _agent, secret = agents.enrol(
        plain_token=plain,
        identity={**identity, "serial": None, "macs": []},
        facts={"hostname": "web-1"},
        boot_id="b",
        address="127.0.0.1",
    )
    secrets.add("secret of an agent", secret)


@pytest.mark.django_db
def test_the_second_factor_stands_nowhere_in_clear(
    client_of: Callable[[User], Client],
    admin: User,
    caplog: pytest.LogCaptureFixture,
    secrets: Canaries,
) -> None:
    client, page = client_of(admin), reverse("accounts:second_factor")
    client.post(reverse("cmdb:credential_add"), CREDENTIAL)
    client.get(page)
    factor = SecondFactor.objects.get(user=admin)
    assert factor.secret is not None
    plain = secrets.add("secret of the app", factor.secret.reveal())
    code = TOTP(base64.b32decode(plain), 6, SHA1(), 30).generate(int(time.time()))  # noqa: S303 - what apps speak
    answer = client.post(page, {"code": code.decode()})
    codes = answer.context["codes"]
    assert len(codes) == 10
    for number, text in enumerate(codes):
        secrets.add(f"recovery code {number}", text)
        secrets.add(f"recovery code {number}, bare", text.replace("-", ""))
    used = secrets.add("used code", codes[0])
    second_factor.use(user=admin, code=used)
    secrets.add("session", client.cookies["sessionid"].value)
    refused_sign_in(secrets)
    pages = "\n".join(
        client.get(path).content.decode()
        for path in (
            page,
            reverse("accounts:profile"),
            reverse("accounts:audit_list"),
            reverse("accounts:my_sessions"),
            reverse("accounts:user_detail", args=[admin.pk]),
            f"/api/v1/users/{admin.pk}/",
            reverse("cmdb:credential_list"),
        )
    )
    assert leaks(secrets, caplog.text, pages) == []


@pytest.mark.django_db
def test_the_trail_masks_every_kind_of_secret(admin: User) -> None:
    factor = SecondFactor(user=admin, secret="marker-5ecret")
    code = RecoveryCode(user=admin, code_hash="marker-5ecret")
    token = ApiToken(
        user=admin,
        secret_hash="marker-5ecret",
        expires_at=timezone.now(),
    )
    for row in (factor, code, token, Credential(**CREDENTIAL | {"notes": ""})):
        kept = str(audit.snapshot(row))
        assert audit.MASK in kept
        assert "5ecret" not in kept


@pytest.mark.django_db
def test_a_refused_form_does_not_send_secrets_back(
    client_of: Callable[[User], Client], admin: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    data = CREDENTIAL | {"port": "0", "private_key": "marker-no-key-5ecret"}
    answer = client_of(admin).post(reverse("cmdb:credential_add"), data)
    assert answer.status_code == 422
    assert "5ecret" not in answer.content.decode()
    assert "5ecret" not in caplog.text
    assert not Credential.objects.exists()
