"""Commands, modules and playbooks on three real hosts: results, output, what stands in the way."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable

import pytest
import redis
from django.conf import settings as django_settings

from adminset.models import AuditEntry
from cmdb.models import Host
from tasks import output
from tasks.models import Playbook, Run, RunHost
from tasks.services.claim import Watch
from tests.factories import make_host
from tests.tasks.conftest import results
from tests.tasks.doors import sleeping

pytestmark = pytest.mark.django_db
Do = Callable[..., Run]

PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - name: say who is there
      command: echo "I am {{ adminset_hostname }} in {{ adminset_groups | join(',') }}"
      register: said
    - name: show it
      debug: var=said.stdout
"""


def text_of(run: Run, row: RunHost | None) -> str:
    return output.read(run.pk, row.pk if row else None, 0).text


def test_a_command_runs_on_every_host_and_each_has_its_own_output(do: Do) -> None:
    run = do(command='echo "out $((40 + 2))"; echo err >&2; uname -s')
    assert (run.status, run.done_count, run.ok_count) == ("ok", 3, 3)
    assert run.explanation == "3 hosts: 3 ok."
    assert results(run) == dict.fromkeys(["host0", "host1", "host2"], ("ok", 0))
    for row in run.hosts.all():
        text = text_of(run, row)
        assert "out 42\n" in text
        assert "err\n" in text
        assert "Linux\n" in text
        assert row.output_bytes == len(text.encode())
        assert row.started_at
        assert row.ended_at
    entry = AuditEntry.objects.get(verb="run.finish")
    assert entry.actor_name == "worker test"
    assert {"field": "status", "old": "running", "new": "ok"} in entry.changes


