"""Who may call a web-hook: the right signature, in time, once; everybody else learns nothing."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import User
from adminset.models import AuditEntry
from tasks.hooks.clearing import REMEMBERED, clear
from tasks.models import InHook, InHookDelivery, InHookSeen, Run
from tests.tasks.hooks.hook_things import SECRET, call, make_hook, signature

pytestmark = pytest.mark.django_db
RELEASE = {"release": {"tag_name": "v1.4"}}
BODY = json.dumps(RELEASE).encode()


def verdicts() -> list[str]:
    return list(InHookDelivery.objects.order_by("pk").values_list("verdict", flat=True))


@pytest.mark.parametrize("kind", InHook.Kind.values)
def test_a_signed_message_starts_a_run_as_the_one_who_saved_the_hook(
    hook: InHook,
    admin: User,
    sent: list[int],
    kind: str,
    django_capture_on_commit_callbacks: Any,
) -> None:
    InHook.objects.update(kind=kind)
    hook.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        answer = call(hook, RELEASE, event="release", delivery="d-1")
    run = Run.objects.get()
    assert (answer.status_code, answer.json()["run"]) == (202, run.pk)
    assert answer.json()["url"].endswith(run.get_absolute_url())
    assert (run.command, run.requested_by) == ("echo v1.4", admin)
    assert sent == [run.pk]
    delivery = InHookDelivery.objects.get()
    assert (delivery.verdict, delivery.run, delivery.event) == (
        "started",
        run,
        "release",
    )
    assert '"v1.4"' in delivery.excerpt
    line = AuditEntry.objects.get(verb="inhook.start")
    assert (line.actor, line.actor_name) == (None, "web-hook in")


def wrong_headers() -> dict[str, dict[str, str]]:
    good, other = signature(BODY), signature(BODY, secret="another secret of it")
    late = time.time() - 3600
    name = "X-AdminSet-Signature"
    return {
        "none": {},
        "empty": {name: ""},
        "another secret": {name: other},
        "another body": {name: signature(b"{}")},
        "too old": {name: signature(BODY, late)},
        "a time that was not signed": {name: f"t={int(time.time())},v1={good}"},
        "of the future": {name: signature(BODY, time.time() + 3600)},
        "no hexadecimal": {name: "é" * 64},
        "half": {name: good[:32]},
        "very long": {name: good * 5000},
        "the secret itself": {name: SECRET, "X-Gitlab-Token": SECRET},
        "another header": {"X-Hub-Signature-256": f"sha256={good}"},
    }


@pytest.mark.parametrize("case", list(wrong_headers()))
def test_a_wrong_signature_is_the_same_as_no_web_hook(hook: InHook, case: str) -> None:
    refused = call(hook, BODY, headers=wrong_headers()[case])
    nobody = InHook(key="there-is-none", kind="generic")
    unknown = call(nobody, BODY)
    assert refused.status_code == unknown.status_code == 404
    assert refused.content == unknown.content
    assert not Run.objects.exists()
    assert not InHookDelivery.objects.exists()


def test_an_address_that_no_key_can_be_asks_no_database(
    hook: InHook, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        for key in ("%00", f"{hook.key}%00", "a b", "é"):
            answer = Client().post(f"/tasks/in/{key}/", b"{}", "application/json")
            assert answer.status_code == 404
    assert not InHookDelivery.objects.exists()


def test_a_hook_that_is_off_is_not_there(hook: InHook) -> None:
    InHook.objects.update(active=False)
    assert call(hook, RELEASE).status_code == 404


def test_a_ping_needs_the_signature_too(hook: InHook) -> None:
    assert call(hook, {}, event="ping").json()["verdict"] == "ping"
    assert call(hook, b"{}", headers={"X-AdminSet-Event": "ping"}).status_code == 404
    assert verdicts() == ["ping"]


def test_only_post_and_no_body_over_the_limit(hook: InHook, settings: Any) -> None:
    assert Client().get(f"/tasks/in/{hook.key}/").status_code == 405
    settings.HOOK_BODY_BYTES = 1024
    body = b" " * 1025
    for each in (hook, InHook(key="none", kind="generic")):
        assert call(each, body).status_code == 413
    assert not InHookDelivery.objects.exists()


def test_no_cookie_is_needed_and_none_is_looked_at(hook: InHook) -> None:
    strict = Client(enforce_csrf_checks=True)
    body = {"X-AdminSet-Signature": signature(BODY, time.time())}
    answer = strict.post(
        f"/tasks/in/{hook.key}/", BODY, content_type="application/json", headers=body
    )
    assert answer.status_code == 202


def test_the_same_message_is_treated_once(hook: InHook) -> None:
    name, at = "X-AdminSet-Signature", time.time()
    signed = {name: signature(BODY, at)}
    first = call(hook, BODY, headers=signed)
    again = call(hook, BODY, headers={**signed, "X-AdminSet-Delivery": "another"})
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json()["verdict"] == "repeated"
    assert again.json()["run"] == first.json()["run"]
    # The same delivery in another minute is known by its id, another time makes another message.
    later = {name: signature(BODY, at + 1), "X-AdminSet-Delivery": "d-2"}
    assert call(hook, BODY, headers=later).status_code == 202
    later = {name: signature(BODY, at + 2), "X-AdminSet-Delivery": "d-2"}
    assert call(hook, BODY, headers=later).json()["verdict"] == "repeated"
    assert Run.objects.count() == 2


@pytest.mark.parametrize("kind", ["github", "gitlab", "gitea"])
def test_a_message_without_a_signed_time_is_known_by_its_body(
    hook: InHook, kind: str
) -> None:
    InHook.objects.update(kind=kind)
    hook.refresh_from_db()
    assert call(hook, RELEASE, delivery="a").status_code == 202
    # Who caught it may change the id, which nobody signed.
    assert call(hook, RELEASE, delivery="b").json()["verdict"] == "repeated"
    InHookSeen.objects.update(at=timezone.now() - REMEMBERED * 1.01)
    assert call(hook, RELEASE, delivery="a").status_code == 202
    assert Run.objects.count() == 2


def test_a_message_that_was_refused_may_come_again(hook: InHook, admin: User) -> None:
    User.objects.filter(pk=admin.pk).update(is_active=False)
    headers = {"X-AdminSet-Signature": signature(BODY, time.time())}
    refused = call(hook, BODY, headers=headers)
    assert (refused.status_code, refused.json()["run"]) == (422, None)
    words = InHookDelivery.objects.get().words
    assert "Its owner admin cannot sign in any more." in words
    assert "admin" not in refused.content.decode()
    User.objects.filter(pk=admin.pk).update(is_active=True)
    assert call(hook, BODY, headers=headers).status_code == 202


def test_messages_of_a_minute_are_counted_and_wrong_ones_by_address(
    hook: InHook, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.HOOK_PER_MINUTE = 2
    statuses = [call(hook, {"n": n}).status_code for n in range(3)]
    assert statuses == [422, 422, 429]
    monkeypatch.setattr("tasks.hooks.door.MOST_MISSES", 2)
    cache.clear()
    wrong = [call(hook, BODY, headers={}) for _ in range(3)]
    assert [answer.status_code for answer in wrong] == [404, 404, 429]
    assert int(wrong[-1]["Retry-After"]) > 0


def test_secrets_of_a_message_are_not_kept(hook: InHook) -> None:
    body = {"token": "glpat-abcdefghijkl", "release": {"tag_name": "v1"}}
    call(hook, body)
    kept = InHookDelivery.objects.get()
    assert "glpat" not in kept.excerpt
    assert len(call(hook, {"x": "y" * 9000}).content) < 1000
    assert len(InHookDelivery.objects.latest("pk").excerpt) == 2000


def test_old_messages_are_cleared_away(hook: InHook, settings: Any) -> None:
    call(hook, RELEASE)
    assert clear() == 0
    InHookDelivery.objects.update(at=timezone.now() - timedelta(days=31))
    InHookSeen.objects.update(at=timezone.now() - REMEMBERED * 1.01)
    assert clear() == 2
    assert Run.objects.count() == 1


def test_a_secret_is_never_shown(hook: InHook, client_of: Any, admin: User) -> None:
    page = client_of(admin).get(f"{hook.get_absolute_url()}?tab=address")
    assert hook.key in page.content.decode()
    rest = client_of(admin).get(f"/api/v1/hooks-in/{hook.pk}/")
    edit = client_of(admin).get(f"/tasks/hooks-in/{hook.pk}/edit/")
    for answer in (page, rest, edit):
        assert answer.status_code == 200
        assert SECRET not in answer.content.decode()
    assert make_hook(admin).key != hook.key
