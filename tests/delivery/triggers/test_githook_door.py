"""Which messages of git hosts come in: the right signature in each host's way, once, for pushes that the rules want."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from adminset.models import AuditEntry
from delivery.githooks.pushes import push_of
from delivery.models import Deploy, DeployRequest, GitHook, GitHookDelivery, GitHookSeen
from delivery.triggers.making import make
from tests.delivery.safety.safety_things import Paper
from tests.delivery.triggers.trigger_things import (
    COMMIT,
    SECRET,
    call,
    gitee_signature,
    headers_of,
    make_githook,
    push,
)

pytestmark = pytest.mark.django_db
WAYS = ["github", "gitlab", "gitea", "gogs", "gitee", "gitee signed"]
OTHER = "another secret than the one"


@pytest.fixture
def hook(paper: Paper) -> GitHook:
    """Brings main to the environment of the paper."""
    cache.clear()
    return make_githook(paper)


def told() -> list[str]:
    return list(
        GitHookDelivery.objects.order_by("pk").values_list("verdict", flat=True)
    )


@pytest.mark.parametrize("way", WAYS)
def test_a_push_that_is_signed_as_its_host_does_becomes_a_deploy(
    hook: GitHook,
    paper: Paper,
    way: str,
    wished: list[int],
    django_capture_on_commit_callbacks: Any,
) -> None:
    GitHook.objects.update(kind=way.split()[0])
    hook.refresh_from_db()
    body = json.dumps(push()).encode()
    with django_capture_on_commit_callbacks(execute=True):
        answer = call(hook, body, headers_of(way, body))
    row = DeployRequest.objects.get()
    assert (answer.status_code, answer.json()["request"]) == (202, row.pk)
    assert (row.ref_kind, row.ref, row.trigger, row.asked_by) == (
        "branch",
        "main",
        "hook",
        paper.user,
    )
    assert wished == [row.pk]
    assert GitHookDelivery.objects.get().commit == COMMIT
    line = AuditEntry.objects.get(verb="githook.start")
    assert (line.actor, line.actor_name) == (None, "git web-hook")
    make(row.pk)
    deploy = Deploy.objects.get()
    assert (deploy.commit, deploy.trigger, deploy.requested_by) == (
        COMMIT,
        "hook",
        paper.user,
    )


@pytest.mark.parametrize("way", WAYS)
def test_a_wrong_secret_is_the_same_as_no_web_hook(hook: GitHook, way: str) -> None:
    GitHook.objects.update(kind=way.split()[0])
    body = json.dumps(push()).encode()
    wrong = call(hook, body, headers_of(way, body, OTHER))
    nothing = call(hook, body, {})
    unknown = call(hook, body, headers_of(way, body), key="nobody-has-this-key")
    assert wrong.status_code == nothing.status_code == unknown.status_code == 404
    assert wrong.content == nothing.content == unknown.content
    assert not GitHookDelivery.objects.exists()
    assert not DeployRequest.objects.exists()


@pytest.mark.parametrize("way", ["github", "gitea", "gogs"])
def test_a_signature_of_another_body_is_none(hook: GitHook, way: str) -> None:
    GitHook.objects.update(kind=way)
    assert call(hook, push(), headers_of(way, b"{}")).status_code == 404


def test_the_way_of_one_host_does_not_open_the_hook_of_another(hook: GitHook) -> None:
    body = json.dumps(push()).encode()
    for way in WAYS[1:]:
        assert call(hook, body, headers_of(way, body)).status_code == 404
    assert told() == []


def test_a_signed_time_of_gitee_counts_once_and_not_for_long(hook: GitHook) -> None:
    GitHook.objects.update(kind="gitee")
    event = {"X-Gitee-Event": "Push Hook"}
    late = gitee_signature(time.time() - 3600) | event
    assert call(hook, push(), late).status_code == 404
    fresh = gitee_signature(time.time()) | event
    assert call(hook, push(), fresh).json()["verdict"] == "started"
    other = push(commit="d" * 40)
    assert call(hook, other, fresh).json()["verdict"] == "repeated"
    assert DeployRequest.objects.count() == 1


def test_nothing_is_read_before_the_signature(hook: GitHook, monkeypatch: Any) -> None:
    def fail(body: bytes) -> None:
        raise AssertionError("it was read")

    monkeypatch.setattr("delivery.githooks.receiving.read", fail)
    assert (
        call(
            hook, b"{" * 10000, {"X-Hub-Signature-256": "sha256=" + "0" * 64}
        ).status_code
        == 404
    )


def test_the_same_message_starts_nothing_twice(hook: GitHook) -> None:
    body = json.dumps(push()).encode()
    headers = headers_of("github", body)
    assert call(hook, body, headers).json()["verdict"] == "started"
    again = call(hook, body, headers)
    assert (again.status_code, again.json()["verdict"]) == (202, "repeated")
    assert DeployRequest.objects.count() == 1
    assert told() == ["started", "repeated"]
    assert GitHookSeen.objects.count() == 2


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (push("refs/heads/dev"), "none of what"),
        (push("refs/heads/main-old"), "none of what"),
        (push("refs/heads/release/9-rc"), "left out"),
        (push("refs/tags/x1"), "none of what"),
        (push(commit="0" * 40), "taken away"),
        (push(commits=[{"added": ["docs/a.md"]}]), "paths that count"),
        (push(commits=[{"modified": ["README"]}]), "paths that count"),
    ],
)
def test_a_push_that_the_rules_do_not_want_is_on_record_with_why(
    hook: GitHook, message: Any, why: str
) -> None:
    rules = {
        "branches": ["main", "release/*"],
        "not_branches": ["*-rc"],
        "tags": ["v*"],
    }
    GitHook.objects.update(paths=["src/", "docs/"], not_paths=["docs/"], **rules)
    answer = call(hook, message)
    assert (answer.status_code, answer.json()["verdict"]) == (202, "left")
    assert why in GitHookDelivery.objects.get().words
    assert not DeployRequest.objects.exists()


@pytest.mark.parametrize(
    ("message", "ref"),
    [
        (push("refs/heads/release/9"), ("branch", "release/9")),
        (push("refs/tags/v1.2", commits=[]), ("tag", "v1.2")),
        (push(commits=[{"added": ["docs/a.md", "src/b"]}]), ("branch", "main")),
        # What the message does not name in full counts.
        (
            push(commits=[{"added": ["docs/a.md"]}], total_commits_count=21),
            ("branch", "main"),
        ),
        (push(commits=[]), ("branch", "main")),
        (push(commits=[{"id": "x"}]), ("branch", "main")),
    ],
)
def test_a_push_that_the_rules_want_is_asked_for(
    hook: GitHook, message: Any, ref: Any
) -> None:
    rules = {
        "branches": ["main", "release/*"],
        "not_branches": ["*-rc"],
        "tags": ["v*"],
    }
    GitHook.objects.update(paths=["src/", "docs/"], not_paths=["docs/"], **rules)
    assert call(hook, message).json()["verdict"] == "started"
    row = DeployRequest.objects.get()
    assert (row.ref_kind, row.ref) == ref


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"null", b'{"ref": 5}', b'{"ref": "refs/heads/"}', b'{"ref": "refs/heads/-x"}',
     b'{"ref": "refs/heads/a\\u0000b"}', b'{"ref": "main"}', b"[" * 5000, b'{"ref": NaN}'],
)  # fmt: skip
def test_a_body_that_is_no_push_is_refused_in_words(hook: GitHook, body: bytes) -> None:
    answer = call(hook, body)
    assert (answer.status_code, answer.json()["verdict"]) == (422, "refused")
    assert GitHookDelivery.objects.get().words
    assert not DeployRequest.objects.exists()


def test_other_events_and_greetings_start_nothing(hook: GitHook) -> None:
    body = json.dumps(push()).encode()
    for event, verdict in (("ping", "ping"), ("issues", "left"), ("", "left")):
        headers = headers_of("github", body) | {"X-GitHub-Event": event}
        assert call(hook, body, headers).json()["verdict"] == verdict
    assert not DeployRequest.objects.exists()


def test_bodies_are_bounded_and_only_post_is_taken(
    hook: GitHook, settings: Any
) -> None:
    assert Client().get(f"/delivery/in/{hook.key}/").status_code == 405
    settings.HOOK_BODY_BYTES = 1024
    assert call(hook, b" " * 1025).status_code == 413
    assert told() == []


def test_too_many_messages_in_a_minute_are_sent_away(
    hook: GitHook, settings: Any
) -> None:
    settings.HOOK_PER_MINUTE = 2
    answers = [call(hook, push("refs/heads/dev")).status_code for _ in range(3)]
    assert answers == [202, 202, 429]


def test_a_commit_of_sha_256_is_one_too() -> None:
    assert push_of(push(commit="e" * 64)).commit == "e" * 64
    assert push_of({"ref": "refs/heads/main", "after": "; rm -rf /"}).commit == ""


def test_the_secret_stands_in_no_record(hook: GitHook) -> None:
    GitHook.objects.update(kind="gitlab")
    call(hook, push(password=SECRET), headers_of("gitlab", b""))
    kept = GitHookDelivery.objects.get()
    assert SECRET not in kept.words + kept.delivery
