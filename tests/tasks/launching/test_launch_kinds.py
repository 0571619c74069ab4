"""Each kind of work through the page: what it asks, and what stands in the run."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from cmdb.models import Host
from tasks.models import Playbook, Role, Run, Script, StoredFile, Version, Work
from tasks.services.specs import opened
from tests.tasks.launch_things import make_module
from tests.tasks.launching.conftest import ADD, filled

pytestmark = pytest.mark.django_db
Launch = Callable[..., Run]
SUM = "0" * 64


def _version(**of: Any) -> Version:
    return Version.objects.create(number=1, sha256=SUM, author_name="ann", **of)


@pytest.mark.parametrize("kind", [*Work.Kind.values, "nonsense"])
def test_the_page_opens_for_each_kind(
    client_of: Any, admin: User, host: Host, kind: str
) -> None:
    page = client_of(admin).get(ADD, {"kind": kind, "host": [host.pk, "x"]})
    text = page.content.decode()
    assert page.status_code == 200
    assert f'<option value="{host.pk}" selected' in text
    known = kind if kind in Work.Kind.values else "command"
    assert f'name="kind" value="{known}" checked' in text
    assert f'data-kind-section="{known}">' in text


def test_a_command_with_all_that_keeps_it_in_hand(launch: Launch, host: Host) -> None:
    control = {
        "batches": "1 50%",
        "pause_after": "failure",
        "stop_percent": 30,
        "together": "refuse",
        "repeatable": "on",
        "connect_timeout_seconds": 7,
        "idle_timeout_seconds": 8,
        "batch_timeout_seconds": 9,
        "run_timeout_seconds": 10,
    }
    run = launch(filled(host, title="Look", **control))
    assert (run.kind, run.command, run.title) == ("command", "uptime", "Look")
    assert [row.host for row in run.hosts.all()] == [host]
    got = (run.batches, run.pause_after, run.stop_percent, run.together)
    assert got == ("1 50%", "failure", 30, "refuse")
    assert run.repeatable is True
    limits = (run.connect_timeout_seconds, run.idle_timeout_seconds)
    assert limits == (7, 8)
    assert (run.batch_timeout_seconds, run.run_timeout_seconds) == (9, 10)
    assert (run.timeout_seconds, run.forks) == (60, 5)


def test_a_script_that_is_written_on_the_spot(launch: Launch, host: Host) -> None:
    values = filled(host, kind="script", script_text="print(1)", language="python")
    run = launch(values | {"script_arguments": "--all 'a b'"})
    assert (run.kind, run.script_text, run.language) == ("script", "print(1)", "python")
    assert run.script_arguments == "--all 'a b'"
    assert run.command == ""


def test_a_script_of_the_library_is_frozen_in_its_newest_version(
    launch: Launch, host: Host
) -> None:
    script = Script.objects.create(name="clean", language="sh")
    version = _version(script=script, text="rm -f /tmp/x\n")
    run = launch(filled(host, kind="script", script=script.pk))
    assert (run.script, run.version, run.script_text) == (
        script,
        version,
        "rm -f /tmp/x\n",
    )


@pytest.mark.parametrize("kind", ["script", "playbook", "role", "task_module"])
def test_what_one_may_not_use_is_not_offered_and_refused(
    client_of: Any, operator: User, host: Host, kind: str
) -> None:
    made = {
        "script": lambda: Script.objects.create(name="not-for-all"),
        "playbook": lambda: Playbook.objects.create(name="not-for-all", content="x"),
        "role": lambda: Role.objects.create(name="not-for-all"),
        "task_module": make_module,
    }[kind]()
    client = client_of(operator)
    page = client.get(ADD, {"kind": kind, kind: made.pk})
    assert str(made) not in page.content.decode()
    values = filled(host, kind=kind, action="launch", seal="x") | {kind: made.pk}
    page = client.post(ADD, values)
    assert page.status_code == 422
    assert list(page.context["form"].errors) == [kind]
    assert not Run.objects.exists()


def test_a_module_with_options_and_variables(launch: Launch, host: Host) -> None:
    options = {
        "options-check": "1",
        "options-diff": "1",
        "options-tags": "a, b",
        "options-skip_tags": "slow",
        "options-verbosity": "2",
    }
    variables = {
        "variables-0-name": "version",
        "variables-0-value": "1.10",
        "variables-4-name": "token",
        "variables-4-value": "s3cret-value",
        "variables-4-secret": "1",
    }
    work = {"kind": "module", "module": "service", "arguments": "name=nginx"}
    run = launch(filled(host, **work, **options, **variables))
    assert (run.module, run.arguments) == ("service", "name=nginx")
    assert run.options == {
        "check": True,
        "diff": True,
        "tags": "a, b",
        "skip_tags": "slow",
        "verbosity": 2,
    }
    assert run.variables == {"version": "1.10"}
    assert opened(run) == {"token": "s3cret-value"}


def test_a_playbook_is_frozen_as_text(launch: Launch, host: Host) -> None:
    playbook = Playbook.objects.create(name="p", content="- hosts: all\n")
    _version(playbook=playbook, text="- hosts: all\n")
    run = launch(filled(host, kind="playbook", playbook=playbook.pk))
    assert (run.playbook, run.playbook_text) == (playbook, "- hosts: all\n")


def test_a_role_is_frozen_with_its_files(launch: Launch, host: Host) -> None:
    role = Role.objects.create(name="web")
    files = {"tasks/main.yml": "- ping:\n"}
    _version(role=role, files=files)
    run = launch(filled(host, kind="role", role=role.pk))
    assert run.role == role
    assert json.loads(run.playbook_text) == files


def test_files_go_with_place_owner_and_mode(
    launch: Launch, host: Host, settings: Any, tmp_path: Any
) -> None:
    settings.LIBRARY_DIR = tmp_path
    stored = StoredFile.objects.create(name="motd")
    version = _version(file=stored, size=3)
    row = {"file": stored.pk, "path": "/etc/motd", "owner": "root", "mode": "0644"}
    sent = {f"distribution-0-{key}": value for key, value in row.items()}
    run = launch(filled(host, kind="files", **sent, **{"distribution-0-backup": "1"}))
    [kept] = run.distribution
    assert kept["version"] == version.pk
    assert (kept["file"], kept["path"], kept["mode"]) == (
        stored.pk,
        "/etc/motd",
        "0644",
    )
    assert (kept["owner"], kept["group"], kept["backup"]) == ("root", "", True)


def test_a_task_module_with_its_questions(launch: Launch, host: Host) -> None:
    module = make_module({"name": "word"}, run="echo {word}")
    values = {"kind": "task_module", "task_module": module.pk, "answer-word": "a; b"}
    run = launch(filled(host, **values))
    assert run.task_module == module
    assert run.answers["word"] == "a; b"
    assert "'a; b'" in run.command


def test_what_belongs_to_other_kinds_is_forgotten_whatever_is_wrong_with_it(
    launch: Launch, host: Host
) -> None:
    other = {"module": "no name!", "playbook": "999", "variables-0-name": "a b"}
    run = launch(filled(host, **other, script_text="x"))
    assert (run.kind, run.module, run.script_text) == ("command", "", "")
    assert run.variables == {}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"command": " "}, "command"),
        ({"kind": "script"}, "script_text"),
        ({"kind": "module", "module": "a b"}, "module"),
        ({"kind": "playbook"}, "playbook"),
        ({"kind": "role", "role": "7"}, "role"),
        ({"kind": "files"}, "distribution"),
        (
            {"kind": "files", "distribution-0-file": "1", "distribution-0-path": "x"},
            "distribution",
        ),
        ({"kind": "task_module"}, "task_module"),
        ({"hosts": []}, "hosts"),
        ({"batches": "many"}, "batches"),
        ({"stop_percent": 101}, "stop_percent"),
        ({"kind": "module", "module": "ping", "options-tags": "-e x"}, "options"),
        (
            {"kind": "module", "module": "ping", "variables-0-name": "ansible_user"},
            "variables",
        ),
        (
            {
                "kind": "module",
                "module": "ping",
                "variables-0-name": "a",
                "variables-0-secret": "1",
            },
            "variables",
        ),
    ],
)
def test_what_cannot_be_comes_back_with_words_and_all_that_was_typed(
    client_of: Any, admin: User, host: Host, change: dict[str, Any], field: str
) -> None:
    values = filled(host, title="kept title") | change | {"action": "preview"}
    page = client_of(admin).post(ADD, values)
    assert page.status_code == 422
    assert list(page.context["form"].errors) == [field]
    assert "kept title" in page.content.decode()
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("kind", "field"), [("module", "variables"), ("files", "distribution")]
)
def test_rows_that_are_no_json_come_back_with_words(
    client_of: Any, admin: User, host: Host, kind: str, field: str
) -> None:
    sent = filled(host, kind=kind, module="ping", action="preview") | {field: "x{"}
    page = client_of(admin).post(ADD, sent)
    assert page.status_code == 422
    assert field in page.context["form"].errors
