"""The client runs, follows, waits and stops from anywhere, and says by its exit code how it went."""

from __future__ import annotations

import ast
import hashlib
import json
from typing import Any

import pytest

from accounts.models import User
from tasks import tasks
from tasks.models import Run
from tests.tasks.launch_things import make_template
from tests.tasks.module_things import make_module as made_of_text
from tests.tasks.run_api.api_things import SECRETIVE
from tests.tasks.run_api.client_things import SCRIPT, Cli, wrote
from tests.tasks.workflow_things import make_workflow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """How the hosts of a run end that is asked for: the portal does it as it is asked for."""
    statuses: dict[str, str] = {}

    def do(pk: int) -> None:
        run = Run.objects.get(pk=pk)
        for row in run.hosts.all():
            wrote(
                run, row.host_name, f"out of {row.host_name}\n\x1b[31mred\x1b]0;t\x07"
            )
            status = statuses.get(row.host_name, "ok")
            code = 0 if status == "ok" else 3
            run.hosts.filter(pk=row.pk).update(status=status, exit_code=code)
        whole = "failed" if set(statuses.values()) & {"failed"} else "ok"
        Run.objects.filter(pk=pk).update(status=whole, explanation="So it was.")

    monkeypatch.setattr(tasks, "send", do)
    return statuses


def test_it_needs_nothing_but_python_38_and_requests() -> None:
    tree = ast.parse(SCRIPT.read_text(), feature_version=(3, 8))
    names = {
        n.name
        for each in ast.walk(tree)
        if isinstance(each, ast.Import)
        for n in each.names
    }
    assert "requests" in names
    assert not {"django", "rest_framework"} & names


def test_a_command_runs_and_its_output_is_shown(cli: Cli, ends: dict[str, str]) -> None:
    done = cli("run", "command", "id", "--host", "web1", "--host", "web2")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "web1 | out of web1" in lines
    # What a terminal would obey is taken out.
    assert "web2 | red" in lines
    assert "web1 = ok" in lines
    assert lines[-1].startswith("run #")
    assert "\x1b" not in done.stdout


def test_exit_codes_say_how_it_went(cli: Cli, ends: dict[str, str]) -> None:
    ends["web2"] = "failed"
    failed = cli("run", "command", "id", "--host", "web1", "--host", "web2")
    assert failed.returncode == 1
    assert "web2 = failed (exit code 3)" in failed.stdout
    pk = str(Run.objects.get().pk)
    quiet = cli("wait", pk)
    assert (quiet.returncode, "out of" in quiet.stdout) == (1, False)
    assert "web1" not in quiet.stdout
    Run.objects.update(status="cancelled")
    assert cli("wait", pk).returncode == 3
    Run.objects.update(status="running")
    late = cli("wait", pk, "--timeout", "0.5")
    assert (late.returncode, "has not ended" in late.stderr) == (4, True)
    refused = cli("run", "command", "id", "--host", "nobody")
    assert (refused.returncode, "hosts:" in refused.stderr) == (2, True)
    assert cli("run", "nothing").returncode == 2
    assert cli("wait", "999999").returncode == 2
    cli.token.write_text("abc.def")
    assert cli("login-check").returncode == 2


def test_a_portal_that_is_away_is_said(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = cli.folder / "impatient.py"
    impatient.write_text(
        SCRIPT.read_text().replace(
            "PATIENCE_ASKING, PATIENCE_FOLLOWING = 60, 600",
            "PATIENCE_ASKING, PATIENCE_FOLLOWING = 1, 1",
        )
    )
    monkeypatch.setattr("tests.tasks.run_api.client_things.SCRIPT", impatient)
    away = cli("login-check", ADMINSET_URL="http://127.0.0.1:9")
    assert (away.returncode, "cannot be reached" in away.stderr) == (5, True)


def test_a_token_is_safe(cli: Cli) -> None:
    assert cli("login-check").returncode == 0
    given = cli.token.read_text()
    assert (
        cli("login-check", ADMINSET_TOKEN=given, ADMINSET_TOKEN_FILE="").returncode == 0
    )
    cli.token.chmod(0o640)
    loose = cli("login-check")
    assert (loose.returncode, "chmod 600" in loose.stderr) == (2, True)
    cli.token.chmod(0o600)
    plain = cli("login-check", ADMINSET_URL="http://portal.example")
    assert (plain.returncode, "http://" in plain.stderr) == (2, True)
    assert given not in plain.stderr + loose.stderr


def test_templates_modules_and_secrets(
    cli: Cli, ends: dict[str, str], root: User
) -> None:
    template = make_template(None, root, name="deploy", ask=["hosts", "forks"])
    done = cli("run", "template", "deploy", "--host", "web1", "--forks", "3", "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    first, *_rest, last = [json.loads(line) for line in done.stdout.splitlines()]
    assert (first["type"], last["type"], last["exit_code"]) == ("run", "end", 0)
    assert Run.objects.get().forks == 3
    assert template.name == "deploy"
    module = made_of_text(SECRETIVE)
    words = (
        "run",
        "module",
        module.name,
        "--host",
        "web1",
        "--var",
        "word=a b",
        "--detach",
    )
    secret = ("--secret", "pw")
    assert cli(*words).returncode == 0
    assert Run.objects.latest("pk").answers == {"word": "a b"}
    assert cli(*words, *secret).returncode == 2
    assert cli(*words, *secret, ADMINSET_SECRET_PW="hunter2hunter2").returncode == 0
    assert cli(*words, "--secrets-stdin", given="pw=hunter2hunter2\n").returncode == 0
    dry = cli("run", "command", "id", "--host", "web1", "--dry-run")
    assert (dry.returncode, dry.stdout.splitlines()[0]) == (0, "1 hosts")


def test_runs_hosts_and_outputs_are_listed(cli: Cli, ends: dict[str, str]) -> None:
    cli("run", "command", "id", "--host", "web1", "--detach")
    pk = str(Run.objects.get().pk)
    assert cli("hosts", "web").stdout.count("web") == 2
    assert cli("runs").stdout.startswith("ok")
    assert json.loads(cli("--json", "runs").stdout)[0]["id"] == int(pk)
    assert cli("output", pk, "--host", "web1").stdout.startswith("out of web1\n")
    again = cli("repeat", pk, "--quiet")
    assert (again.returncode, Run.objects.count()) == (0, 2)


def test_a_workflow_is_started_and_followed(cli: Cli, root: User) -> None:
    make_workflow(root, {"a": {"does": "wait", "wait_seconds": 0}}, name="release")
    done = cli("workflow", "start", "release", "--timeout", "1")
    assert (done.returncode, "workflow run #" in done.stderr) == (4, True)
    assert "A: " in done.stdout
    assert cli("workflow", "start", "none").returncode == 2


def test_the_portal_gives_the_client_with_its_checksum(
    cli: Cli, live_server: Any, client: Any, root: User
) -> None:
    assert client.get("/api/v1/task-client/").status_code == 401
    client.force_login(root)
    answer = client.get("/api/v1/task-client/")
    assert answer.content == SCRIPT.read_bytes()
    assert answer["X-Checksum-Sha256"] == hashlib.sha256(answer.content).hexdigest()
