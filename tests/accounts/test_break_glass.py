"""The way in when no other is left."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, PortalSession, RecoveryCode, SecondFactor, User
from accounts.services.tokens import create_token
from adminset.models import AuditEntry
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def break_glass(capsys: pytest.CaptureFixture[str]):
    """Run the command; gives what it prints on standard output, and on standard error."""

    def run(*words: str) -> tuple[str, str]:
        capsys.readouterr()
        call_command("break_glass", *words)
        told = capsys.readouterr()
        return told.out, told.err

    return run


def sign_in(password: str, client: Client | None = None) -> int:
    """Try the door with a password; gives the status."""
    data = {"username": "break-glass", "password": password}
    return (client or Client()).post(reverse("accounts:sign_in"), data).status_code


def test_it_makes_an_administrator_for_four_hours(break_glass) -> None:
    out, err = break_glass()
    user = User.objects.get()
    assert user.username == "break-glass"
    assert user.is_superuser
    left = user.expires_at - timezone.now()
    assert timedelta(hours=3, minutes=59) < left <= timedelta(hours=4)
    client = Client()
    assert sign_in(out.strip(), client) == 302
    assert client.get(reverse("accounts:user_list")).status_code == 200
    assert out.strip() not in err


def test_it_is_loud_in_the_trail_and_the_password_is_nowhere(break_glass) -> None:
    out, _err = break_glass("--hours", "2")
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.actor_name) == ("user.break_glass", "command line")
    assert "expires_at" in {change["field"] for change in entry.changes}
    assert out.strip() not in str(list(AuditEntry.objects.values()))
    assert out.strip() not in str(list(User.objects.values()))
    assert len(out.strip()) >= 32


def test_it_revives_the_account_with_nothing_of_before(break_glass) -> None:
    first, _err = break_glass()
    user = User.objects.get()
    browser = Client()
    sign_in(first.strip(), browser)
    SecondFactor.objects.create(user=user, secret="JBSWY3DPEHPK3PXP")
    RecoveryCode.objects.create(user=user, code_hash="x")
    create_token(actor=user, user=user, name="t", days=1, can_write=True)
    User.objects.update(is_active=False, is_superuser=False, must_change_password=True)
    second, _err = break_glass()
    assert browser.get("/").status_code == 302
    assert not PortalSession.objects.filter(user=user).exists()
    assert not SecondFactor.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert not ApiToken.objects.filter(revoked_at=None).exists()
    assert sign_in(first.strip()) == 422
    fresh = Client()
    assert sign_in(second.strip(), fresh) == 302
    assert fresh.get("/").status_code == 200
    assert User.objects.count() == 1


def test_it_is_over_after_its_hours(break_glass) -> None:
    out, _err = break_glass("--hours", "1")
    client = Client()
    assert sign_in(out.strip(), client) == 302
    User.objects.update(expires_at=timezone.now())
    assert client.get("/").status_code == 302
    assert sign_in(out.strip()) == 422


def test_a_flood_of_guesses_from_elsewhere_does_not_shut_it(
    break_glass, settings
) -> None:
    settings.SIGN_IN_ACCOUNT_ATTEMPTS = 3
    make_user("ann")
    out, _err = break_glass()
    for number in range(6):
        stranger = Client(REMOTE_ADDR=f"10.6.6.{number}")
        assert sign_in("a guess", stranger) == 422
    assert sign_in(out.strip()) == 302


@pytest.mark.parametrize("hours", ["0", "-1", "1000"])
def test_hours_that_make_no_sense_are_refused(break_glass, hours: str) -> None:
    with pytest.raises(CommandError):
        break_glass(f"--hours={hours}")
    assert not User.objects.exists()
