"""Pages and REST of triggers and sets: saved as the one who saves, shown with what became of them, paused and let go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from adminset.models import AuditEntry
from delivery.models import (
    DeploySchedule,
    DeployTime,
    FollowUp,
    GitHook,
)
from tests.app_factories import grant_on, make_environment
from tests.delivery.safety.safety_things import Paper
from tests.delivery.triggers.trigger_things import (
    SECRET,
    call,
    make_follow_up,
    make_githook,
    make_schedule,
    push,
)
from tests.factories import make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


@pytest.fixture
def client(client_of: Signed, paper: Paper) -> Client:
    return client_of(paper.user)


def where(paper: Paper) -> dict[str, Any]:
    return {"pipeline": paper.pipeline.pk, "environment": paper.environment.pk}


def hook_form(paper: Paper, **fields: Any) -> dict[str, Any]:
    form = {
        "name": "push",
        "kind": "github",
        "secret": SECRET,
        "branches": "main\nrelease/*",
        "enabled": "on",
    }
    return form | where(paper) | fields


def test_a_web_hook_that_is_saved_on_its_page_is_called_and_shows_what_came(
    client: Client, paper: Paper
) -> None:
    saved = client.post("/delivery/git-hooks/add/", hook_form(paper))
    assert saved.status_code == 302, saved.content.decode()[-3000:]
    hook = GitHook.objects.get()
    assert (hook.run_as, hook.branches, hook.tags) == (
        paper.user,
        ["main", "release/*"],
        [],
    )
    assert call(hook, push()).status_code == 202
    page = client.get(f"/delivery/git-hooks/{hook.pk}/").content.decode()
    assert (
        f"/delivery/in/{hook.key}/"
        in client.get(f"/delivery/git-hooks/{hook.pk}/?tab=address").content.decode()
    )
    shown = client.get(f"/delivery/git-hooks/{hook.pk}/?tab=messages").content.decode()
    assert "branch main cccccccccccc" in shown
    assert SECRET not in page + shown
    assert hook.key not in str(
        AuditEntry.objects.filter(verb="githook.create").values()
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("secret", "short"),
        ("secret", ""),
        ("branches", ""),
        ("branches", "*" * 20),
        ("paths", "x" * 300),
        ("kind", "cvs"),
        ("environment", "999999"),
        ("name", ""),
    ],
)
def test_a_web_hook_that_cannot_be_is_not_saved(
    client: Client, paper: Paper, field: str, value: str
) -> None:
    saved = client.post("/delivery/git-hooks/add/", hook_form(paper, **{field: value}))
    assert saved.status_code == 422
    assert not GitHook.objects.exists()


def test_a_pipeline_and_an_environment_of_two_projects_do_not_go_together(
    client: Client, paper: Paper
) -> None:
    other = make_environment(by=paper.user)
    saved = client.post(
        "/delivery/git-hooks/add/", hook_form(paper, environment=other.pk)
    )
    assert saved.status_code == 422
    assert "two projects" in saved.content.decode()


def test_whoever_may_not_deploy_there_makes_no_trigger(
    client_of: Signed, paper: Paper
) -> None:
    somebody = make_user("somebody")
    perms = [
        "delivery.add_githook",
        "delivery.view_githook",
        "delivery.view_pipeline",
        "appconf.view_environment",
    ]
    grant_on(somebody, perms, paper.pipeline.project)
    saved = client_of(somebody).post("/delivery/git-hooks/add/", hook_form(paper))
    assert saved.status_code == 422
    grant_on(somebody, ["appconf.deploy_environment"], paper.pipeline.project)
    saved = client_of(somebody).post("/delivery/git-hooks/add/", hook_form(paper))
    assert saved.status_code == 422
    assert "may not start deploys" in saved.content.decode()
    assert not GitHook.objects.exists()


def test_the_address_is_for_those_who_may_change_it(
    client_of: Signed, paper: Paper
) -> None:
    hook = make_githook(paper)
    reader = make_user("reader")
    grant_on(reader, ["delivery.view_githook"], paper.pipeline.project)
    page = client_of(reader).get(f"/delivery/git-hooks/{hook.pk}/?tab=address")
    assert page.status_code == 200
    assert hook.key not in page.content.decode()


def test_a_planned_deploy_shows_its_next_five_times_and_its_results(
    client: Client, paper: Paper
) -> None:
    form = {
        "name": "nightly",
        "ref": "main",
        "crontab": "0 3 * * *",
        "time_zone": "Asia/Shanghai",
        "enabled": "on",
    }
    saved = client.post("/delivery/deploy-schedules/add/", form | where(paper))
    assert saved.status_code == 302, saved.content.decode()[-3000:]
    schedule = DeploySchedule.objects.get()
    assert (schedule.missed, schedule.overlap, schedule.run_as) == (
        "skip",
        "skip",
        paper.user,
    )
    assert schedule.next_at is not None
    address = f"/delivery/deploy-schedules/{schedule.pk}/"
    assert client.get(f"{address}?tab=times").content.decode().count("03:00 CST") == 5
    DeployTime.objects.create(
        schedule=schedule, planned_at=schedule.next_at, state="missed", reason="away"
    )
    assert "away" in client.get(f"{address}?tab=results").content.decode()


@pytest.mark.parametrize(
    "fields",
    [
        {"crontab": ""},
        {"crontab": "x"},
        {"every_minutes": "1"},
        {"every_minutes": "60"},
        {"ref": "--upload-pack=x"},
        {"ref_kind": "tag", "ref": ""},
        {"time_zone": "Nowhere/Land"},
    ],
)
def test_a_planned_deploy_that_cannot_be_is_not_saved(
    client: Client, paper: Paper, fields: dict[str, str]
) -> None:
    form = (
        {"name": "n", "ref": "main", "crontab": "0 3 * * *", "time_zone": "UTC"}
        | where(paper)
        | fields
    )
    assert client.post("/delivery/deploy-schedules/add/", form).status_code == 422
    assert not DeploySchedule.objects.exists()


def test_triggers_are_paused_with_a_reason_and_go_on_as_the_one_who_asks(
    client: Client, paper: Paper
) -> None:
    second = make_environment(paper.pipeline.project, hosts=paper.hosts, by=paper.user)
    former = make_user("former")
    rows = [
        ("deploy-schedules", make_schedule(paper, run_as=former)),
        ("git-hooks", make_githook(paper, run_as=former)),
        ("follow-ups", make_follow_up(paper, second, former)),
    ]
    for path, row in rows:
        address = f"/delivery/{path}/{row.pk}/"
        assert client.get(f"{address}disable/").status_code == 200
        client.post(f"{address}disable/", {"reason": "holiday"})
        row.refresh_from_db()
        assert (row.enabled, row.notice, row.run_as) == (False, "holiday", former)
        client.post(f"{address}enable/")
        row.refresh_from_db()
        assert (row.enabled, row.notice, row.run_as) == (True, "", paper.user)
        assert client.get(address).status_code == 200
    assert DeploySchedule.objects.get().next_at is not None
    rule = FollowUp.objects.get()
    assert (
        client.get(f"/delivery/follow-ups/{rule.pk}/?tab=followed").status_code == 200
    )
