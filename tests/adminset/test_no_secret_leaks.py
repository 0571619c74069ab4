"""Secrets go through the real pages and then stand nowhere in clear: no table, no log line, no Redis key, no answer."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.services import tokens as services
from adminset import redis_door
from cmdb.models import Credential
from cmdb.services import agents
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


def _all_of_redis() -> str:
    """Every key and what it holds, as text."""
    client = redis_door.client()
    return "\n".join(
        f"{key}: {client.dump(key) if client.type(key) != 'string' else client.get(key)}"
        for key in client.scan_iter()
    )


@pytest.mark.django_db
def test_no_secret_stands_anywhere_in_clear(
    client_of: Callable[[User], Client],
    admin: User,
    caplog: pytest.LogCaptureFixture,
    settings: Any,
) -> None:
    caplog.set_level(logging.DEBUG)
    # The suite's cache is in memory; the portal's is Redis.
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": settings.REDIS_URL,
        }
    }
    client = client_of(admin)
    secrets = [CREDENTIAL["password"], CREDENTIAL["become_password"]]
    assert client.post(reverse("cmdb:credential_add"), CREDENTIAL).status_code == 302
    made = Credential.objects.get(name="everywhere")
    assert made.password is not None
    assert made.password.reveal() == CREDENTIAL["password"]

    secrets.append(services.create_token(actor=admin, user=admin, name="t")[1])
    secrets.append(agents.create_enrolment_token(actor=admin, name="rack")[1])
    identity = {"machine_id": "ab" * 32, "product_uuid": None}
    _agent, secret = agents.enrol(
        plain_token=secrets[-1],
        identity={**identity, "serial": None, "macs": []},
        facts={"hostname": "web-1"},
        boot_id="b",
        address="127.0.0.1",
    )
    secrets.append(secret)
    change = {"old_password": PASSWORD, "password": NEW_PASSWORD}
    answer = client.post(
        reverse("accounts:password_change"), {**change, "repeat": NEW_PASSWORD}
    )
    assert answer.status_code == 302, answer.context["form"].errors
    wrong = {"username": "admin", "password": "marker-wrong-guess"}
    Client().post(reverse("accounts:sign_in"), wrong)
    secrets += [PASSWORD, NEW_PASSWORD, wrong["password"]]

    pages = "\n".join(
        client.get(path).content.decode()
        for path in (
            reverse("cmdb:credential_edit", args=[made.pk]),
            reverse("cmdb:credential_detail", args=[made.pk]),
            reverse("cmdb:credential_history", args=[made.pk]),
            reverse("accounts:audit_list"),
            f"/api/v1/credentials/{made.pk}/",
        )
    )
    places = {
        "database": _all_tables(),
        "log": caplog.text,
        "redis": _all_of_redis(),
        "pages": pages,
    }
    # The dumps must hold what was written, else they prove nothing.
    assert "everywhere" in places["database"]
    assert "sign-in:" in places["redis"]
    assert "sign-in" in caplog.text
    bare = [*secrets, *(text.partition(".")[2] for text in secrets if "." in text)]
    leaks = [
        (n, place)
        for n, text in enumerate(bare)
        for place in places
        if text in places[place]
    ]
    assert leaks == []


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
