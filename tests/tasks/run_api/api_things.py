"""Speaking with the REST of runs by a token, and a way to do at once what workers would."""

from __future__ import annotations

from typing import Any

from django.test import Client

from accounts.models import User
from accounts.services import tokens
from adminset.audit import SystemActor

RUNS = "/api/v1/runs/"
# A task module with a secret question.
SECRETIVE = """\
name: secretive
title: Keeps a secret
fields: [{name: word, default: x}, {name: pw, type: secret, required: false}]
script: |
  echo "$ADMINSET_WORD"
"""


def token_of(user: User, *, can_write: bool = True, **limits: Any) -> str:
    """Make a token of a user."""
    _row, text = tokens.create_token(
        actor=SystemActor("test"), user=user, name="t", can_write=can_write, **limits
    )
    return text


class Api:
    """Speaks by a token of a user."""

    def __init__(self, user: User, **limits: Any) -> None:
        bearer = f"Bearer {token_of(user, **limits)}"
        self.client = Client(headers={"Authorization": bearer})

    def get(self, path: str, **query: Any) -> Any:
        """Ask; `path` below the runs."""
        return self.client.get(RUNS + path, query)

    def post(self, path: str = "", body: Any = None, **headers: str) -> Any:
        """Send."""
        kind = "application/json"
        return self.client.post(
            RUNS + path, body or {}, content_type=kind, headers=headers
        )


def error_of(answer: Any, status: int = 422) -> dict[str, Any]:
    """Give the error of a refused request."""
    assert answer.status_code == status, answer.content
    return dict(answer.json()["error"])
