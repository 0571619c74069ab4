"""Every operation of the REST API, asked what its schema allows and what it does not: declared answers only, and never a 500."""

import functools
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import transaction
from django.test import Client
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from schemathesis.core.failures import FailureGroup

from accounts.models import ApiToken, User
from adminset.crud.resource import Resource, all_resources
from adminset.crypto import digest
from adminset.models import AuditEntry
from cmdb.models import Agent
from tests.contract.operations import HOSTILE, LONG, fuzz, operations, schema_of
from tests.matrix import Stage, set_stage

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.timeout(7200 if LONG else 240),
]
PARTS = 2
SECRET = "s3cr3t-of-the-token"
DECLARED = {400, 404, 422}


@functools.cache
def document() -> dict[str, Any]:
    """Give the schema as `/api/v1/schema/` does."""
    return SchemaGenerator().get_schema(request=None, public=True)


@dataclass
class Caller:
    """An administrator's token, and an object of each kind."""

    bearer: str
    keys: dict[str, int]

    def send(self, case: Any) -> Any:
        """Send a case of schemathesis, and take back what it did."""
        with transaction.atomic():
            answer = case.call(headers={"Authorization": self.bearer})
            transaction.set_rollback(True)
        return answer

    def ask(
        self,
        method: str,
        address: str,
        body: str = "",
        query: dict[str, str] | None = None,
    ) -> Any:
        """Send JSON as it stands, and take back what it did."""
        client = Client(raise_request_exception=False)
        with transaction.atomic():
            answer = client.generic(
                method,
                address,
                body.encode("utf-8", "surrogatepass"),
                content_type="application/json",
                query_params=query,
                HTTP_AUTHORIZATION=self.bearer,
            )
            transaction.set_rollback(True)
        return answer


@pytest.fixture
def stage(settings: Any) -> Stage:
    """One of everything; who guesses tokens is never held up."""
    settings.TOKEN_FAILURES = 10**6
    settings.ALLOWED_HOSTS = ["*"]
    # A made-up wish to wait half a minute is not granted.
    settings.RUN_API_WAITERS = 0
    return set_stage(lambda _user: Client())


@pytest.fixture
def caller(stage: Stage) -> Caller:
    """The administrator."""
    bearer = _token(stage.people["administrator"])
    kinds = {r.path: r.model_name for r in all_resources()}
    keys = {p: stage.inside[k] for p, k in kinds.items() if k in stage.inside}
    return Caller(bearer, keys)


def _token(user: User) -> str:
    made = ApiToken.objects.create(
        user=user,
        name="fuzz",
        prefix="fuzzfuzzfuzz",
        secret_hash=digest(SECRET),
        can_write=True,
        expires_at=timezone.now() + timedelta(days=1),
    )
    return f"Bearer {made.prefix}.{SECRET}"


def _schema() -> Any:
    schema = schema_of(document())
    schema.app = get_wsgi_application()
    return schema


@pytest.mark.parametrize("part", range(PARTS))
def test_every_operation_answers_as_it_declares(caller: Caller, part: int) -> None:
    wrong, asked = [], 0
    for operation in list(operations(_schema()))[part::PARTS]:
        key = caller.keys.get(operation.path.split("/")[3])
        given = {"path_parameters": {"id": str(key)}}
        fixed = given if key and "{id}" in operation.path else {}
        # The same verbs of many kinds of object: in the short form each kind of value goes to half of them.
        for negative in (False, True) if LONG else [asked % 2 == 1]:
            try:
                fuzz(operation, caller.send, negative=negative, **fixed)
            except FailureGroup as failure:
                told = "; ".join(str(each) for each in failure.exceptions)
                wrong.append(f"{operation.method} {operation.path}: {told}")
        asked += 1
    assert wrong == []
    assert asked > 150


