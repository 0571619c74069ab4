"""The second factor: set up with a real authenticator (pyotp), asked for at the door, good once, recoverable, enforceable."""

import re
import threading
import time
from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from bs4 import BeautifulSoup
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, connections
from django.test import Client
from django.urls import reverse

from accounts import second_factor
from accounts.models import Grant, PortalSession, RecoveryCode, Role, SecondFactor, User
from accounts.services import second_factor as services
from adminset.errors import DomainError
from adminset.models import AuditEntry
from tests.factories import PASSWORD, grant, make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
PAGE = "/accounts/me/second-factor/"


def _set_up(browser: Client) -> tuple[pyotp.TOTP, list[str], str]:
    """Set up as a person does: read the page into an app, give its code; give the app, the recovery codes and the secret."""
    page = BeautifulSoup(browser.get(PAGE).content, "html.parser")
    shown = page.select_one("code.user-select-all")
    assert shown is not None
    secret = shown.get_text().replace(" ", "")
    app = pyotp.TOTP(secret)
    # The step before this one counts until this one is over.
    while time.time() % app.interval > app.interval - 2:
        time.sleep(0.1)
    answer = browser.post(PAGE, {"code": app.at(time.time() - 30)})
    assert answer.status_code == 200
    codes = re.findall(
        r"\b[A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4}\b", answer.content.decode()
    )
    return app, list(dict.fromkeys(codes)), secret


def _sign_in(browser: Client, user: User, **more: str) -> Any:
    sent = {"username": user.username, "password": PASSWORD} | more
    return browser.post(reverse("accounts:sign_in"), sent)


def _is_in(browser: Client) -> bool:
    return browser.get("/accounts/me/").status_code == 200


@pytest.fixture
def ann() -> User:
    return make_user("ann")


def test_the_picture_holds_what_an_authenticator_reads() -> None:
    secret = second_factor.new_secret()
    app = pyotp.parse_uri(second_factor.uri_of(secret, "ann"))
    assert (app.secret, app.issuer, app.name) == (secret, "AdminSet", "ann")
    assert second_factor.matching_step(secret, app.now()) is not None
    assert second_factor.picture_of(secret, "ann").startswith("data:image/svg+xml")


@pytest.mark.parametrize(
    ("seconds", "right"),
    [(-60, False), (-30, True), (0, True), (30, True), (60, False)],
)
def test_a_clock_may_be_one_step_off_and_no_more(seconds: int, right: bool) -> None:
    secret, now = second_factor.new_secret(), 1_800_000_015.0
    code = pyotp.TOTP(secret).at(int(now) + seconds)
    assert (second_factor.matching_step(secret, code, now) is not None) is right


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "abcdef", "１２３４５６", "-12345", " "]
)
def test_what_is_no_code_is_wrong(code: str) -> None:
    assert second_factor.matching_step(second_factor.new_secret(), code) is None


def test_setting_up_gives_ten_recovery_codes_and_ends_other_sessions(
    client_of: Signed, ann: User
) -> None:
    elsewhere, here = client_of(ann), client_of(ann)
    _app, codes, secret = _set_up(here)
    assert len(codes) == 10
    assert AuditEntry.objects.filter(verb="user.second_factor", actor=ann).count() == 1
    assert _is_in(here)
    assert not _is_in(elsewhere)
    assert secret not in here.get(PAGE).content.decode().replace(" ", "")
    stored = str(list(RecoveryCode.objects.values())) + str(
        list(AuditEntry.objects.values())
    )
    assert not [
        code for code in codes if code in stored or code.replace("-", "") in stored
    ]


def test_a_wrong_first_code_switches_nothing_on(client_of: Signed, ann: User) -> None:
    browser = client_of(ann)
    browser.get(PAGE)
    assert browser.post(PAGE, {"code": "000000"}).status_code == 422
    assert services.factor_of(ann) is None
    assert not RecoveryCode.objects.exists()


