"""What acts on the whole portal, or on all sessions of a user, is opened by no grant on some objects."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ApiToken, PortalSession, User
from adminset import audit, maintenance
from adminset.models import AuditEntry, PortalSwitch
from cmdb.models import HostGroup
from tests.factories import grant, make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
SWITCH = "/system/maintenance/"


@pytest.fixture(autouse=True)
def _looked_at_anew() -> None:
    maintenance.forget()


def test_a_scoped_grant_turns_on_no_maintenance(
    client_of: Signed, group: HostGroup
) -> None:
    client = client_of(make_user(perms=[maintenance.PERMISSION], groups=[group]))
    assert client.get(SWITCH).status_code == 403
    assert client.post(SWITCH, {"on": "1"}).status_code == 403
    assert not PortalSwitch.objects.filter(name=maintenance.NAME).exists()
    assert not AuditEntry.objects.filter(verb="maintenance.on").exists()
    assert SWITCH not in client.get("/").content.decode()


def test_a_scoped_grant_does_not_work_through_maintenance(
    client_of: Signed, admin: User, group: HostGroup
) -> None:
    scoped = client_of(make_user(perms=[maintenance.PERMISSION], groups=[group]))
    whole = client_of(make_user(perms=[maintenance.PERMISSION]))
    maintenance.switch(actor=admin, on=True)
    assert scoped.get("/").status_code == 503
    assert whole.get("/").status_code == 200
    assert whole.post(SWITCH, {"on": "0"}).status_code == 302
    assert not maintenance.is_on()


def test_a_scoped_grant_signs_nobody_out(
    client_of: Signed, group: HostGroup, stranger: User
) -> None:
    perms = ["accounts.view_user", "accounts.delete_portalsession"]
    theirs = client_of(stranger)
    page = reverse("accounts:user_sessions_end", args=[stranger.pk])
    scoped = client_of(make_user(perms=perms, groups=[group]))
    assert scoped.post(page).status_code == 403
    assert page not in scoped.get(stranger.get_absolute_url()).content.decode()
    row = PortalSession.objects.get(user=stranger)
    one = reverse("accounts:portalsession_end", args=[row.pk])
    assert scoped.post(one).status_code == 404
    assert theirs.get("/").status_code == 200
    assert not AuditEntry.objects.filter(verb__startswith="session.end").exists()
    whole = client_of(make_user(perms=perms))
    assert page in whole.get(stranger.get_absolute_url()).content.decode()
    assert whole.post(page).status_code == 302
    assert not PortalSession.objects.filter(user=stranger).exists()


def test_a_scoped_grant_makes_no_token_of_a_service_account(
    client_of: Signed, group: HostGroup
) -> None:
    machine = User.objects.create_user("backup", kind=User.Kind.SERVICE)
    manager = make_user(perms=["accounts.view_user", "accounts.change_user"])
    grant(manager, ["accounts.add_apitoken"], [group])
    page = reverse("accounts:user_token_add", args=[machine.pk])
    sent = {"name": "t", "days": 1}
    assert client_of(manager).post(page, sent).status_code == 403
    assert not ApiToken.objects.exists()


def test_from_where_a_user_signed_in_is_for_the_person_and_readers_of_the_trail(
    client_of: Signed, stranger: User, group: HostGroup, admin: User
) -> None:
    audit.record(stranger, "session.start", stranger)
    audit.record(admin, "user.update", stranger, reason="moved to another desk")
    page = reverse("accounts:user_history", args=[stranger.pk])

    def lines(reader: User) -> list[str]:
        answer = client_of(reader).get(page)
        assert answer.status_code == 200
        return [entry.verb for entry in answer.context["entries"]]

    see = ["accounts.view_user"]
    trail = "adminset.view_auditentry"
    assert lines(make_user(perms=see)) == ["user.update"]
    scoped = make_user(perms=see)
    grant(scoped, [trail], [group])
    assert lines(scoped) == ["user.update"]
    assert "session.start" in lines(make_user(perms=[*see, trail]))
    grant(stranger, see)
    assert "session.start" in lines(stranger)
