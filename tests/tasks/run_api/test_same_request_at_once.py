"""The same request from several processes at the same moment starts one run: against a database in a file, as with several webs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import template
from tests.tasks.portal_things import Driver

KEYS = 8
# No Redis is needed: what is sent nowhere waits for the sweeper.
PREPARE = """
from accounts.services.tokens import create_token
from tests.factories import make_host, make_user
admin = make_user("admin", is_superuser=True)
make_host("web1")
_token, text = create_token(actor=admin, user=admin, name="ci", can_write=True)
print(text)
"""
ASK = """
from unittest.mock import patch
from django.test import Client
body = json.dumps({"command": "id", "hosts": ["web1"]})
headers = {"Authorization": f"Bearer {given['token']}", "Idempotency-Key": given["key"]}
with patch("tasks.tasks.send"):
    answer = Client(headers=headers).post("/api/v1/runs/", body, content_type="application/json")
print(json.dumps([answer.status_code, answer.json().get("id"), answer.headers.get("Idempotent-Replayed", "")]))
"""
COUNT = "from tasks.models import Run; print(Run.objects.count())"


@pytest.fixture
def webs(tmp_path: Path) -> Iterator[list[Driver]]:
    """Two processes of one portal."""
    own = {
        "ADMINSET_DATA_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
        "DJANGO_SETTINGS_MODULE": "adminset.settings",
        "ALLOWED_HOSTS": "testserver",
    }
    template.copy_to(tmp_path / "db.sqlite3")
    made = [Driver(os.environ | own) for _number in range(2)]
    yield made
    for one in made:
        one.stop()


def test_the_same_request_many_times_at_once_starts_one_run(webs: list[Driver]) -> None:
    webs[0].ask(PREPARE)
    token = webs[0].answer()
    for number in range(KEYS):
        for one in webs:
            one.ask(ASK, token=token, key=f"key {number}")
        told = [json.loads(one.answer()) for one in webs]
        first, again = sorted(told, reverse=True)
        assert (first[0], again[0]) == (201, 200), told
        assert first[1] == again[1]
        assert (first[2], again[2]) == ("", "true")
    webs[0].ask(COUNT)
    assert webs[0].answer() == str(KEYS)