def test_the_password_alone_signs_nobody_in(client_of: Signed, ann: User) -> None:
    app, _codes, _secret = _set_up(client_of(ann))
    browser = Client()
    answer = _sign_in(browser, ann, next="/cmdb/hosts/")
    assert answer["Location"] == reverse("accounts:sign_in_code")
    assert not _is_in(browser)
    assert browser.get("/api/v1/hosts/").status_code == 401
    answer = browser.post(reverse("accounts:sign_in_code"), {"code": app.now()})
    assert answer["Location"] == "/cmdb/hosts/"
    assert _is_in(browser)
    row = PortalSession.objects.get(user=ann, method="password+totp")
    assert row.user == ann
    line = AuditEntry.objects.filter(verb="session.start").first()
    assert line is not None
    assert {"field": "method", "old": None, "new": "password+totp"} in line.changes


def test_a_code_works_once(client_of: Signed, ann: User) -> None:
    app, _codes, _secret = _set_up(client_of(ann))
    code, first, second = app.now(), Client(), Client()
    for browser in (first, second):
        _sign_in(browser, ann)
    assert (
        first.post(reverse("accounts:sign_in_code"), {"code": code}).status_code == 302
    )
    again = second.post(reverse("accounts:sign_in_code"), {"code": code})
    assert again.status_code == 422
    assert not _is_in(second)
    assert AuditEntry.objects.filter(verb="session.code_refused").count() == 1


def test_the_code_page_is_closed_without_a_password(client: Client, ann: User) -> None:
    answer = client.get(reverse("accounts:sign_in_code"))
    assert answer["Location"] == reverse("accounts:sign_in")
    assert (
        client.post(reverse("accounts:sign_in_code"), {"code": "123456"}).status_code
        == 302
    )
    assert not _is_in(client)


