"""Sessions as pages: one's own, those of others, and what ends them."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import PortalSession, User
from adminset.models import AuditEntry
from tests.factories import grant, make_user

pytestmark = pytest.mark.django_db
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/138.0 Safari/537.36 Edg/138.0"
NEW = "quite another long secret"
MANAGER = (
    "accounts.view_user",
    "accounts.view_portalsession",
    "accounts.delete_portalsession",
)


def verbs() -> list[str]:
    """List what the trail says, oldest first."""
    return list(AuditEntry.objects.order_by("id").values_list("verb", flat=True))


def row_of(client: Client) -> PortalSession:
    """Give the row of a browser's session."""
    return client.session.row


def is_in(client: Client) -> bool:
    """Say whether a browser is signed in."""
    return client.get(reverse("accounts:profile")).status_code == 200


def test_my_sessions_shows_mine_and_marks_this_one(
    client_of, stranger: User, admin: User
) -> None:
    here, elsewhere, other = client_of(stranger), client_of(stranger), client_of(admin)
    PortalSession.objects.filter(pk=row_of(elsewhere).pk).update(
        browser=EDGE, address="10.1.2.3", method="password+totp"
    )
    PortalSession.objects.filter(pk=row_of(other).pk).update(address="10.7.7.7")
    answer = here.get(reverse("accounts:my_sessions"))
    page = answer.content.decode()
    assert page.count("this one") == 1
    assert "Edge, Windows" in page
    assert "password + code of the authenticator app" in page
    assert "10.7.7.7" not in page
    assert answer.context["current"] == row_of(here).pk
    for client in (here, elsewhere, other):
        assert client.cookies["sessionid"].value not in page
        assert row_of(client).session_key not in page


def test_one_of_my_sessions_is_ended_at_once(client_of, stranger: User) -> None:
    here, elsewhere = client_of(stranger), client_of(stranger)
    page = reverse("accounts:my_session_end", args=[row_of(elsewhere).pk])
    assert here.get(page).status_code == 405
    assert here.post(page).status_code == 302
    assert not is_in(elsewhere)
    assert is_in(here)
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.actor) == ("session.end_one", stranger)


def test_nobody_ends_anothers_session_as_his_own(
    client_of, stranger: User, admin: User
) -> None:
    here, other = client_of(stranger), client_of(admin)
    for client in (other, here):
        page = reverse("accounts:my_session_end", args=[row_of(client).pk])
        assert here.post(page).status_code == 404
    assert is_in(other)
    assert is_in(here)
    assert verbs() == []


def test_all_my_other_sessions_end(client_of, stranger: User, admin: User) -> None:
    here, *elsewhere = (client_of(stranger) for _ in range(3))
    other = client_of(admin)
    here.post(reverse("accounts:my_sessions_end"))
    assert [is_in(client) for client in elsewhere] == [False, False]
    assert is_in(here)
    assert is_in(other)
    assert verbs() == ["session.end_all"]


def test_signing_out_everywhere_ends_this_one_too(client_of, stranger: User) -> None:
    here, elsewhere = client_of(stranger), client_of(stranger)
    answer = here.post(reverse("accounts:sign_out_everywhere"))
    assert answer["Location"] == reverse("accounts:sign_in")
    assert not is_in(here)
    assert not is_in(elsewhere)
    assert verbs() == ["session.end_all", "session.end"]


def test_an_administrator_sees_all_sessions_without_their_keys(
    client_of, admin: User, stranger: User
) -> None:
    client, theirs = client_of(admin), client_of(stranger)
    Client().get(reverse("accounts:sign_in"))
    listed = client.get(reverse("accounts:portalsession_list")).content.decode()
    detail = reverse("accounts:portalsession_detail", args=[row_of(theirs).pk])
    panel = f"{stranger.get_absolute_url()}?tab=sessions"
    rest = "/api/v1/sessions/"
    assert "stranger" in listed
    assert "stranger" in client.get(panel).content.decode()
    assert client.get(rest).json()["count"] == 2
    for page in (reverse("accounts:portalsession_list"), detail, panel, rest):
        text = client.get(page).content.decode()
        assert row_of(theirs).session_key not in text
        assert row_of(theirs).session_data not in text
        assert theirs.cookies["sessionid"].value not in text


def test_sessions_that_ended_and_those_of_visitors_are_not_listed(
    client_of, admin: User, stranger: User
) -> None:
    client, theirs = client_of(admin), client_of(stranger)
    visitor = Client()
    session = visitor.session
    session["x"] = "1"
    session.save()
    gone = PortalSession.objects.filter(pk=row_of(theirs).pk)
    gone.update(seen_at=row_of(theirs).seen_at.replace(year=2020))
    assert client.get("/api/v1/sessions/").json()["count"] == 1


