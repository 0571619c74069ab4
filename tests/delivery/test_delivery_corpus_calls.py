"""The corpus of hostile values through what programs and git hosts send: words are text, references are names, nothing begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from delivery.asked import answerers
from delivery.asked.answering import answer
from delivery.models import Deploy, DeployRequest
from delivery.triggers.making import make
from tests.delivery.corpus_things import (
    FINE,
    api,
    keys,
    proof,
    source,
    values,
    wished,
)
from tests.delivery.factories import make_live
from tests.delivery.safety.safety_things import Paper
from tests.delivery.triggers.trigger_things import call, make_githook, push

__all__ = ["api", "keys", "proof", "source", "wished"]
pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    "field",
    [
        "environment",
        "ref",
        "ref_kind",
        "plan_hash",
        "reason",
        "emergency_reason",
        "hosts",
    ],
)
def test_rest_of_deploys_takes_it_as_text_or_refuses_it(
    api: Client, paper: Paper, proof: Path, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Worker:
        def send_task(self, name: str, args: tuple[str], queue: str) -> None:
            answerers.join()
            answer(*args)

    monkeypatch.setattr("adminset.calling.current_app", Worker())
    path = f"/api/v1/pipelines/{paper.pipeline.pk}/"
    for why, value in values(proof).items():
        given = [value] if field == "hosts" else value
        body = {"environment": "live", "ref": "main", "plan_hash": "x", "reason": "r"}
        body |= {field: given}
        told = api.post(f"{path}deploy/", body, content_type="application/json")
        assert told.status_code in FINE | {202}, (why, told.content[:300])
        if field in ("environment", "ref", "hosts", "ref_kind"):
            plan = {
                name: body[name] for name in body if name not in ("plan_hash", "reason")
            }
            asked = api.post(f"{path}plan/", plan, content_type="application/json")
            assert asked.status_code in FINE | {202}, (why, asked.content[:300])
    for row in DeployRequest.objects.filter(state="waiting")[:12]:
        make(row.pk)
        row.refresh_from_db()
        assert row.state == "refused", row.words
        assert not row.ref.startswith("-")
    assert not Deploy.objects.exists()


def test_words_of_rollbacks_cancels_and_marks_are_text(
    api: Client, paper: Paper, keys: dict[str, int], proof: Path
) -> None:
    make_live(paper.environment, paper.hosts[1], "1-aaaaaaaa")
    for number, (why, value) in enumerate(values(proof).items()):
        asked = (
            (
                f"environments/{paper.environment.pk}/rollback/",
                {"reason": value, "artefact": value},
            ),
            (
                f"environments/{paper.environment.pk}/rollback/",
                {"reason": "r", "hosts": [value]},
            ),
            (f"deploys/{keys['deploy']}/cancel/", {"reason": value}),
            (f"artefacts/{keys['artefact']}/mark-bad/", {"reason": value}),
            (f"artefacts/{keys['artefact']}/unmark-bad/", {"reason": value}),
            (f"release-sets/{keys['releaseset']}/start/", {"reason": value}),
            (
                f"projects/{paper.pipeline.project_id}/uploads/{'0' * 32}/finish/",
                {"name": value, "sha256": value},
            ),
        )
        # Each value goes to some of them, each of them gets every fourth.
        for address, body in asked[number % 4 :: 4]:
            told = api.post(f"/api/v1/{address}", body, content_type="application/json")
            assert told.status_code in FINE, (why, address, told.content[:300])
        for address in (
            f"deploys/{keys['deploy']}/log/",
            f"deploys/{keys['deploy']}/status/",
        ):
            told = api.get(
                f"/api/v1/{address}",
                {"host": value, "known": value, "step": value, "offset": value},
            )
            assert told.status_code in FINE, (why, address, told.content[:300])


def test_messages_of_git_hosts_are_text(
    paper: Paper, proof: Path, settings: Any
) -> None:
    settings.HOOK_PER_MINUTE = 10_000
    hook = make_githook(paper, branches=["*"], tags=["*"])
    for number, (why, value) in enumerate(values(proof).items()):
        commit = {"id": value, "added": [value], "message": value}
        messages = (
            push(f"refs/heads/{value}"),
            push(value),
            push(commit=value),
            push(commits=[commit]),
        )
        for message in messages[number % 2 :: 2]:
            told = call(hook, message)
            assert told.status_code in (202, 422), (why, told.content)
    for row in DeployRequest.objects.all():
        assert row.ref_kind == "branch"
        assert not row.ref.startswith("-")
        assert row.ref.isprintable()
