"""The REST of runs and of web-hooks answers made-up requests as its schema declares."""

from __future__ import annotations

import json
from typing import Any

import pytest
from schemathesis.core.failures import FailureGroup

from tasks.models import Playbook, Run
from tests.contract.operations import HOSTILE, fuzz, operations
from tests.contract.test_rest_schema import Caller, _schema, caller, stage
from tests.matrix import Stage
from tests.tasks.launch_things import make_template

__all__ = ["caller", "stage"]
pytestmark = [pytest.mark.django_db, pytest.mark.timeout(240)]
PLACES = ("/api/v1/runs/", "/api/v1/hooks-in/", "/api/v1/task-client/")
BESIDE = tuple(
    f"/{word}/"
    for word in (
        *("fetch", "run-now", "pause", "resume", "retry", "skip"),
        *("approve", "retire", "reinstate", "download"),
    )
)
CASES = 6


def test_all_operations_answer_as_declared(caller: Caller, sent: list[int]) -> None:
    wrong, asked = [], 0
    for operation in operations(_schema()):
        if not operation.path.startswith(PLACES) and not operation.path.endswith(
            BESIDE
        ):
            continue
        key = str(caller.keys.get(operation.path.split("/")[3], ""))
        fixed = {"path_parameters": {"id": key}} if "{id}" in operation.path else {}
        for negative in (False, True):
            try:
                fuzz(operation, caller.send, tries=CASES, negative=negative, **fixed)
            except FailureGroup as failure:
                told = "; ".join(str(each) for each in failure.exceptions)
                wrong.append(f"{operation.method} {operation.path}: {told}")
        asked += 1
    assert wrong == []
    assert asked >= 28


FIELDS = (
    *("template", "values", "title", "kind", "command", "script", "playbook", "role"),
    *("distribution", "task_module", "answers", "variables", "secret_answers"),
    *("options", "hosts", "groups", "host_filter", "host_list", "forks", "batches"),
    *("stop_percent", "repeatable", "timeout_seconds", "without_batches", "dry_run"),
)


@pytest.mark.parametrize("field", FIELDS)
def test_a_hostile_value_in_any_field_is_answered_in_words(
    caller: Caller, sent: list[int], field: str
) -> None:
    key = Run.objects.latest("pk").hosts.get().host_id
    wrong: dict[str, Any] = {}
    for word, value in HOSTILE.items():
        start = {"command": "id", "hosts": [key]}
        start.pop(field, None)
        body = f'{json.dumps(start)[:-1]}, "{field}": {value}}}'
        answer = caller.ask("POST", "/api/v1/runs/", body)
        if answer.status_code not in {200, 201, 400, 403, 404, 422}:
            wrong[word] = answer.status_code
        elif answer.status_code >= 400:
            assert answer.json()["error"]["message"]
    assert wrong == {}


def test_hostile_values_of_a_template_are_answered_in_words(
    caller: Caller, stage: Stage, sent: list[int]
) -> None:
    host = Run.objects.latest("pk").hosts.get().host
    asked = ["hosts", "groups", "host_filter", "variables", "options", "forks"]
    playbook = Playbook.objects.latest("pk")
    fields = {"kind": "playbook", "playbook": playbook, "command": "", "ask": asked}
    template = make_template(host, stage.people["administrator"], **fields)
    wrong = {}
    for field in (*asked, "title", "secret_answers"):
        for word, value in HOSTILE.items():
            body = f'{{"template": {template.pk}, "values": {{"{field}": {value}}}}}'
            answer = caller.ask("POST", "/api/v1/runs/", body)
            if answer.status_code not in {201, 400, 403, 422}:
                wrong[f"{field}, {word}"] = answer.status_code
    assert wrong == {}