@pytest.mark.parametrize("way", ["page", "api", "all"])
def test_a_manager_of_users_ends_a_session(client_of, stranger: User, way: str) -> None:
    client, theirs = client_of(make_user(perms=MANAGER)), client_of(stranger)
    pk = row_of(theirs).pk
    if way == "page":
        client.post(reverse("accounts:portalsession_end", args=[pk]))
    elif way == "api":
        assert client.delete(f"/api/v1/sessions/{pk}/").status_code == 204
    else:
        client.post(reverse("accounts:user_sessions_end", args=[stranger.pk]))
    assert not is_in(theirs)
    assert is_in(client)
    verb = "session.end_all" if way == "all" else "session.end_one"
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.target_name) == (verb, "stranger")


@pytest.mark.parametrize("way", ["page", "api", "all"])
def test_nobody_ends_sessions_of_somebody_above_himself(
    client_of, admin: User, way: str
) -> None:
    client, theirs = client_of(make_user(perms=MANAGER)), client_of(admin)
    pk = row_of(theirs).pk
    if way == "page":
        answer = client.post(reverse("accounts:portalsession_end", args=[pk]))
    elif way == "api":
        answer = client.delete(f"/api/v1/sessions/{pk}/")
    else:
        answer = client.post(reverse("accounts:user_sessions_end", args=[admin.pk]))
    assert answer.status_code in {400, 403}
    assert is_in(theirs)
    assert set(verbs()) <= {"access.refused"}


def test_one_who_only_sees_sessions_ends_none(client_of, auditor: User) -> None:
    client, theirs = client_of(auditor), client_of(make_user("ann"))
    pk = row_of(theirs).pk
    page = client.get(reverse("accounts:portalsession_detail", args=[pk]))
    assert reverse("accounts:portalsession_end", args=[pk]) not in page.content.decode()
    assert (
        client.post(reverse("accounts:portalsession_end", args=[pk])).status_code == 403
    )
    assert client.delete(f"/api/v1/sessions/{pk}/").status_code == 403
    assert is_in(theirs)


def test_a_manager_who_ends_the_own_session_is_at_the_door(client_of) -> None:
    client = client_of(make_user(perms=MANAGER))
    page = reverse("accounts:portalsession_end", args=[row_of(client).pk])
    assert client.post(page)["Location"] == reverse("accounts:sign_in")
    assert not is_in(client)


def test_a_user_who_is_stopped_loses_all_sessions(
    client_of, admin: User, stranger: User
) -> None:
    client, theirs = client_of(admin), client_of(stranger)
    page = reverse("accounts:user_edit", args=[stranger.pk])
    assert client.post(page, {"username": "stranger"}).status_code == 302
    assert not PortalSession.objects.filter(user=stranger).exists()
    client.post(page, {"username": "stranger", "is_active": "on"})
    assert not is_in(theirs)
    assert verbs() == ["user.update", "session.end_all", "user.update"]


def test_a_password_set_in_the_form_ends_the_users_sessions(
    client_of, admin: User, stranger: User
) -> None:
    client, theirs = client_of(admin), client_of(stranger)
    page = reverse("accounts:user_edit", args=[stranger.pk])
    data = {"username": "stranger", "is_active": "on", "password": NEW}
    client.post(page, data)
    assert not is_in(theirs)
    assert not PortalSession.objects.filter(user=stranger).exists()
    assert verbs()[-2:] == ["user.password", "session.end_all"]


def test_another_edit_ends_nothing(client_of, admin: User, stranger: User) -> None:
    client, theirs = client_of(admin), client_of(stranger)
    page = reverse("accounts:user_edit", args=[stranger.pk])
    data = {"username": "stranger", "is_active": "on", "display_name": "S"}
    client.post(page, data)
    assert is_in(theirs)


def test_a_deleted_user_leaves_no_session(client_of, admin: User) -> None:
    user = make_user("ann")
    theirs = client_of(user)
    client_of(admin).post(reverse("accounts:user_delete", args=[user.pk]))
    assert not is_in(theirs)
    assert not PortalSession.objects.filter(method="", user=None).exists()


def test_the_list_costs_the_same_for_two_and_for_twelve(
    client_of, admin: User, django_assert_max_num_queries
) -> None:
    client = client_of(admin)
    grant(make_user("bob"), ["cmdb.view_host"])
    for user in User.objects.all():
        for _ in range(6):
            client_of(user)
    with django_assert_max_num_queries(12):
        client.get(reverse("accounts:portalsession_list"))
