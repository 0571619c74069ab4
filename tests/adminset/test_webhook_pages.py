"""The pages of web-hooks: who may set them up, and what a test and a second try say."""

from typing import Any, ClassVar

import pytest
from django.db import models

from accounts.models import User
from adminset.models import AuditEntry, WebHook
from cmdb.models import HostGroup
from tests.adminset.test_webhooks import (  # noqa: F401 - fixtures
    SECRET,
    Make,
    _look_at_web_hooks,
    make,
    receiver,
)
from tests.crud import ResourceTests
from tests.factories import make_user

pytestmark = pytest.mark.django_db
HOOKS = "/system/web-hooks/"
VERBS = ("view", "add", "change", "delete")


def a_form(**values: Any) -> dict[str, Any]:
    """What a person types."""
    return {
        "name": "tickets",
        "url": "https://tickets.example/hook",
        "secret": SECRET,
        "kinds": ["cmdb.host"],
        "verbs": ["create", "delete"],
        "active": "on",
        **values,
    }


class TestWebHook(ResourceTests):
    model: ClassVar[type[models.Model]] = WebHook

    def make(self, number: int = 0, *, outside: bool = False) -> WebHook:
        return WebHook.objects.create(
            name=f"hook {number}",
            url="https://chat.example/",
            secret=SECRET,
            kinds=["adminset.webhook"],
            verbs=["update"],
        )

    def valid(self) -> dict[str, Any]:
        return a_form(kinds=["adminset.webhook"])


def test_it_is_saved_and_its_secret_is_shown_nowhere(
    client_of: Any, admin: User
) -> None:
    client = client_of(admin)
    assert client.post(f"{HOOKS}add/", a_form()).status_code == 302
    hook = WebHook.objects.get()
    assert (hook.kinds, hook.verbs) == (["cmdb.host"], ["create", "delete"])
    assert hook.secret.reveal() == SECRET
    for page in (f"{HOOKS}{hook.pk}/", f"{HOOKS}{hook.pk}/edit/"):
        assert SECRET not in client.get(page).content.decode()
    assert SECRET not in client.get(f"/api/v1/web-hooks/{hook.pk}/").content.decode()
    line = AuditEntry.objects.get(verb="webhook.create")
    assert SECRET not in str(line.changes)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://tickets.example/"},
        {"url": "https://"},
        {"url": "ftp://tickets.example/"},
        {"url": "javascript:alert(1)"},
        {"secret": ""},
        {"secret": "short"},
        {"kinds": []},
        {"kinds": ["cmdb.nothing"]},
        {"verbs": ["everything"]},
    ],
)
def test_what_makes_no_sense_is_refused(
    client_of: Any, admin: User, wrong: dict[str, Any]
) -> None:
    answer = client_of(admin).post(f"{HOOKS}add/", a_form(**wrong))
    assert answer.status_code in {200, 422}
    assert not WebHook.objects.exists()


def test_a_grant_for_some_objects_sets_up_nothing(
    client_of: Any, group: HostGroup
) -> None:
    user = make_user(
        perms=[*(f"adminset.{verb}_webhook" for verb in VERBS), "cmdb.view_host"],
        groups=[group],
    )
    answer = client_of(user).post(f"{HOOKS}add/", a_form())
    assert answer.status_code != 302
    assert not WebHook.objects.exists()


def test_nobody_passes_on_what_he_does_not_see(client_of: Any) -> None:
    user = make_user(perms=["adminset.view_webhook", "adminset.add_webhook"])
    page = client_of(user).post(f"{HOOKS}add/", a_form()).content.decode()
    assert "cannot pass them on" in page
    assert not WebHook.objects.exists()


def test_a_test_message_says_what_came_of_it(
    client_of: Any,
    admin: User,
    make: Make,  # noqa: F811
    receiver: Any,  # noqa: F811
) -> None:
    hook = make(active=False)
    client = client_of(admin)
    receiver.answers[:] = [200, 500]
    said = client.post(f"{HOOKS}{hook.pk}/test/", follow=True).content.decode()
    assert "The receiver took the message." in said
    assert "webhook.test" in said
    failed = client.post(f"{HOOKS}{hook.pk}/test/", follow=True).content.decode()
    assert "status 500" in failed
    assert AuditEntry.objects.filter(verb="webhook.test").count() == 2
    assert {d.state for d in hook.deliveries.all()} == {"sent", "failed"}


def test_a_message_is_sent_once_more(
    client_of: Any,
    admin: User,
    make: Make,  # noqa: F811
    receiver: Any,  # noqa: F811
) -> None:
    hook = make()
    row = hook.deliveries.create(event="host.update", body="{}", state="failed")
    address = f"{HOOKS}{hook.pk}/deliveries/{row.pk}/send/"
    assert client_of(admin).post(address).status_code == 302
    row.refresh_from_db()
    assert row.state == "sent"
    assert AuditEntry.objects.filter(verb="webhook.resend").count() == 1
    other = make(name="other")
    foreign = f"{HOOKS}{other.pk}/deliveries/{row.pk}/send/"
    assert client_of(admin).post(foreign).status_code == 404
    assert client_of(admin).get(address).status_code == 405


@pytest.mark.parametrize("path", ["test/", "deliveries/1/send/"])
def test_only_who_may_change_it_sends(
    client_of: Any,
    auditor: User,
    group: HostGroup,
    make: Make,  # noqa: F811
    receiver: Any,  # noqa: F811
    path: str,
) -> None:
    hook = make()
    perms = ["adminset.view_webhook", "adminset.change_webhook"]
    scoped = make_user(perms=perms, groups=[group])
    for user in (auditor, scoped):
        answer = client_of(user).post(f"{HOOKS}{hook.pk}/{path}")
        assert answer.status_code == 403
    assert receiver.got == []


def test_hostile_texts_of_a_receiver_stay_text(client_of: Any, admin: User) -> None:
    hook = WebHook.objects.create(name="x", url="https://x.example/", secret=SECRET)
    hook.deliveries.create(event="host.update", target="<script>1</script>", body="{}")
    page = client_of(admin).get(f"{HOOKS}{hook.pk}/?tab=deliveries").content.decode()
    assert "<script>1" not in page
    assert "&lt;script&gt;1" in page