def test_the_first_proof_ends_after_five_minutes_and_with_a_new_password(
    client_of: Signed, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, _codes, _secret = _set_up(client_of(ann))
    late, changed = Client(), Client()
    _sign_in(late, ann)
    _sign_in(changed, ann)
    ann.set_password("another long secret word")
    ann.save()
    answer = changed.post(reverse("accounts:sign_in_code"), {"code": app.now()})
    assert answer["Location"] == reverse("accounts:sign_in")
    session = late.session
    session["pending_sign_in"] = session["pending_sign_in"] | {"at": time.time() - 301}
    session.save()
    answer = late.post(reverse("accounts:sign_in_code"), {"code": app.now()})
    assert answer["Location"] == reverse("accounts:sign_in")
    assert not _is_in(late)
    assert not _is_in(changed)


def test_guessing_codes_is_slowed_down(
    client_of: Signed, ann: User, settings: Any
) -> None:
    app, _codes, _secret = _set_up(client_of(ann))
    browser = Client()
    _sign_in(browser, ann)
    for _guess in range(settings.SIGN_IN_ATTEMPTS):
        assert (
            browser.post(
                reverse("accounts:sign_in_code"), {"code": "000000"}
            ).status_code
            == 422
        )
    held = browser.post(reverse("accounts:sign_in_code"), {"code": app.now()})
    assert held.status_code == 429
    assert int(held["Retry-After"]) > 0
    assert not _is_in(browser)


def test_a_recovery_code_works_once_however_it_is_typed(
    client_of: Signed, ann: User
) -> None:
    _app, codes, _secret = _set_up(client_of(ann))
    browser = Client()
    _sign_in(browser, ann)
    typed = f" {codes[0].lower().replace('-', ' ')} "
    answer = browser.post(
        reverse("accounts:sign_in_code"), {"code": typed}, follow=True
    )
    assert "9 are left" in answer.content.decode()
    assert AuditEntry.objects.filter(verb="user.recovery_code").count() == 1
    other = Client()
    _sign_in(other, ann)
    assert (
        other.post(reverse("accounts:sign_in_code"), {"code": codes[0]}).status_code
        == 422
    )


def test_new_recovery_codes_end_the_old_ones(client_of: Signed, ann: User) -> None:
    browser = client_of(ann)
    _app, codes, _secret = _set_up(browser)
    assert browser.post("/accounts/me/second-factor/codes/").status_code == 200
    with pytest.raises(DomainError):
        services.use(user=ann, code=codes[0])
    assert services.codes_left(ann) == 10


def test_switching_off_asks_for_a_fresh_proof(client_of: Signed, ann: User) -> None:
    browser = client_of(ann)
    _set_up(browser)
    session = browser.session
    session["proved_at"] = 0
    session.save()
    answer = browser.post("/accounts/me/second-factor/off/")
    assert answer["Location"].startswith(reverse("accounts:confirm"))
    assert services.factor_of(ann)
    session = browser.session
    session["proved_at"] = time.time()
    session.save()
    browser.post("/accounts/me/second-factor/off/")
    assert services.factor_of(ann) is None
    assert not RecoveryCode.objects.exists()
    assert AuditEntry.objects.filter(verb="user.second_factor_off").count() == 1


def _require_of(user: User) -> Role:
    made: Grant = grant(user, ["cmdb.view_host"])
    Role.objects.filter(pk=made.role_id).update(requires_second_factor=True)
    return made.role


def test_a_role_that_asks_for_it_lets_nobody_on_without(ann: User) -> None:
    _require_of(ann)
    browser = Client()
    _sign_in(browser, ann)
    assert browser.get("/cmdb/hosts/")["Location"].startswith(PAGE)
    answer = browser.get("/api/v1/hosts/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (
        403,
        "second_factor_needed",
    )
    _set_up(browser)
    assert browser.get("/cmdb/hosts/").status_code == 200


def test_it_cannot_be_switched_off_while_a_role_asks_for_it(
    client_of: Signed, ann: User
) -> None:
    browser = client_of(ann)
    _set_up(browser)
    _require_of(ann)
    assert "Switch off" not in browser.get(PAGE).content.decode()
    browser.post("/accounts/me/second-factor/off/")
    assert services.factor_of(ann)


def test_a_grant_that_is_over_asks_for_nothing(ann: User) -> None:
    role = _require_of(ann)
    assert services.is_required(ann)
    Grant.objects.filter(role=role).update(valid_until="2020-01-01T00:00:00Z")
    assert not services.is_required(ann)


def test_administrators_can_be_asked_for_it(admin: User, settings: Any) -> None:
    assert not services.is_required(admin)
    settings.ADMINS_NEED_SECOND_FACTOR = True
    assert services.is_required(admin)


def test_an_administrator_resets_it_and_the_sessions_end(
    client_of: Signed, admin: User, ann: User
) -> None:
    browser = client_of(ann)
    _set_up(browser)
    client_of(admin).post(f"/accounts/users/{ann.pk}/second-factor/reset/")
    assert services.factor_of(ann) is None
    assert not _is_in(browser)
    assert AuditEntry.objects.get(verb="user.second_factor_reset").actor == admin


def test_nobody_resets_it_for_somebody_above(client_of: Signed, admin: User) -> None:
    _set_up(client_of(admin))
    manager = make_user(perms=["accounts.view_user", "accounts.change_user"])
    client_of(manager).post(f"/accounts/users/{admin.pk}/second-factor/reset/")
    assert services.factor_of(admin)


def test_the_command_resets_it(client_of: Signed, ann: User, capsys: Any) -> None:
    _set_up(client_of(ann))
    call_command("reset_second_factor", "ann")
    assert services.factor_of(ann) is None
    with pytest.raises(CommandError, match="no user 'nobody'"):
        call_command("reset_second_factor", "nobody")


def test_the_database_holds_the_secret_sealed(client_of: Signed, ann: User) -> None:
    _app, _codes, secret = _set_up(client_of(ann))
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM accounts_secondfactor")
        (stored,) = cursor.fetchone()
    assert stored.startswith("v1:")
    assert secret not in stored


@pytest.mark.django_db(transaction=True)
def test_of_parallel_uses_of_one_code_one_gets_in() -> None:
    user = make_user("bob")
    secret = second_factor.new_secret()
    SecondFactor.objects.create(
        user=user, secret=secret, confirmed_at="2026-01-01T00:00:00Z"
    )
    code, outcomes = pyotp.TOTP(secret).now(), []
    gate = threading.Barrier(4)

    def attempt() -> str:
        try:
            return str(services.use(user=user, code=code))
        except DomainError as error:
            return error.code
        except OperationalError:
            # Shared memory says "locked" at once where a file would wait.
            return ""

    def use() -> None:
        gate.wait(10)
        try:
            while not (outcome := attempt()):
                continue
            outcomes.append(outcome)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=use) for _each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["totp", *["wrong_code"] * 3]
