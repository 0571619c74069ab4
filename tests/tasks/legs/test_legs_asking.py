"""Asking for legs: who may, what cannot be, once for each key; and no door for people asks for one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client

from accounts.models import User
from adminset.audit import SystemActor
from adminset.errors import DomainError, Forbidden
from adminset.models import AuditEntry
from cmdb.models import Host
from tasks.launching.forms import LaunchForm
from tasks.legs.asking import SendFile, cancel_leg, send_leg
from tasks.legs.judging import JUDGES
from tasks.models import Run, RunLeg, Schedule, Template, WorkflowStep
from tasks.services.launch import RunSpec, repeat_run, request_run
from tests.tasks.legs.conftest import Judge

pytestmark = pytest.mark.django_db
Ask = Callable[..., Run]


def test_a_leg_is_a_run_with_its_hosts_and_one_line_in_the_trail(
    ask_leg: Ask, admin: User, hosts: list[Host], judge: Judge
) -> None:
    run = ask_leg("true", subject="testing.thing:7", title="Switch", forks=7)
    assert (run.kind, run.status, run.host_count) == ("deploy", "queued", 3)
    assert (run.requested_by, run.what, run.forks) == (admin, "Switch", 7)
    assert (run.purpose, run.subject, run.repeatable) == (
        "testing.do",
        "testing.thing:7",
        True,
    )
    assert [part.queue for part in run.parts.all()] == [django_settings.RUN_QUEUE]
    assert judge.asked == [("testing.do", {host.pk for host in hosts})]
    entry = AuditEntry.objects.get(verb="run.request")
    told = {one["field"]: one["new"] for one in entry.changes}
    assert told == {
        "kind": "deploy",
        "purpose": "testing.do",
        "subject": "testing.thing:7",
        "hosts": ["host0", "host1", "host2"],
    }


def test_the_same_key_twice_is_the_same_run(ask_leg: Ask, hosts: list[Host]) -> None:
    first = ask_leg("true", key="deploy-1-a")
    again = ask_leg("false", key="deploy-1-a", on=hosts[:1])
    assert again == first
    assert (Run.objects.count(), RunLeg.objects.get().program) == (1, "true")
    assert AuditEntry.objects.filter(verb="run.request").count() == 1
    assert ask_leg("true", key="deploy-1-b") != first


def test_a_key_that_somebody_else_takes_in_this_moment_is_his_run(
    ask_leg: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask_leg("true", key="same")
    found = iter([None, first])
    monkeypatch.setattr("tasks.legs.asking._known", lambda key: next(found))
    assert ask_leg("true", key="same") == first
    assert Run.objects.count() == 1


def test_the_judge_says_no_to_one_host_and_nothing_is_made(
    ask_leg: Ask, hosts: list[Host], judge: Judge
) -> None:
    judge.barred = {hosts[1].pk}
    with pytest.raises(Forbidden) as refused:
        ask_leg("true")
    assert refused.value.code == "host_refused"
    assert not Run.objects.exists()
    assert not AuditEntry.objects.filter(verb="run.request").exists()


def test_without_a_judge_nothing_is_allowed(ask_leg: Ask) -> None:
    with pytest.raises(Forbidden):
        ask_leg("true", purpose="nobody.do")
    assert "nobody" not in JUDGES


def test_a_host_that_is_gone_is_refused(ask_leg: Ask, hosts: list[Host]) -> None:
    hosts[0].delete()
    with pytest.raises(Forbidden):
        ask_leg("true")


def test_what_is_urgent_goes_to_workers_that_keep_themselves_free(
    ask_leg: Ask, settings: Any
) -> None:
    settings.RUN_USER_MOST = 1
    run = ask_leg("true", urgent=True)
    assert [part.queue for part in run.parts.all()] == [settings.URGENT_QUEUE]
    assert run.leg.urgent


def test_the_portal_itself_may_ask(ask_leg: Ask) -> None:
    run = ask_leg("true", actor=SystemActor("delivery"))
    assert (run.requested_by, run.requested_by_name) == (None, "delivery")
    assert run.leg.by_portal


def test_secret_values_lie_sealed_in_the_row(ask_leg: Ask, hosts: list[Host]) -> None:
    run = ask_leg(
        "true",
        secret_values={"A": "very-secret-word"},
        host_secret_values={hosts[0].pk: {"B": "other-secret-word"}},
    )
    with connection.cursor() as cursor:
        for table in ("tasks_run", "tasks_runleg", "tasks_runhost"):
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - names of ours
            text = str(cursor.fetchall())
            assert "secret-word" not in text
    run.refresh_from_db()
    told: Any = run.sealed
    assert json.loads(told.reveal())["all"] == {"A": "very-secret-word"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"program": "  "},
        {"program": "x\0y"},
        {"program": "#" * 2_000_000},
        {"values": {"lower": "x"}},
        {"values": {"AS_MARK": "mine"}},
        {"secret_values": {"ADMINSET_RUN": "mine"}},
        {"values": {"A": "x\0"}},
        {"values": {"A": "x" * 200_000}},
        {"host_values": {0: {"A": "x"}}},
        {"send": {0: SendFile("/nowhere", "", 1)}},
        {"purpose": "nodot"},
        {"forks": 0},
        {"timeout_seconds": 0},
        {"key": ""},
        {"subject": "x" * 101},
        {"on": []},
    ],
)
def test_what_no_host_could_take_is_refused(
    ask_leg: Ask, wrong: dict[str, Any]
) -> None:
    with pytest.raises(DomainError):
        ask_leg(wrong.pop("program", "true"), **wrong)
    assert not Run.objects.exists()


def test_a_leg_is_sent_after_the_commit_and_cancelled_once(
    ask_leg: Ask,
    admin: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    sent: list[tuple[int, str]] = []
    monkeypatch.setattr(
        "tasks.services.queues.send", lambda pk, queue: sent.append((pk, queue))
    )
    run = ask_leg("true", urgent=True)
    with django_capture_on_commit_callbacks(execute=True):
        send_leg(run)
        assert sent == []
    assert sent == [(run.pk, "urgent")]
    assert cancel_leg(actor=admin, run=run).status == "cancelled"
    assert cancel_leg(actor=admin, run=run).status == "cancelled"
    assert AuditEntry.objects.filter(verb="run.cancel").count() == 1


# ---- Doors for people


def test_nobody_repeats_a_leg_or_changes_it(
    ask_leg: Ask, admin: User, client_of: Callable[[User], Client]
) -> None:
    run = ask_leg("true")
    with pytest.raises(DomainError) as refused:
        repeat_run(actor=admin, run=run)
    assert refused.value.code == "leg"
    client = client_of(admin)
    for answer in (
        client.post(f"/tasks/runs/{run.pk}/again/", follow=True),
        client.get(f"/tasks/runs/{run.pk}/change/", follow=True),
    ):
        assert "is a part of a delivery" in answer.content.decode()
    api = client.post(
        f"/api/v1/runs/{run.pk}/again/", {}, content_type="application/json"
    )
    assert api.status_code >= 400
    assert Run.objects.count() == 1


def test_no_form_no_row_and_no_request_knows_the_kind(
    admin: User, hosts: list[Host], client_of: Callable[[User], Client]
) -> None:
    for model in (Schedule, Template, WorkflowStep):
        assert "deploy" not in dict(model._meta.get_field("kind").choices)
    data = {"kind": "deploy", "command": "", "hosts": [hosts[0].pk]}
    form = LaunchForm(data, user=admin)
    assert not form.is_valid()
    assert "kind" in form.errors
    page = client_of(admin).post("/tasks/runs/add/", data | {"step": "run"})
    assert page.status_code == 422
    assert "deploy" not in [one["value"] for one in LaunchForm(user=admin).kinds()]
    with pytest.raises(DomainError):
        request_run(actor=admin, spec=RunSpec(kind="deploy", host_ids=(hosts[0].pk,)))
    client = client_of(admin)
    body = {"kind": "deploy", "command": "true", "hosts": [hosts[0].pk]}
    answer = client.post("/api/v1/runs/", body, content_type="application/json")
    assert answer.status_code in {400, 422}, answer.content
    assert not Run.objects.exists()


def test_the_list_of_runs_can_be_narrowed_to_legs(
    ask_leg: Ask, admin: User, client_of: Callable[[User], Client]
) -> None:
    run = ask_leg("true", title="Switch it over")
    client = client_of(admin)
    assert (
        str(run.title)
        in client.get("/tasks/runs/", {"f.kind.is": "deploy"}).content.decode()
    )
    page = client.get("/tasks/runs/", {"f.kind.is": "command"}).content.decode()
    assert str(run.title) not in page
