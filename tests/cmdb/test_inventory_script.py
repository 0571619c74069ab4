"""The inventory script of deploy/, as real Ansible calls it against a portal that listens."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.services.tokens import create_token
from adminset.models import AuditEntry
from tests.factories import make_group, make_host, make_user

pytestmark = pytest.mark.django_db(transaction=True)
SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "adminset_inventory.py"
Ask = Callable[..., Any]


@pytest.fixture
def ask(live_server: Any, tmp_path: Path) -> Ask:
    """Run ansible-inventory (or the script alone) with a token in a file."""
    user = make_user(perms=["cmdb.view_host", "cmdb.view_hostgroup"])
    _row, text = create_token(
        actor=user, user=user, name="ansible", days=1, can_write=False
    )
    secret = tmp_path / "token"
    secret.write_text(text)
    secret.chmod(0o600)
    script = tmp_path / "hosts.py"
    script.write_text(f"#!{sys.executable}\n" + SCRIPT.read_text())
    script.chmod(0o755)

    def run(*arguments: str, alone: bool = False, **environ: str) -> Any:
        program = Path(sys.executable).with_name("ansible-inventory")
        command = [script] if alone else [program, "-i", script]
        return subprocess.run(
            [*command, *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "LC_ALL": "C.UTF-8",
                "ADMINSET_URL": live_server.url,
                "ADMINSET_TOKEN_FILE": str(secret),
                **environ,
            },
        )

    return run


def test_ansible_lists_what_the_token_sees(ask: Ask) -> None:
    web, odd = make_group("web"), make_group("Büro-主机")
    make_host("web-1", groups=[web, odd], owner="{{ lookup('pipe', 'id') }}")
    make_host("web-1", groups=[web])
    make_host("lonely")
    done = ask("--list")
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    names = sorted(read["_meta"]["hostvars"])
    assert names[:2] == ["lonely", "web-1"]
    assert len(names) == 3
    assert len(read["web"]["hosts"]) == 2
    assert read["Büro-主机"]["hosts"] == ["web-1"]
    assert read["ungrouped"]["hosts"] == ["lonely"]
    assert "uid=" not in done.stdout


def test_ansible_asks_for_one_host(ask: Ask) -> None:
    make_host("web-1", address="10.1.2.3")
    done = ask("--host", "web-1")
    assert json.loads(done.stdout)["ansible_host"] == "10.1.2.3"
    assert ask("--host", "web-1", alone=True).stdout == "{}\n"


def test_groups_narrow_it_and_hosts_keep_their_names(ask: Ask) -> None:
    make_host("db")
    second = make_host("db", groups=[make_group("web")])
    done = ask("--list", ADMINSET_GROUPS="web", alone=True)
    assert list(json.loads(done.stdout)["_meta"]["hostvars"]) == [f"db-{second.pk}"]


def test_an_answer_that_did_not_change_comes_from_the_cache(
    ask: Ask, tmp_path: Path
) -> None:
    make_host("web-1")
    cache = tmp_path / "cache.json"
    first = ask("--list", ADMINSET_CACHE_FILE=str(cache), alone=True)
    assert cache.stat().st_mode & 0o077 == 0
    kept = json.loads(cache.read_text())
    kept["body"] = '{"from": "the cache"}'
    cache.write_text(json.dumps(kept))
    again = ask("--list", ADMINSET_CACHE_FILE=str(cache), alone=True)
    assert (again.stdout, "web-1" in first.stdout) == ('{"from": "the cache"}\n', True)
    make_host("web-2")
    changed = ask("--list", ADMINSET_CACHE_FILE=str(cache), alone=True)
    assert "web-2" in changed.stdout
    assert AuditEntry.objects.filter(verb="host.export").count() == 1


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"ADMINSET_URL": ""}, "Set ADMINSET_URL"),
        ({"ADMINSET_URL": "file:///etc/passwd"}, "Set ADMINSET_URL"),
        ({"ADMINSET_TOKEN_FILE": ""}, "Set ADMINSET_TOKEN_FILE"),
        ({"ADMINSET_TOKEN_FILE": "/nowhere"}, "cannot be read"),
        ({"ADMINSET_TOKEN_FILE": "", "ADMINSET_TOKEN": "a.b"}, "answered 401"),
        ({"ADMINSET_URL": "http://127.0.0.1:9"}, "could not be asked"),
        ({"ADMINSET_GROUPS": "none"}, "There is no host group none."),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    ask: Ask, environ: dict[str, str], said: str
) -> None:
    done = ask("--list", alone=True, **environ)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_token_that_everybody_can_read_is_refused(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "token").chmod(0o644)
    done = ask("--list", alone=True)
    assert "Everybody can read" in done.stderr
