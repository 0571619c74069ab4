"""API tokens: shown once, kept as a hash, refused when revoked, expired or their user is stopped."""

import logging
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, User
from accounts.services import tokens as services
from adminset.models import AuditEntry
from tests.factories import make_user

pytestmark = pytest.mark.django_db
USERS = "/api/v1/users/"


def token_of(user: User, **options) -> str:
    """Make a token and give its text."""
    return services.create_token(actor=user, user=user, name="script", **options)[1]


def ask(
    client: Client,
    text: str,
    method: str = "get",
    body: object = None,
    path: str = USERS,
):
    """Call the API with a token."""
    headers = {"Authorization": f"Bearer {text}"}
    more = {} if body is None else {"data": body}
    return getattr(client, method)(
        path, headers=headers, content_type="application/json", **more
    )


def test_a_token_speaks_for_its_user(client: Client, auditor: User) -> None:
    answer = ask(client, token_of(auditor))
    assert answer.status_code == 200
    assert answer.json()["count"] == 1


def test_a_token_may_no_more_than_its_user(client: Client, stranger: User) -> None:
    assert ask(client, token_of(stranger, can_write=True)).status_code == 403


def test_a_token_that_only_reads_changes_nothing(client: Client, admin: User) -> None:
    body = {"username": "made", "password": "quite another long secret"}
    answer = ask(client, token_of(admin), "post", body)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "read_only_token"
    assert not User.objects.filter(username="made").exists()
    made = ask(client, token_of(admin, can_write=True), "post", body)
    assert made.status_code == 201
    assert "password" not in made.json()
    user = User.objects.get(username="made")
    assert user.check_password(body["password"])
    assert AuditEntry.objects.get(verb="user.create").actor == admin


def test_a_token_that_is_not_right_gets_401_with_the_envelope(
    client: Client, admin: User
) -> None:
    right = token_of(admin)
    prefix, secret = right.split(".")
    other = token_of(admin)
    wrong = [
        "",
        ".",
        prefix,
        f"{prefix}.",
        f"{prefix}.{secret}x",
        f".{secret}",
        "x.y",
        "é.ü",
    ]
    for text in [*wrong, f"{prefix}.{other.split('.')[1]}", f"{prefix} .{secret}"]:
        answer = ask(client, text)
        assert answer.status_code == 401, text
        error = answer.json()["error"]
        assert set(error) == {"code", "message", "hint", "fields"}
        assert secret not in answer.content.decode()


@pytest.mark.parametrize("state", ["revoked", "expired", "stopped"])
def test_a_token_ends(client: Client, admin: User, state: str) -> None:
    text = token_of(admin)
    token = ApiToken.objects.get()
    if state == "revoked":
        services.revoke_token(actor=admin, instance=token)
    elif state == "expired":
        ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        User.objects.update(is_active=False)
    assert ask(client, text).status_code == 401
    token.refresh_from_db()
    assert token.last_used_at is None


def test_a_wrong_token_does_not_fall_back_to_the_session(
    client_of, admin: User
) -> None:
    assert ask(client_of(admin), "wrong.token").status_code == 401


def test_the_last_use_is_written_once_a_minute(client: Client, admin: User) -> None:
    text = token_of(admin)
    ask(client, text)
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    ask(client, text)
    assert ApiToken.objects.get().last_used_at == first
    past = timezone.now() - timedelta(seconds=61)
    ApiToken.objects.update(last_used_at=past)
    ask(client, text)
    assert ApiToken.objects.get().last_used_at > past


