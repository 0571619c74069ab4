"""One's own account: preferences, the password, and other people's passwords."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminset.models import AuditEntry
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
NEW = "quite another long secret"


def change(client: Client, old: str, new: str, repeat: str = ""):
    """Send the form of one's own password."""
    data = {"old_password": old, "password": new, "repeat": repeat or new}
    return client.post(reverse("accounts:password_change"), data)


def test_the_profile_is_saved_and_recorded(client_of, stranger: User) -> None:
    client = client_of(stranger)
    page = reverse("accounts:profile")
    assert client.get(page).status_code == 200
    data = {
        "display_name": "Str Anger",
        "email": "s@example.org",
        "language": "zh-hans",
        "time_zone": "Asia/Shanghai",
        "theme": "dark",
    }
    assert client.post(page, data).status_code == 302
    stranger.refresh_from_db()
    assert (stranger.theme, stranger.time_zone) == ("dark", "Asia/Shanghai")
    assert AuditEntry.objects.get().verb == "user.update"


def test_nobody_raises_himself_through_the_profile(client_of, stranger: User) -> None:
    data = {"theme": "dark", "is_superuser": "on", "username": "root"}
    client_of(stranger).post(reverse("accounts:profile"), data)
    stranger.refresh_from_db()
    assert not stranger.is_superuser
    assert stranger.username == "stranger"


def test_a_profile_that_makes_no_sense_is_refused(client_of, stranger: User) -> None:
    data = {"theme": "pink", "time_zone": "Mars/Olympus"}
    answer = client_of(stranger).post(reverse("accounts:profile"), data)
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"theme", "time_zone"}


def test_theme_and_language_are_kept_from_the_head_of_the_page(
    client_of, stranger: User
) -> None:
    client = client_of(stranger)
    page = reverse("accounts:preferences")
    assert (
        client.post(page, {"theme": "dark"}, headers={"HX-Request": "true"}).status_code
        == 204
    )
    answer = client.post(page, {"language": "zh-hans", "next": "/accounts/me/"})
    assert answer["Location"] == "/accounts/me/"
    client.post(page, {"theme": "pink", "language": "tlh", "is_superuser": "on"})
    stranger.refresh_from_db()
    assert (stranger.theme, stranger.language) == ("dark", "zh-hans")
    assert not stranger.is_superuser
    assert client.get(page).status_code == 405


def test_a_new_password_ends_other_sessions_and_not_this_one(
    client_of, stranger: User
) -> None:
    here, elsewhere = client_of(stranger), client_of(stranger)
    assert change(here, PASSWORD, NEW).status_code == 302
    assert here.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302
    stranger.refresh_from_db()
    assert stranger.check_password(NEW)
    entry, ended = AuditEntry.objects.order_by("id")
    assert (entry.verb, entry.changes) == ("user.password", [])
    assert (ended.verb, ended.target_name) == ("session.end_all", "stranger")
    assert ended.changes == [{"field": "sessions", "old": 1, "new": None}]


def test_a_new_password_differs_from_the_old_one(client_of, stranger: User) -> None:
    answer = change(client_of(stranger), PASSWORD, PASSWORD)
    assert answer.status_code == 422
    assert "password" in answer.context["form"].errors
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("old", "new", "repeat", "field"),
    [
        ("not it", NEW, NEW, "old_password"),
        (PASSWORD, "short", "short", "password"),
        (PASSWORD, "stranger1", "stranger1", "password"),
        (PASSWORD, "1234567890123", "1234567890123", "password"),
        (PASSWORD, NEW, "something else", "repeat"),
    ],
)
def test_a_password_change_that_is_not_right_changes_nothing(
    client_of, stranger: User, old: str, new: str, repeat: str, field: str
) -> None:
    answer = change(client_of(stranger), old, new, repeat)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert new not in answer.content.decode() or new == "short"
    stranger.refresh_from_db()
    assert stranger.check_password(PASSWORD)


def test_guessing_the_old_password_is_slowed_down(client_of, stranger: User) -> None:
    client = client_of(stranger)
    for _number in range(5):
        change(client, "not it", NEW)
    assert "Too many attempts" in change(client, PASSWORD, NEW).content.decode()
    stranger.refresh_from_db()
    assert stranger.check_password(PASSWORD)


def test_an_administrator_sets_somebodys_password(
    client_of, admin: User, stranger: User
) -> None:
    page = reverse("accounts:user_password", args=[stranger.pk])
    theirs = client_of(stranger)
    client = client_of(admin)
    assert client.get(page).status_code == 200
    assert client.post(page, {"password": NEW, "repeat": NEW}).status_code == 302
    stranger.refresh_from_db()
    assert stranger.check_password(NEW)
    assert theirs.get("/").status_code == 302
    assert NEW not in str(list(AuditEntry.objects.values()))


def test_ones_own_password_goes_the_way_that_asks_for_the_old_one(
    client_of, admin: User
) -> None:
    page = reverse("accounts:user_password", args=[admin.pk])
    answer = client_of(admin).post(page, {"password": NEW, "repeat": NEW})
    assert answer["Location"] == reverse("accounts:password_change")
    data = {
        "username": "admin",
        "is_active": "on",
        "is_superuser": "on",
        "password": NEW,
    }
    edited = client_of(admin).post(reverse("accounts:user_edit", args=[admin.pk]), data)
    assert "password" in edited.context["form"].errors
    admin.refresh_from_db()
    assert admin.check_password(PASSWORD)


def test_a_user_is_added_with_a_password_that_is_shown_nowhere(
    client_of, admin: User
) -> None:
    client = client_of(admin)
    data = {"username": "newcomer", "is_active": "on", "password": NEW}
    assert client.post(reverse("accounts:user_add"), data).status_code == 302
    user = User.objects.get(username="newcomer")
    assert user.check_password(NEW)
    for verb in ("edit", "detail", "history"):
        page = client.get(
            reverse(f"accounts:user_{verb}", args=[user.pk])
        ).content.decode()
        assert NEW not in page
        assert user.password not in page
    trail = str(list(AuditEntry.objects.values()))
    assert NEW not in trail
    assert user.password not in trail


def test_editing_a_user_keeps_the_password_unless_one_is_entered(
    client_of, admin: User
) -> None:
    user = make_user("ann")
    client, page = client_of(admin), reverse("accounts:user_edit", args=[user.pk])
    data = {"username": "ann", "is_active": "on", "display_name": "Ann"}
    assert client.post(page, data).status_code == 302
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert client.post(page, data | {"password": NEW}).status_code == 302
    user.refresh_from_db()
    assert user.check_password(NEW)
    verbs = list(AuditEntry.objects.order_by("id").values_list("verb", flat=True))
    assert verbs == ["user.update", "user.password"]
    weak = client.post(page, data | {"password": "ann12345"})
    assert "password" in weak.context["form"].errors


def test_a_user_without_a_password_cannot_sign_in(client: Client) -> None:
    User.objects.create_user("robot")
    answer = client.post(
        reverse("accounts:sign_in"), {"username": "robot", "password": "x"}
    )
    assert answer.status_code == 422
