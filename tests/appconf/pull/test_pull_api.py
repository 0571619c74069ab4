"""Where programs fetch their configuration: whose token opens what, formats, ETags, and what the trail is told."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest
import yaml
from django.test import Client

from accounts.models import User
from adminset.models import AuditEntry
from appconf.models import Environment, PullToken
from appconf.pull.tokens import create_token, revoke_token
from tests.app_factories import make_environment, make_project
from tests.appconf.config_things import make_file, make_variable
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/config/shop/live/"
NASTY = {
    "LINES": "one\ntwo\n",
    "QUOTES": 'it\'s "quoted" \\ back\\\\slash',
    "SHELL": "$(touch /tmp/pwned) `id` ${HOME} $HOME !!",
    "DASH": "--help",
    "BLANK": "",
    "SPACES": "  a  b\t",
    "WORDS": "日本 ☃ é",
    "HASH": "a # b = c; d",
}


@pytest.fixture
def environment() -> Environment:
    made = make_environment(
        make_project("shop"), "live", hosts=[make_host("web1")], config_path="/etc/shop"
    )
    make_variable(made.project, "PORT", "80")
    make_variable(made, "KEY", secret="s3cret-word")
    return made


def _token(admin: User, environment: Environment, **fields: Any) -> dict[str, str]:
    _row, text = create_token(
        actor=admin, environment=environment, name="app", days=1, **fields
    )
    return {"Authorization": f"Bearer {text}"}


def test_variables_come_as_json_without_secrets_for_a_token_that_gets_none(
    admin: User, environment: Environment, client: Client
) -> None:
    answer = client.get(ADDRESS, headers=_token(admin, environment))
    assert answer.status_code == 200
    told = answer.json()
    assert told["PORT"] == "80"
    assert told["ADMINSET_ENVIRONMENT"] == "live"
    assert "KEY" not in told
    assert answer["X-AdminSet-Held-Back"] == "KEY"
    assert b"s3cret" not in answer.content


def test_secrets_come_where_the_token_says_so_and_the_trail_tells(
    admin: User, environment: Environment, client: Client
) -> None:
    headers = _token(admin, environment, with_secrets=True)
    answer = client.get(ADDRESS, headers=headers)
    assert answer.json()["KEY"] == "s3cret-word"
    client.get(ADDRESS, headers=headers)
    line = AuditEntry.objects.get(verb="pulltoken.pull")
    assert line.actor_kind == "visitor"
    assert "s3cret" not in json.dumps(line.changes)
    assert PullToken.objects.get().last_used_at is not None


def test_who_may_not_deploy_makes_no_token_for_secrets(
    environment: Environment, client_of: Any
) -> None:
    maker = make_user(
        "maker",
        perms=[
            "appconf.add_pulltoken",
            "appconf.view_pulltoken",
            "appconf.view_environment",
        ],
    )
    sent = {"name": "app", "environment": environment.pk, "days": 5}
    page = client_of(maker)
    made = page.post("/appconf/pull-tokens/add/", sent | {"with_secrets": "on"})
    assert made.status_code == 422
    assert not PullToken.objects.exists()
    made = page.post("/appconf/pull-tokens/add/", sent)
    assert made.status_code == 200
    token = PullToken.objects.get()
    assert f"{token.prefix}." in made.content.decode()
    assert token.token_hash not in made.content.decode()
    line = AuditEntry.objects.get(verb="pulltoken.create")
    assert token.token_hash not in json.dumps(line.changes)


@pytest.mark.parametrize("asked", ["env", "text/plain"])
def test_an_env_file_means_the_same_to_a_shell(
    admin: User, environment: Environment, client: Client, asked: str, tmp_path: Any
) -> None:
    for name, value in NASTY.items():
        make_variable(environment, name, value)
    headers = _token(admin, environment)
    if "/" in asked:
        answer = client.get(ADDRESS, headers={**headers, "Accept": asked})
    else:
        answer = client.get(f"{ADDRESS}?format={asked}", headers=headers)
    file = tmp_path / "app.env"
    file.write_bytes(answer.content)
    print_all = f"set -a; . {file}; env -0"
    told = subprocess.run(
        ["/bin/sh", "-c", print_all],
        capture_output=True,
        check=True,
        env={"PATH": os.environ["PATH"], "HOME": "/nowhere"},
    ).stdout.decode()
    found = dict(line.split("=", 1) for line in told.split("\0") if "=" in line)
    assert {name: found[name] for name in NASTY} == NASTY
    assert found["PORT"] == "80"
    assert b"PORT=80\n" in answer.content


def test_yaml_means_the_same(
    admin: User, environment: Environment, client: Client
) -> None:
    for name, value in {**NASTY, "YES": "yes", "NUMBER": "08", "NULL": "null"}.items():
        make_variable(environment, name, value)
    headers = {**_token(admin, environment), "Accept": "application/yaml"}
    answer = client.get(ADDRESS, headers=headers)
    told = yaml.safe_load(answer.content)
    assert all(told[name] == value for name, value in NASTY.items())
    assert (told["YES"], told["NUMBER"], told["NULL"]) == ("yes", "08", "null")


def test_what_the_asker_has_is_not_sent_again(
    admin: User, environment: Environment, client: Client
) -> None:
    headers = _token(admin, environment)
    first = client.get(ADDRESS, headers=headers)
    again = {**headers, "If-None-Match": first["ETag"]}
    same = client.get(ADDRESS, headers=again)
    assert (same.status_code, same.content) == (304, b"")
    assert same["ETag"] == first["ETag"]
    make_variable(environment, "PORT", "81")
    changed = client.get(ADDRESS, headers=again)
    assert (changed.status_code, changed.json()["PORT"]) == (200, "81")


def test_values_of_a_host_come_for_hosts_of_the_environment_only(
    admin: User, environment: Environment, client: Client
) -> None:
    host = environment.all_hosts().get()
    make_variable(host, "PORT", "99")
    other = make_host("elsewhere")
    make_variable(other, "PORT", "1")
    headers = _token(admin, environment)
    assert client.get(f"{ADDRESS}?host=web1", headers=headers).json()["PORT"] == "99"
    assert client.get(f"{ADDRESS}?host=elsewhere", headers=headers).status_code == 404
    assert client.get(f"{ADDRESS}?hots=web1", headers=headers).status_code == 422


def test_files_come_filled_in_and_those_with_secrets_only_to_whom_they_are_for(
    admin: User, environment: Environment, client: Client
) -> None:
    make_file(admin, environment.project, "port=${PORT}\n", "app.conf", mode="0600")
    make_file(admin, environment.project, "key=${KEY}\n", "/etc/shop/key.conf")
    make_file(admin, environment.project, "x=${GONE}\n", "/etc/broken.conf")
    waiting = make_file(
        admin, environment.project, "w=1\n", "/etc/waiting.conf", approval=True
    )
    assert waiting.versions.get().status == "waiting"
    headers = _token(admin, environment)
    listed = client.get(f"{ADDRESS}files/", headers=headers).json()["files"]
    paths = {row["path"]: row for row in listed}
    assert set(paths) == {
        "/etc/shop/app.conf",
        "/etc/shop/key.conf",
        "/etc/broken.conf",
    }
    assert paths["/etc/shop/app.conf"]["mode"] == "0600"
    text = client.get(f"{ADDRESS}files/?path=/etc/shop/app.conf", headers=headers)
    assert (text.content, text["X-Content-Type-Options"]) == (b"port=80\n", "nosniff")
    held = client.get(f"{ADDRESS}files/?path=/etc/shop/key.conf", headers=headers)
    assert (held.status_code, b"s3cret" in held.content) == (403, False)
    assert AuditEntry.objects.filter(verb="pulltoken.refused").count() == 1
    broken = client.get(f"{ADDRESS}files/?path=/etc/broken.conf", headers=headers)
    assert broken.status_code == 409
    assert "GONE" in broken.json()["error"]["message"]
    wanted = f"{ADDRESS}files/?path=/etc/waiting.conf"
    assert client.get(wanted, headers=headers).status_code == 404
    full = _token(admin, environment, with_secrets=True)
    text = client.get(f"{ADDRESS}files/?path=/etc/shop/key.conf", headers=full)
    assert text.content == b"key=s3cret-word\n"


def test_a_token_opens_its_own_environment_and_nothing_else(
    admin: User, environment: Environment, client: Client
) -> None:
    make_environment(environment.project, "test")
    headers = _token(admin, environment)
    for address in ("/api/v1/config/shop/test/", "/api/v1/config/other/live/"):
        assert client.get(address, headers=headers).status_code == 403
    refused = AuditEntry.objects.get(verb="pulltoken.refused")
    assert "another project or environment" in refused.reason
    for address in ("/api/v1/hosts/", "/api/v1/variables/", "/api/v1/projects/"):
        assert client.get(address, headers=headers).status_code == 401


def test_no_session_and_no_other_token_opens_it(
    admin: User, environment: Environment, client_of: Any
) -> None:
    assert client_of(admin).get(ADDRESS).status_code == 401
    assert Client().get(ADDRESS).status_code == 401
    for text in ("Bearer x", "Bearer .", "Bearer a.b", "Basic eDp5", "Bearer " + "é"):
        answer = Client().get(ADDRESS, headers={"Authorization": text})
        assert answer.status_code == 401


def test_a_revoked_or_expired_token_or_one_from_elsewhere_opens_nothing(
    admin: User, environment: Environment, client: Client
) -> None:
    gone = _token(admin, environment)
    revoke_token(actor=admin, token=PullToken.objects.get())
    old = _token(admin, environment)
    newest = PullToken.objects.order_by("-pk")[0]
    PullToken.objects.filter(pk=newest.pk).update(expires_at="2020-01-01T00:00:00Z")
    away = _token(admin, environment, networks=["192.0.2.0/24"])
    for headers in (gone, old, away):
        assert client.get(ADDRESS, headers=headers).status_code == 401
    refused = AuditEntry.objects.get(verb="pulltoken.refused")
    assert "network" in refused.reason
    assert AuditEntry.objects.filter(verb="pulltoken.revoke").count() == 1


def test_who_guesses_is_slowed_down(
    environment: Environment, client: Client, settings: Any
) -> None:
    settings.TOKEN_FAILURES = 3
    guess = {"Authorization": "Bearer abc.def"}
    found = [client.get(ADDRESS, headers=guess).status_code for _n in range(5)]
    assert found == [401, 401, 401, 429, 429]
