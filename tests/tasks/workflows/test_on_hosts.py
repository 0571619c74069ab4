"""A workflow on real hosts: a value that one step prints reaches a script of the next as data."""

from __future__ import annotations

import pytest

from accounts.models import User
from cmdb.models import Host
from tasks import output
from tasks.services.execute import execute_run
from tasks.workflows import engine
from tests.tasks.workflow_things import begin, make_workflow, stands, status_of

pytestmark = pytest.mark.django_db


def test_values_go_from_host_to_host_and_stay_data(
    admin: User, hosts: list[Host]
) -> None:
    first = "echo 'ADMINSET_SET what=$(touch /tmp/never); `id` \"q'"
    steps = {
        "ask": {"hosts": hosts[:1], "command": first},
        "tell": {
            "hosts": hosts,
            "kind": "script",
            "command": "",
            "script_text": 'printf "got <%s> <%s>\\n" "$1" "$2"',
            "script_arguments": "${steps.ask.what} ${steps.ask.ok_hosts}",
        },
    }
    run = begin(admin, make_workflow(admin, steps, ("ask>tell",)))
    for key in ("ask", "tell"):
        step = run.steps.get(key=key)
        assert step.run_id, step.explanation
        execute_run(pk=step.run_id, worker="test")
        engine.advance(run.pk)
    assert stands(run) == {"ask": "ok", "tell": "ok"}
    assert status_of(run) == "ok"
    made = run.steps.get(key="tell").run
    for row in made.hosts.all():
        text = output.read(made.pk, row.pk, 0).text
        assert f'got <$(touch /tmp/never); `id` "q> <{hosts[0].hostname}>' in text
