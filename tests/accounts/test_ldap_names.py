"""Names of a real slapd: those that cannot be ours, and the many spellings of one that must share a count of guesses."""

from collections.abc import Iterator
from typing import Any

import ldap3
import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminset.models import AuditEntry
from tests import directory as real

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(bool(real.missing()), reason=real.missing()),
    pytest.mark.xdist_group("directory"),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[real.Directory]:
    server = real.Directory(tmp_path_factory.mktemp("slapd"))
    for name in ("ann smith", "o'brien"):
        _add(server, name)
    yield server
    server.stop()


def _add(server: real.Directory, name: str) -> None:
    attributes = {"uid": name, "cn": name, "sn": name, "userPassword": real.PASSWORD}
    with ldap3.Connection(
        ldap3.Server("127.0.0.1", server.port),
        real.ADMIN,
        real.ADMIN_PASSWORD,
        auto_bind=True,
    ) as connection:
        dn = f"uid={name},ou=people,{real.BASE}"
        assert connection.add(dn, "inetOrgPerson", attributes), connection.result


@pytest.fixture(autouse=True)
def ldap(running: real.Directory, settings: Any) -> None:
    """The portal, told of the directory."""
    settings.LDAP_URLS = [running.url]
    settings.LDAP_START_TLS = True
    settings.LDAP_CA_FILE = str(running.authority_file)
    settings.LDAP_BIND_DN, settings.LDAP_BIND_PASSWORD = real.ADMIN, real.ADMIN_PASSWORD
    settings.LDAP_BASE_DN = real.BASE
    settings.LDAP_USER_FILTER = "(|(uid=%(user)s)(mail=%(user)s))"


def _sign_in(
    name: str, password: str = real.PASSWORD, address: str = "10.0.0.1"
) -> Any:
    sent = {"username": name, "password": password}
    return Client(REMOTE_ADDR=address).post(reverse("accounts:sign_in"), sent)


@pytest.mark.parametrize("name", ["ann smith", "o'brien"])
def test_a_name_that_cannot_be_ours_is_refused_and_told(name: str) -> None:
    answer = _sign_in(name)
    assert answer.status_code == 403
    assert "cannot be a user name here" in answer.content.decode()
    assert not User.objects.exists()
    (line,) = AuditEntry.objects.all()
    assert (line.verb, line.reason) == ("session.refused", f"bad_name: {name}")
    assert {"field": "method", "old": None, "new": "ldap"} in line.changes


def test_a_name_is_told_only_to_who_knows_the_password() -> None:
    answer = _sign_in("ann smith", "wrong")
    assert answer.status_code == 422
    assert "cannot be a user name here" not in answer.content.decode()


SPELLINGS = [
    "ann",
    "ANN",
    " ann",
    "\uff41nn",
    "a\uff4en",
    "an\uff4e",
    "\uff41\uff4en",
    "ann@example.com",
    "ANN@example.com",
]


def test_all_spellings_of_a_name_share_the_guesses() -> None:
    statuses = [_sign_in(name, "guess").status_code for name in SPELLINGS]
    assert statuses == [422] * 5 + [429] * 4
    assert _sign_in("\uff21nn").status_code == 429
    assert _sign_in("Ann@Example.com").status_code == 429
    assert not User.objects.exists()
    assert AuditEntry.objects.filter(verb="session.throttled").exists()
    assert _sign_in("bob").status_code == 302


def test_aliases_from_many_addresses_share_the_guesses_too(settings: Any) -> None:
    settings.SIGN_IN_ACCOUNT_ATTEMPTS = 4
    for number in range(4):
        name = ("ann", "ann@example.com")[number % 2]
        assert _sign_in(name, "guess", f"10.1.1.{number}").status_code == 422
    assert _sign_in("ann@example.com", address="10.9.9.9").status_code == 429


def test_strangers_do_not_lock_out_an_address_that_is_known(settings: Any) -> None:
    settings.SIGN_IN_ACCOUNT_ATTEMPTS = 4
    assert _sign_in("ann").status_code == 302
    for number in range(6):
        _sign_in("ann@example.com", "guess", f"10.1.1.{number}")
    assert _sign_in("ann", address="10.9.9.9").status_code == 429
    assert _sign_in("ann").status_code == 302


def test_a_success_begins_the_count_anew() -> None:
    for _round in range(3):
        for _guess in range(3):
            assert _sign_in("ann", "guess").status_code == 422
        assert _sign_in("ann").status_code == 302
