"""Values that no page would send: each is refused in words, none is stored as something else, none is a 500."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from adminset import crypto, env
from adminset.errors import DomainError
from adminset.models import AuditEntry
from cmdb.models import AssetStatus, Credential
from tests.factories import make_host

Signed = Callable[[User], Client]
JSON = "application/json"
TOO_LARGE_FOR_ANY_KEY = 10**25


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hostname", {"a": 1}),
        ("hostname", ["x"]),
        ("hostname", True),
        ("hostname", "a\x00b"),
        ("groups", {"a": 1}),
        ("groups", [[1]]),
        ("idc", True),
        ("idc", TOO_LARGE_FOR_ANY_KEY),
        ("cpu_threads", TOO_LARGE_FOR_ANY_KEY),
        ("cpu_threads", [1]),
        ("purchased_on", 5),
    ],
)
def test_a_value_of_the_wrong_kind_is_an_error_of_its_field(
    client_of: Signed, admin: User, field: str, value: Any
) -> None:
    host = make_host("kept")
    answer = client_of(admin).patch(
        f"/api/v1/hosts/{host.pk}/", {field: value}, content_type=JSON
    )
    assert answer.status_code == 422
    assert list(answer.json()["error"]["fields"]) == [field]
    host.refresh_from_db()
    assert host.hostname == "kept"
    assert not AuditEntry.objects.filter(verb="host.update").exists()


@pytest.mark.django_db
def test_numbers_may_stand_where_a_page_sends_digits(
    client_of: Signed, admin: User
) -> None:
    host = make_host("kept")
    answer = client_of(admin).patch(
        f"/api/v1/hosts/{host.pk}/", {"cpu_threads": 8, "owner": 7}, content_type=JSON
    )
    assert answer.status_code == 200, answer.json()
    host.refresh_from_db()
    assert (host.cpu_threads, host.owner) == (8, "7")


@pytest.mark.django_db
def test_keys_that_no_database_can_hold_are_a_bad_request(
    client_of: Signed, admin: User
) -> None:
    host = make_host("kept")
    client = client_of(admin)
    in_list = client.get("/cmdb/hosts/", {"groups": TOO_LARGE_FOR_ANY_KEY})
    in_body = client.patch(
        f"/api/v1/hosts/{host.pk}/",
        {"groups": [TOO_LARGE_FOR_ANY_KEY], "owner": "x"},
        content_type=JSON,
    )
    assert (in_list.status_code, in_body.status_code) == (400, 400)
    assert in_body.json()["error"]["code"] == "bad_request"
    host.refresh_from_db()
    assert host.owner == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("word", "wanted"),
    [("no", False), ("0", False), ("False", False), ("", False), ("yes", True)],
)
def test_a_file_says_yes_and_no_in_words(
    client_of: Signed, admin: User, word: str, wanted: bool
) -> None:
    file = SimpleUploadedFile("a.csv", f"name,state,monitored\nn,ok,{word}\n".encode())
    client = client_of(admin)
    answer = client.post("/cmdb/asset-statuses/import/", {"file": file})
    client.post(answer["Location"], {"do": "apply"})
    assert AssetStatus.objects.get(name="n").monitored is wanted


@pytest.mark.django_db
@pytest.mark.parametrize("value", ["perhaps", [0], {"a": 1}, 2])
def test_what_is_neither_yes_nor_no_is_refused(
    client_of: Signed, admin: User, value: Any
) -> None:
    body = {"name": "n", "state": "ok", "monitored": value}
    answer = client_of(admin).post("/api/v1/asset-statuses/", body, content_type=JSON)
    assert answer.status_code == 422
    assert list(answer.json()["error"]["fields"]) == ["monitored"]
    assert not AssetStatus.objects.filter(name="n").exists()


@pytest.mark.django_db
def test_a_secret_is_forgotten_when_asked_and_forgetting_twice_does_no_harm(
    client_of: Signed, admin: User
) -> None:
    made = Credential.objects.create(name="c", username="root", password="first-1")
    client, path = client_of(admin), f"/api/v1/credentials/{made.pk}/"
    for _time in range(2):
        answer = client.patch(path, {"clear_password": True}, content_type=JSON)
        assert answer.status_code == 200, answer.json()
        made.refresh_from_db()
        assert made.password is None


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-3] + "!!", lambda t: t[:14], str.lower]
)
def test_a_damaged_secret_is_refused_in_words(spoil: Callable[[str], str]) -> None:
    sealed = crypto.encrypt("marker-1", "x")
    head, body = sealed.rsplit(":", 1)
    with pytest.raises(DomainError) as caught:
        crypto.decrypt(f"{head}:{spoil(body)}", "x")
    assert caught.value.code == "broken_secret"
    assert body not in caught.value.message


def test_a_secret_file_that_is_no_text_is_named_without_its_content(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_bytes(b"\xff\xfe")
    monkeypatch.setenv("SOME_KEY_FILE", str(file))
    with pytest.raises(ImproperlyConfigured, match=r"SOME_KEY_FILE.*UTF-8"):
        env.text("SOME_KEY")
