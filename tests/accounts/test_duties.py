"""Duties: while one applies, every page leads to it, and nothing else opens."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts import duties
from accounts.door import has_duty
from accounts.duties import Duty
from accounts.models import User
from adminset.models import AuditEntry
from tests.factories import PASSWORD, make_host, make_user

pytestmark = pytest.mark.django_db
NEW = "quite another long secret"
CHANGE = "accounts:password_change"


@pytest.fixture
def client(client_of, admin: User) -> Client:
    """Signed in as an administrator whose password somebody else has set."""
    User.objects.filter(pk=admin.pk).update(must_change_password=True)
    return client_of(admin)


def test_every_page_leads_to_the_duty_and_says_where_one_wanted_to_go(
    client: Client,
) -> None:
    for page in ("/", "/accounts/users/?q=a", "/cmdb/hosts/"):
        answer = client.get(page)
        assert answer.status_code == 302
        assert answer["Location"].startswith(f"{reverse(CHANGE)}?next=")
    assert (
        "next=%2Faccounts%2Fusers%2F%3Fq%3Da"
        in client.get("/accounts/users/?q=a")["Location"]
    )


def test_nothing_is_done_before_the_duty(client: Client) -> None:
    host = make_host("one")
    answer = client.post(reverse("cmdb:host_delete", args=[host.pk]))
    assert answer["Location"] == reverse(CHANGE)
    assert type(host).objects.filter(pk=host.pk).exists()
    assert not AuditEntry.objects.exists()


def test_the_api_refuses_the_session_with_a_code(client: Client) -> None:
    answer = client.get("/api/v1/hosts/")
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "password_change_needed"


def test_htmx_is_told_to_go_there(client: Client) -> None:
    answer = client.get("/cmdb/hosts/", headers={"HX-Request": "true"})
    assert answer.status_code == 403
    assert answer["HX-Redirect"] == reverse(CHANGE)


def test_the_duty_the_way_out_and_the_language_stay_open(client: Client) -> None:
    page = client.get(reverse(CHANGE))
    assert page.status_code == 200
    assert "Somebody else set your password" in page.content.decode()
    chosen = client.post(reverse("set_language"), {"language": "zh-hans", "next": "/"})
    assert chosen["Location"] == "/"
    assert client.get("/healthz").status_code == 200
    left = client.post(reverse("accounts:sign_out"))
    assert left["Location"] == reverse("accounts:sign_in")


def test_a_password_of_ones_own_opens_the_portal_where_one_wanted_to_go(
    client: Client, admin: User
) -> None:
    data = {"old_password": PASSWORD, "password": NEW, "repeat": NEW}
    answer = client.post(f"{reverse(CHANGE)}?next=/cmdb/hosts/", data)
    assert answer["Location"] == "/cmdb/hosts/"
    assert client.get("/cmdb/hosts/").status_code == 200
    admin.refresh_from_db()
    assert not admin.must_change_password


def test_the_old_password_does_not_do(client: Client, admin: User) -> None:
    data = {"old_password": PASSWORD, "password": PASSWORD, "repeat": PASSWORD}
    assert client.post(reverse(CHANGE), data).status_code == 422
    assert client.get("/").status_code == 302
    admin.refresh_from_db()
    assert admin.must_change_password


@pytest.mark.parametrize("must_change", [True, False])
def test_who_sets_a_password_for_another_chooses_whether_it_is_for_once(
    client_of, admin: User, stranger: User, must_change: bool
) -> None:
    page = reverse("accounts:user_password", args=[stranger.pk])
    client = client_of(admin)
    assert client.get(page).context["form"]["must_change"].initial is True
    data = {
        "password": NEW,
        "repeat": NEW,
        **({"must_change": "on"} if must_change else {}),
    }
    client.post(page, data)
    stranger.refresh_from_db()
    assert stranger.must_change_password is must_change


def test_a_password_given_through_the_api_is_for_once_unless_said_otherwise(
    client_of, admin: User
) -> None:
    client = client_of(admin)
    for name, more in (("one", {}), ("two", {"must_change": False})):
        body = {"username": name, "password": NEW, **more}
        answer = client.post("/api/v1/users/", body, content_type="application/json")
        assert answer.status_code == 201
    told = dict(User.objects.values_list("username", "must_change_password"))
    assert (told["one"], told["two"]) == (True, False)


def test_editing_a_user_without_a_password_sets_no_duty(
    client_of, admin: User, stranger: User
) -> None:
    page = reverse("accounts:user_edit", args=[stranger.pk])
    data = {"username": "stranger", "is_active": "on", "must_change": "on"}
    assert client_of(admin).post(page, data).status_code == 302
    stranger.refresh_from_db()
    assert not stranger.must_change_password


def test_whose_password_is_kept_elsewhere_has_no_such_duty(client_of) -> None:
    user = make_user("ann", must_change_password=True, source=User.Source.LDAP)
    assert client_of(user).get("/").status_code == 200


def test_the_first_duty_that_applies_leads(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Duty(
        "accounts:my_tokens",
        lambda visit: visit.user.is_superuser,
        "tokens_needed",
        "Look at your tokens first.",
        also=("accounts:my_token_add",),
    )
    monkeypatch.setattr(duties, "DUTIES", [other, *duties.DUTIES])
    assert client.get(reverse(CHANGE))["Location"].startswith(
        reverse("accounts:my_tokens")
    )
    assert client.get(reverse("accounts:my_tokens")).status_code == 200
    assert client.get(reverse("accounts:my_token_add")).status_code == 200


def test_a_web_socket_stays_shut_too(stranger: User) -> None:
    assert not has_duty(stranger, None)
    stranger.must_change_password = True
    assert has_duty(stranger, None)
