"""Triggers for tests: made of a few words, git hosts that call as real ones do, and a source that answers at once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from django.test import Client

from accounts.models import User
from delivery.models import DeploySchedule, DeployTime, FollowUp, GitHook
from delivery.sources.face import Commit, Named, Page, Refs
from delivery.triggers.vouching import vouch
from tests.delivery.safety.safety_things import Paper

SECRET = "a secret of sixteen signs"
COMMIT = "c" * 40
NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_numbers = itertools.count(1)


class Source:
    """A source whose branches and tags all stand at one commit; names that begin with `no-` are not there."""

    commit = COMMIT

    def refs(self) -> Refs:
        return Refs([Named("main", self.commit)], [], "main")

    def commits(self, *, until: Any, since: str = "", page: int = 1) -> Page:
        if until.name.startswith("no-"):
            return Page([], False, 0)
        return Page([Commit(self.commit, "Ann", "", None, "a change")], bool(since), 1)


def make_githook(paper: Paper, **fields: Any) -> GitHook:
    """Make a web-hook of a git host, vouched for by the user of the paper."""
    fields.setdefault("name", f"hook {next(_numbers)}")
    fields.setdefault("run_as", paper.user)
    fields.setdefault("pipeline", paper.pipeline)
    fields.setdefault("environment", paper.environment)
    made = GitHook.objects.create(secret=SECRET, **fields)
    vouch(made)
    return made


def make_schedule(paper: Paper, **fields: Any) -> DeploySchedule:
    """Make a planned deploy, each hour unless said otherwise."""
    fields.setdefault("name", f"nightly {next(_numbers)}")
    fields.setdefault("run_as", paper.user)
    fields.setdefault("ref", "main")
    if not {"every_minutes", "once_at"} & set(fields):
        fields.setdefault("crontab", "0 * * * *")
    made = DeploySchedule(
        pipeline=paper.pipeline, environment=paper.environment, **fields
    )
    made.plan_next()
    made.save()
    vouch(made)
    return made


def due(paper: Paper, at: datetime = NINE, **fields: Any) -> Any:
    """Make an hourly schedule whose time has come."""
    made = make_schedule(paper, **fields)
    type(made).objects.filter(pk=made.pk).update(
        next_at=at, looked_at=at - timedelta(hours=1)
    )
    made.refresh_from_db()
    return made


def states() -> list[str]:
    """Give what became of the planned times, oldest first."""
    return list(
        DeployTime.objects.order_by("planned_at").values_list("state", flat=True)
    )


def make_follow_up(
    paper: Paper, environment: Any, owner: User | None = None, **fields: Any
) -> FollowUp:
    """Make a rule: after the paper's environment comes another one of the same project."""
    made = FollowUp.objects.create(
        after_pipeline=paper.pipeline,
        after_environment=fields.pop("after_environment", paper.environment),
        pipeline=fields.pop("pipeline", paper.pipeline),
        environment=environment,
        run_as=owner or paper.user,
        **fields,
    )
    vouch(made)
    return made


def push(
    ref: str = "refs/heads/main", commit: str = COMMIT, **more: Any
) -> dict[str, Any]:
    """Give what a git host says of a push."""
    changed = {"id": commit, "added": [], "modified": ["src/app.py"], "removed": []}
    return {"ref": ref, "after": commit, "commits": [changed]} | more


def _sign(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def gitee_signature(at: float, secret: str = SECRET) -> dict[str, str]:
    """Sign a time as Gitee does."""
    moment = str(int(at * 1000))
    text = f"{moment}\n{secret}".encode()
    token = base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest())
    return {"X-Gitee-Timestamp": moment, "X-Gitee-Token": quote(token.decode())}


def headers_of(
    kind: str, body: bytes, secret: str = SECRET, *, tag: bool = False
) -> dict[str, str]:
    """Give the headers that a git host of a kind sends with a push."""
    plain, words = _sign(body, secret), "Tag Push Hook" if tag else "Push Hook"
    number = str(next(_numbers))
    return {
        "github": {
            "X-Hub-Signature-256": f"sha256={plain}",
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": number,
        },
        "gitlab": {
            "X-Gitlab-Token": secret,
            "X-Gitlab-Event": words,
            "X-Gitlab-Event-UUID": number,
        },
        "gitea": {
            "X-Gitea-Signature": plain,
            "X-Gitea-Event": "push",
            "X-Gitea-Delivery": number,
        },
        "gogs": {
            "X-Gogs-Signature": plain,
            "X-Gogs-Event": "push",
            "X-Gogs-Delivery": number,
        },
        "gitee": {
            "X-Gitee-Token": secret,
            "X-Gitee-Timestamp": "1",
            "X-Gitee-Event": words,
        },
        "gitee signed": {
            **gitee_signature(time.time(), secret),
            "X-Gitee-Event": words,
        },
    }[kind]


def call(
    hook: GitHook, message: Any, headers: dict[str, str] | None = None, key: str = ""
) -> Any:
    """Send a message; `message` as bytes goes as it is."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    given = headers_of(hook.kind, body) if headers is None else headers
    return Client().post(
        f"/delivery/in/{key or hook.key}/",
        body,
        content_type="application/json",
        headers=given,
    )
