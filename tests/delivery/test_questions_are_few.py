"""Questions of pages are asked once and are few for each user, and requests for deploys leave workers to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone, translation

from accounts.models import User
from adminset import calling
from adminset.launch import programs
from delivery.asked import keeping
from delivery.asked.asking import ask
from delivery.models import Deploy, DeployRequest
from delivery.triggers import making, taking, wishing
from tests.delivery.safety.safety_things import Paper
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def called(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Keep the keys of questions for which a worker was called."""
    keys: list[str] = []

    def send(task: str, *args: Any, queue: str) -> bool:
        keys.append(args[0])
        return True

    monkeypatch.setattr(calling, "send", send)
    cache.clear()
    yield keys
    cache.clear()


def answered(question: keeping.Question) -> None:
    keeping.keep(replace(question, state=keeping.ANSWERED, answer=1))


def test_the_same_question_is_asked_once_while_it_is_open(
    admin: User, called: list[str]
) -> None:
    first = ask(admin, "plan", {"ref": "main"})
    assert ask(admin, "plan", {"ref": "main"}).key == first.key
    others = [
        ask(admin, "plan", {"ref": "other"}),
        ask(admin, "refs", {"ref": "main"}),
        ask(make_user("other"), "plan", {"ref": "main"}),
    ]
    with translation.override("zh-hans"):
        others.append(ask(admin, "plan", {"ref": "main"}))
    keys = [first.key, *(one.key for one in others)]
    assert called == keys
    assert len(set(keys)) == 5


def test_an_answer_is_used_again_only_while_it_is_young_enough(admin: User) -> None:
    first = ask(admin, "plan", {})
    answered(first)
    assert ask(admin, "plan", {}, young=30).key == first.key
    found = keeping.find(first.key)
    assert found is not None
    keeping.keep(replace(found, asked_at=found.asked_at - 31))
    assert ask(admin, "plan", {}, young=30).key != first.key
    second = ask(admin, "plan", {"ref": "main"})
    answered(second)
    assert ask(admin, "plan", {"ref": "main"}).key != second.key


def test_what_failed_is_asked_again(admin: User) -> None:
    first = ask(admin, "plan", {})
    keeping.keep(keeping.failed(first, "no", ""))
    assert ask(admin, "plan", {}, young=30).key != first.key


def test_a_user_has_few_open_questions_and_holds_up_nobody_else(
    admin: User, called: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MOST_OPEN", 3)
    first, *_others = [ask(admin, "plan", {"ref": str(n)}) for n in range(3)]
    refused = ask(admin, "plan", {"ref": "one more"})
    assert (refused.state, refused.code) == (keeping.FAILED, "too_many")
    assert len(called) == 3
    assert ask(make_user("other"), "plan", {}).is_open
    answered(first)
    answered(first)
    assert ask(admin, "plan", {"ref": "one more"}).is_open
    assert not ask(admin, "plan", {"ref": "and more"}).is_open


def waiting(paper: Paper, key: str, kind: str = Deploy.Kind.DEPLOY) -> DeployRequest:
    return wishing.wish(
        actor=paper.user,
        key=key,
        pipeline=paper.pipeline,
        environment=paper.environment,
        trigger=Deploy.Trigger.API,
        kind=kind,
    )


def test_requests_for_deploys_leave_workers_to_questions(paper: Paper) -> None:
    assert taking.AT_ONCE < programs.ANSWERS_AT_ONCE
    rows = [waiting(paper, str(number)) for number in range(taking.AT_ONCE + 1)]
    back = waiting(paper, "back", Deploy.Kind.ROLLBACK)
    assert [taking.take(row.pk) for row in rows] == [True] * taking.AT_ONCE + [False]
    assert taking.take(back.pk)
    assert not taking.take(rows[0].pk)
    rows[-1].refresh_from_db()
    assert (rows[-1].taken_at, rows[-1].tries) == (None, 0)
    # A worker that died holds its request for a while only.
    long_ago = timezone.now() - timedelta(days=1)
    DeployRequest.objects.filter(pk=rows[0].pk).update(taken_at=long_ago)
    assert taking.take(rows[-1].pk)


def test_who_is_done_with_a_request_calls_for_the_next(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(making, "call_for", lambda pk, kind: calls.append(pk))
    monkeypatch.setattr(making, "_plan_of", lambda actor, row: 1 / 0)
    monkeypatch.setattr(taking, "AT_ONCE", 1)
    rows = [waiting(paper, key) for key in "abc"]
    waiting(paper, "back", Deploy.Kind.ROLLBACK)
    taking.take(rows[0].pk)
    making.make(rows[1].pk)
    assert calls == []
    DeployRequest.objects.filter(pk=rows[0].pk).update(state="made")
    making.make(rows[1].pk)
    assert calls == [rows[2].pk]