def test_the_secret_is_in_no_table_log_or_trail(
    client_of, stranger: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = client_of(stranger)
    data = {"name": "backup", "days": "30", "can_write": "on"}
    answer = client.post(reverse("accounts:my_token_add"), data)
    text = answer.context["text"]
    assert text in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    token = ApiToken.objects.get()
    secret = text.split(".")[1]
    assert (token.prefix, token.user, token.can_write) == (
        text.split(".")[0],
        stranger,
        True,
    )
    assert timedelta(days=29) < token.expires_at - timezone.now() < timedelta(days=31)
    ask(Client(), text)
    assert secret not in str(list(ApiToken.objects.values()))
    trail = str(list(AuditEntry.objects.values()))
    assert secret not in trail
    assert token.secret_hash not in trail
    assert secret not in caplog.text
    assert secret not in client.get(reverse("accounts:my_tokens")).content.decode()


@pytest.mark.parametrize("days", ["0", "366", "-1", "many", ""])
def test_a_token_lives_from_a_day_to_a_year(
    client_of, stranger: User, days: str
) -> None:
    data = {"name": "backup", "days": days}
    assert (
        client_of(stranger).post(reverse("accounts:my_token_add"), data).status_code
        == 422
    )
    assert not ApiToken.objects.exists()


def test_people_see_and_revoke_their_own_tokens_only(client_of, stranger: User) -> None:
    token_of(stranger)
    mine = ApiToken.objects.get()
    other = make_user()
    services.create_token(actor=other, user=other, name="of somebody else")
    theirs = ApiToken.objects.exclude(pk=mine.pk).get()
    client = client_of(stranger)
    page = client.get(reverse("accounts:my_tokens")).content.decode()
    assert mine.prefix in page
    assert theirs.prefix not in page
    foreign = reverse("accounts:my_token_revoke", args=[theirs.pk])
    assert client.post(foreign).status_code == 404
    own = reverse("accounts:my_token_revoke", args=[mine.pk])
    assert client.get(own).status_code == 405
    for _twice in range(2):
        assert client.post(own).status_code == 302
    states = [ApiToken.objects.get(pk=t.pk).state for t in (mine, theirs)]
    assert states == ["revoked", "usable"]
    assert AuditEntry.objects.filter(verb="apitoken.revoke").count() == 1


def test_administrators_list_and_revoke_everybodys_tokens(
    client_of, admin: User, auditor: User
) -> None:
    bob = make_user("bob")
    services.create_token(actor=bob, user=bob, name="robot")
    token = ApiToken.objects.get()
    for name in ("list", "detail", "history"):
        args = [] if name == "list" else [token.pk]
        page = client_of(auditor).get(reverse(f"accounts:apitoken_{name}", args=args))
        assert page.status_code == 200
        assert token.secret_hash not in page.content.decode()
    revoke = reverse("accounts:apitoken_revoke", args=[token.pk])
    assert client_of(auditor).post(revoke).status_code == 403
    assert client_of(admin).post(revoke).status_code == 302
    token.refresh_from_db()
    assert token.state == "revoked"
    for state, number in [("revoked", 1), ("usable", 0), ("expired", 0)]:
        page = client_of(admin).get(reverse("accounts:apitoken_list"), {"state": state})
        assert page.context["total"] == number


def test_the_api_reads_tokens_and_revokes_by_delete(client_of, admin: User) -> None:
    token_of(admin)
    token = ApiToken.objects.get()
    client, path = client_of(admin), "/api/v1/api-tokens/"
    row = client.get(path).json()["results"][0]
    assert row["prefix"] == token.prefix
    assert not {"secret_hash", "secret"} & set(row)
    assert client.post(path, {}, content_type="application/json").status_code == 405
    assert (
        client.patch(
            f"{path}{token.pk}/", {}, content_type="application/json"
        ).status_code
        == 405
    )
    assert client.delete(f"{path}{token.pk}/").status_code == 204
    assert client.get(f"{path}{token.pk}/").json()["state"] == "revoked"


def test_the_command_prints_the_token_alone_on_its_last_line(
    client: Client, admin: User, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("create_token", "admin", "--name", "ci", "--days", "7", "--write")
    text = capsys.readouterr().out.splitlines()[-1]
    assert ask(client, text).status_code == 200
    token = ApiToken.objects.get()
    assert (token.name, token.can_write) == ("ci", True)
    assert AuditEntry.objects.get().actor_kind == "system"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nobody"], "There is no user 'nobody'."),
        (["gone"], "may not sign in"),
        (["ann", "--days", "0"], "--days must be from 1 to 365."),
    ],
)
def test_the_command_says_in_one_sentence_what_is_wrong(
    arguments: list[str], sentence: str
) -> None:
    make_user("gone", is_active=False)
    make_user("ann")
    with pytest.raises(CommandError, match=sentence) as caught:
        call_command("create_token", *arguments)
    assert caught.value.returncode == 1
    assert not ApiToken.objects.exists()