def test_the_output_lies_in_files_that_only_the_portal_reads(do: Do) -> None:
    run = do(command="echo hello")
    folder = output.folder(run.pk)
    assert folder.stat().st_mode & 0o777 == 0o700
    modes = {path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes == {0o600}


def test_an_exit_code_is_kept_and_makes_the_run_fail(do: Do, hosts: list[Host]) -> None:
    run = do(command="echo before; exit 7", on=hosts[:1])
    assert run.status == "failed"
    assert results(run) == {"host0": ("failed", 7)}
    assert run.explanation == "1 host: 1 failed."


def test_hosts_that_cannot_be_tried_are_unreachable_and_say_why(
    do: Do, hosts: list[Host]
) -> None:
    lonely = make_host("lonely", address=None)
    keyless = make_host(
        "keyless",
        address=hosts[0].address,
        ssh_port=hosts[0].ssh_port,
        credential=hosts[0].credential,
    )
    bare = make_host("bare")
    run = do(command="true", on=[hosts[0], lonely, keyless, bare])
    assert run.status == "failed"
    assert run.explanation == "4 hosts: 1 ok, 3 unreachable."
    why = dict(run.hosts.values_list("host_name", "explanation"))
    assert "no management address" in why["lonely"]
    assert "not accepted yet" in why["keyless"]
    assert "no credential" in why["bare"]


def test_a_host_that_is_deleted_before_it_runs_is_unreachable(
    ask: Do, hosts: list[Host]
) -> None:
    from tasks.services.execute import execute_run  # noqa: PLC0415

    run = ask(on=hosts[:1])
    hosts[0].delete()
    execute_run(pk=run.pk, worker="test")
    row = run.hosts.get()
    assert (row.status, row.host_name) == ("unreachable", "host0")
    assert "not in the CMDB any more" in row.explanation


def test_a_command_that_takes_too_long_is_timed_out(do: Do, hosts: list[Host]) -> None:
    run = do(command="echo begun; sleep 60", timeout_seconds=1, on=hosts[:1])
    row = run.hosts.get()
    assert (run.status, row.status) == ("failed", "timed_out")
    assert "time-out of 1 s" in row.explanation
    assert text_of(run, row) == "begun\n"


def test_more_hosts_than_forks_all_get_their_turn(do: Do) -> None:
    run = do(command="echo x", forks=1)
    assert set(results(run).values()) == {("ok", 0)}


def test_long_output_keeps_its_head_and_its_end_and_says_what_is_left_out(
    do: Do, hosts: list[Host], settings
) -> None:
    settings.RUN_OUTPUT_BYTES_PER_HOST = 10_000
    run = do(command="yes line | head -n 100000; echo end", on=hosts[:1])
    row = run.hosts.get()
    text = text_of(run, row)
    # A login shell may say something of its own first.
    assert "line\n" * 900 in text
    assert text.endswith("line\nend\n")
    assert "bytes are left out here]\n" in text
    assert len(text) < 10_200
    assert row.output_bytes >= 500_004
    assert row.stored_bytes < 10_001
    assert row.output_hash == hashlib.sha256(text.encode()).hexdigest()
    assert run.status == "ok"


def test_secrets_are_masked_in_output_and_absent_from_redis(
    do: Do, hosts: list[Host]
) -> None:
    heard: list[str] = []
    listener = redis.Redis.from_url(
        django_settings.REDIS_URL, decode_responses=True
    ).pubsub()
    listener.psubscribe("*")
    run = do(
        command="printf farm-secret; sleep 0.3; echo -word; echo farm-secret-word >&2",
        on=hosts[:1],
    )
    while message := listener.get_message(timeout=0.2):
        heard.append(json.dumps(message))
    listener.close()
    text = text_of(run, run.hosts.get())
    assert "farm-secret-word" not in text
    assert text.count("••••") == 2
    assert any(f"adminset:run:{run.pk}" in message for message in heard)
    assert not [message for message in heard if "farm-secret" in message]
    assert "farm-secret" not in json.dumps(list(RunHost.objects.values()), default=str)


def test_a_module_runs_on_every_host(do: Do) -> None:
    run = do(kind="module", module="ping", command="")
    assert run.status == "ok", run.explanation
    assert set(results(run)) == {"host0", "host1", "host2"}
    whole = text_of(run, None)
    for row in run.hosts.all():
        assert row.status == "ok"
        assert "pong" in text_of(run, row)
        assert row.host_name in whole


def test_a_module_that_does_not_exist_fails_with_ansibles_own_words(
    do: Do, hosts: list[Host]
) -> None:
    run = do(kind="module", module="no_such_module", command="", on=hosts[:1])
    assert run.status == "failed"
    assert "no_such_module" in run.explanation + run.hosts.get().explanation


def test_a_playbook_runs_with_what_the_cmdb_knows(do: Do, hosts: list[Host]) -> None:
    playbook = Playbook.objects.create(name="greet", content=PLAYBOOK)
    lonely = make_host("lonely", address=None)
    run = do(kind="playbook", playbook=playbook, on=[*hosts, lonely], command="")
    assert run.explanation == "4 hosts: 3 ok, 1 unreachable."
    whole = text_of(run, None)
    assert "PLAY RECAP" in whole
    for host in hosts:
        row = run.hosts.get(host=host)
        assert f"I am {host.hostname} in web" in text_of(run, row)
        assert "TASK [show it]" in text_of(run, row)
    playbook.content = "- hosts: none"
    playbook.save()
    run.refresh_from_db()
    assert run.playbook_text == PLAYBOOK


def test_two_hosts_of_one_name_have_each_their_own_result(
    do: Do, hosts: list[Host]
) -> None:
    for host in hosts[:2]:
        host.hostname = "twin"
        host.save()
    run = do(
        kind="module",
        module="command",
        arguments="cat /proc/self/stat",
        command="",
        on=hosts[:2],
    )
    assert [row.status for row in run.hosts.all()] == ["ok", "ok"]
    assert all("twin" in text_of(run, row) for row in run.hosts.all())


@pytest.mark.parametrize("kind", ["command", "module"])
def test_a_cancelled_run_stops_before_its_commands_end(
    ask: Do, hosts: list[Host], monkeypatch, kind: str
) -> None:
    """The database is asked by one thread only; here it says "cancel" once the command runs on a host."""
    from tasks.services.cancel import cancel_run  # noqa: PLC0415
    from tasks.services.execute import execute_run  # noqa: PLC0415

    # Its own: the other one may run beside it.
    marker = {"command": "sleep 61.7", "module": "sleep 61.8"}[kind]
    run = ask(
        kind=kind,
        command=marker,
        module="command",
        arguments=marker,
        forks=1,
        on=hosts[:2],
    )
    asked_to: list[float] = []
    real = Watch._ask

    def asked(self: Watch, now: float) -> None:
        if not asked_to and sleeping(marker, 1):
            asked_to.append(now)
            cancel_run(actor=run.requested_by, run=run)
        real(self, now)

    monkeypatch.setattr(Watch, "_ask", asked)
    began = time.monotonic()
    execute_run(pk=run.pk, worker="test")
    assert time.monotonic() - began < 60
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert run.explanation.startswith("Cancelled by admin.")
    assert {row.status for row in run.hosts.all()} <= {"cancelled", "not_started"}
    assert run.hosts.filter(status="cancelled").exists()
    assert not [
        thread for thread in threading.enumerate() if thread.name.startswith("run-")
    ]