@pytest.mark.parametrize("who", ["nobody", "an agent", "half a token"])
def test_who_has_no_token_of_the_api_is_told_so_everywhere(
    stage: Stage, who: str
) -> None:
    agent = Agent.objects.get(pk=stage.inside["agent"])
    bearer = {
        "nobody": {},
        "an agent": {"HTTP_AUTHORIZATION": f"Bearer {agent.public_id}.x"},
        "half a token": {"HTTP_AUTHORIZATION": "Bearer \xff\x00."},
    }[who]
    client, lines = Client(raise_request_exception=False), AuditEntry.objects.count()
    answers = {}
    for path, item in document()["paths"].items():
        address = re.sub(r"\{\w+\}", "1", path.replace("{path}", "hosts"))
        for method in {"get", "post", "put", "patch", "delete"} & item.keys():
            told = client.generic(method.upper(), address, b"{}", **bearer)
            answers[f"{method} {path}"] = told.status_code
    assert {k: v for k, v in answers.items() if v != 401} == {}
    assert AuditEntry.objects.filter(verb__endswith="create").count() <= lines


def _changeable() -> list[Resource]:
    return [r for r in all_resources() if "change" in r.verbs]


def test_a_hostile_value_in_any_field_is_answered_in_words(caller: Caller) -> None:
    words, wrong, asked = list(HOSTILE), {}, 0
    for resource in _changeable():
        address = f"/api/v1/{resource.path}/{caller.keys[resource.path]}/"
        for field in resource.form.base_fields:
            some = words if LONG else [words[asked * 7 % len(words)]]
            for word in some:
                body = f'{{"{field}": {HOSTILE[word]}}}'
                answer = caller.ask("PATCH", address, body)
                asked += 1
                if answer.status_code not in {200, 403, 409} | DECLARED:
                    wrong[f"{address} {field}, {word}"] = answer.status_code
                elif answer.status_code >= 400:
                    assert answer.json()["error"]["message"], f"{address} {field}"
    assert wrong == {}
    assert asked > 400


def _as_text(word: str) -> str:
    """Give a hostile value as an address can hold it: half a character has no place there."""
    if word == "half a character" or not HOSTILE[word].startswith('"'):
        return HOSTILE[word][:5000]
    return str(json.loads(HOSTILE[word]))[:5000]


def test_a_hostile_value_in_any_filter_is_answered_in_words(caller: Caller) -> None:
    words, wrong, asked = list(HOSTILE), {}, 0
    for resource in all_resources():
        filters = resource.filterset.base_filters if resource.filterset else {}
        for name in ["page", "page_size", "q", "ordering", "nothing", *filters]:
            some = words if LONG else [words[asked % len(words)]]
            for word in some:
                answer = caller.ask(
                    "GET", f"/api/v1/{resource.path}/", query={name: _as_text(word)}
                )
                asked += 1
                if answer.status_code not in {200} | DECLARED:
                    wrong[f"{resource.path} {name}, {word}"] = answer.status_code
    assert wrong == {}
    assert asked > 300


@pytest.mark.parametrize("key", ["0", "9" * 30, "-1", "1.5", "%00", "²", "1%0a", "x"])
def test_a_key_that_is_none_is_not_found_or_a_bad_request(
    caller: Caller, key: str
) -> None:
    found = {
        (method, resource.path): caller.ask(
            method, f"/api/v1/{resource.path}/{key}/", "{}"
        ).status_code
        for resource in (all_resources() if LONG else all_resources()[::4])
        for method in ("GET", "PATCH", "DELETE")
    }
    assert {k: v for k, v in found.items() if v not in {400, 404, 405}} == {}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("[" * 5000, 400),
        ('{"a":' * 5000, 400),
        ("[]", 422),
        ("1e400", 422),
        ('"text"', 422),
        ('{"hostname": "\ud800"}', 400),
        ("{", 400),
        ("", 422),
        (json.dumps({f"k{n}": n for n in range(20_000)}), 422),
    ],
)
def test_a_body_that_is_no_object_is_refused_in_words(
    caller: Caller, body: str, status: int
) -> None:
    answer = caller.ask("POST", "/api/v1/hosts/", body)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]
