"""Runs of the Ansible lane on three real hosts: options, roles, variables, limits, and how soon a watcher sees a line."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from cmdb.models import Host
from tasks import output
from tasks.models import Playbook, Role, Run, RunHost
from tasks.services.execute import execute_run
from tests.tasks.conftest import results

pytestmark = pytest.mark.django_db
Do = Callable[..., Run]

SAY = """
- hosts: all
  gather_facts: false
  tasks:
    - {name: say it, debug: {msg: "{{ word | default('nothing') }}"}, tags: [say]}
    - {name: fail, fail: {msg: never wanted}, tags: [fail]}
"""
ROLE = {"tasks/main.yml": "- {name: of the role, debug: {msg: role-here}}\n"}


@pytest.fixture
def play(ask: Do) -> Do:
    """Ask for a run of a playbook, change the row as a test wants, and do it."""

    def done(text: str = SAY, on: list[Host] | None = None, **changes: Any) -> Run:
        book = Playbook.objects.create(name=f"b{time.monotonic_ns()}", content=text)
        where = {} if on is None else {"on": on}
        run = ask(kind="playbook", playbook=book, **where)
        for name, value in changes.items():
            setattr(run, name, value)
        run.save()
        execute_run(pk=run.pk, worker="test")
        run.refresh_from_db()
        return run

    return done


def whole(run: Run) -> str:
    return output.read(run.pk, None, 0).text


def test_options_and_variables_reach_ansible(play: Do) -> None:
    run = play(
        options={"tags": "say", "verbosity": 1},
        variables={"word": "from a form"},
        sealed=json.dumps({"hidden": "s3cret-canary"}),
    )
    assert run.status == "ok", run.explanation
    assert "from a form" in whole(run)
    assert "s3cret-canary" not in whole(run)
    assert "[AdminSet: 3 hosts, 3 at once.]" in whole(run)
    row = run.hosts.first()
    assert row is not None
    assert row.explanation.endswith("Tasks: 1 ok.")
    assert "TASK [say it]\n" in output.read(run.pk, row.pk, 0).text


def test_hosts_outside_the_limit_are_skipped(do: Do) -> None:
    book = Playbook.objects.create(name="limited", content=SAY)
    options = {"tags": "say", "limit": "host1"}
    run = do(kind="playbook", playbook=book, options=options)
    assert run.status == "ok", run.explanation
    assert results(run) == {
        "host0": ("skipped", None),
        "host1": ("ok", None),
        "host2": ("skipped", None),
    }
    assert "[AdminSet: 1 host, 1 at once.]" in whole(run)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"options": {"limit": ["elsewhere"]}}, "no hosts of the run: elsewhere"),
        ({"options": {"mitogen": True}}, "Mitogen is not installed here"),
        ({"options": {"inventory": "/etc/hosts"}}, "no option 'inventory'"),
        ({"variables": {"ansible_connection": "local"}}, "cannot be given to Ansible"),
        ({"sealed": '{"ansible_become_exe": "x"}'}, "cannot be given to Ansible"),
    ],
)
def test_what_cannot_be_given_to_ansible_starts_nothing(
    play: Do, changes: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    run = play(**changes)
    assert run.status == "failed"
    assert words in run.explanation
    assert {status for status, _ in results(run).values()} == {"not_started"}
    assert "PLAY" not in whole(run)


def test_a_role_of_the_library_runs(ask: Do) -> None:
    run = ask(kind="module", module="ping")
    Run.objects.filter(pk=run.pk).update(
        kind="role", title="my role", playbook_text=json.dumps(ROLE)
    )
    execute_run(pk=run.pk, worker="test")
    run.refresh_from_db()
    assert run.status == "ok", run.explanation
    assert "role-here" in whole(run)


def test_a_playbook_carries_the_roles_that_were_frozen_into_it(
    ask: Do, hosts: list[Host]
) -> None:
    role = Role.objects.create(name="common")
    role.versions.create(number=1, files=ROLE, sha256="0" * 64, author_name="a")
    text = "- hosts: all\n  gather_facts: false\n  roles: [common]\n"
    book = Playbook.objects.create(name="names a role", content=text)
    run = ask(kind="playbook", playbook=book, on=hosts[:1])
    newer = {"tasks/main.yml": "- {name: newer, debug: {msg: too-new}}\n"}
    role.versions.create(number=2, files=newer, sha256="1" * 64, author_name="a")
    execute_run(pk=run.pk, worker="test")
    run.refresh_from_db()
    assert run.status == "ok", run.explanation
    assert "role-here" in whole(run)
    assert "too-new" not in whole(run)


def test_an_idle_run_ends_with_the_word_for_its_limit(
    play: Do, hosts: list[Host]
) -> None:
    text = "- hosts: all\n  gather_facts: false\n  tasks:\n    - command: sleep 60\n"
    run = play(text, idle_timeout_seconds=8, on=hosts[:1])
    row: RunHost = run.hosts.get()
    assert (row.status, row.limit) == ("timed_out", "idle")
    assert "“command” had not returned" in row.explanation


PRINTS = """
- hosts: all
  gather_facts: false
  tasks:
    - shell: sleep 1; date +printed-%s.%N-here
    - command: sleep 5
"""


def test_a_line_is_there_for_a_watcher_within_a_second(
    ask: Do, hosts: list[Host]
) -> None:
    book = Playbook.objects.create(name="prints", content=PRINTS)
    run = ask(kind="playbook", playbook=book, on=hosts[:1], options={"verbosity": 1})
    seen: list[float] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.02) and not seen:
            text = whole(run)
            if found := re.search(r'"stdout": "printed-([\d.]+)-here', text):
                seen.append(time.time() - float(found[1]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        execute_run(pk=run.pk, worker="test")
    finally:
        ended.set()
        watcher.join()
    assert seen, whole(run)
    assert 0 < seen[0] < 1
