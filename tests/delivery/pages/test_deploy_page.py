"""The page of a deploy: stages, hosts, buttons and words for each way that it can stand; who sees what of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from adminset.models import AuditEntry
from delivery.models import Deploy
from tasks.models import Run, RunHost
from tests.delivery.factories import make_artefact, make_deploy, make_step
from tests.delivery.pages.conftest import Place
from tests.factories import make_host

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
HOSTILE = "<script>alert(1)</script>\u202e'\"><img src=x>"


def text_of(client: Client, deploy: Deploy, **headers: Any) -> str:
    answer = client.get(deploy.get_absolute_url(), headers=headers)
    assert answer.status_code == 200
    return str(answer.content.decode())


def leg(host: Any, user: User) -> Run:
    run = Run.objects.create(title="activate", kind="deploy", requested_by=user)
    RunHost.objects.create(run=run, host=host, host_name=host.hostname)
    return run


def test_the_page_shows_stages_with_their_progress_and_hosts_by_batch(
    client_of: Signed, admin: User, here: Place
) -> None:
    artefact = make_artefact(here.project)
    deploy = make_deploy(
        here.environment, artefact=artefact, status="running", reason="spring offer"
    )
    make_step(deploy, "check", "ok")
    make_step(
        deploy, "distribute", "running", done=25, total=100, run=leg(here.host, admin)
    )
    make_step(deploy, "activate", batch=0)
    text = text_of(client_of(admin), deploy)
    for word in (
        "spring offer",
        "25 %",
        "Switch, batch 1",
        artefact.release,
        "shop-host",
    ):
        assert word in text, word
    assert "every 2s" in text


def test_for_htmx_only_what_changes_is_given_and_an_ended_deploy_is_not_asked_again(
    client_of: Signed, admin: User, here: Place
) -> None:
    deploy = make_deploy(here.environment, status="ok")
    part = text_of(client_of(admin), deploy, HX_Request="true")
    assert "<html" not in part
    assert "every 2s" not in part
    assert 'hx-swap-oob="true"' in part


def test_the_log_turns_to_the_step_that_runs_now_where_it_follows(
    client_of: Signed, admin: User, here: Place
) -> None:
    deploy = make_deploy(here.environment, status="running")
    first = make_step(deploy, "check", "ok", run=leg(here.host, admin))
    second = make_step(deploy, "activate", "running", run=leg(here.host, admin))
    client = client_of(admin)
    address = deploy.get_absolute_url()
    asked = {"shown": first.pk, "follow": "1"}
    turned = client.get(address, asked, headers={"HX-Request": "true"})
    assert f'value="{second.pk}"' in turned.content.decode()
    stays = client.get(address, {"shown": first.pk}, headers={"HX-Request": "true"})
    assert 'id="output"' not in stays.content.decode()
    same = client.get(
        address, {"shown": second.pk, "follow": "1"}, headers={"HX-Request": "true"}
    )
    assert 'id="output"' not in same.content.decode()


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        ("waiting_approval", {"decide", "cancel"}),
        ("waiting", {"cancel"}),
        ("running", {"pause", "cancel"}),
        ("paused", {"resume", "cancel"}),
        ("ok", {"rollback"}),
        ("failed", {"rollback", "retry"}),
        ("rolled_back", {"rollback", "retry"}),
    ],
)
def test_the_buttons_are_those_that_can_be_pressed_now(
    client_of: Signed, deployer: User, here: Place, status: str, offered: set[str]
) -> None:
    deploy = make_deploy(here.environment, status=status, approvals_needed=1)
    text = text_of(client_of(deployer), deploy)
    verbs = ("decide", "pause", "resume", "cancel", "retry")
    found = {
        v for v in verbs if reverse(f"delivery:deploy_{v}", args=[deploy.pk]) in text
    }
    if reverse("delivery:environment_rollback", args=[here.environment.pk]) in text:
        found.add("rollback")
    assert found == offered


def test_a_paused_deploy_offers_to_retry_a_stage_that_failed(
    client_of: Signed, deployer: User, here: Place
) -> None:
    deploy = make_deploy(here.environment, status="paused")
    retry = reverse("delivery:deploy_retry", args=[deploy.pk])
    make_step(deploy, "claim", "ok")
    assert retry not in text_of(client_of(deployer), deploy)
    make_step(deploy, "activate", "failed")
    assert retry in text_of(client_of(deployer), deploy)
    # A batch that is still in hand comes first.
    make_step(deploy, "activate", "running")
    assert retry not in text_of(client_of(deployer), deploy)


def test_whoever_only_looks_has_no_button(
    client_of: Signed, auditor: User, here: Place
) -> None:
    deploy = make_deploy(here.environment, status="running")
    text = text_of(client_of(auditor), deploy)
    for verb in ("pause", "cancel"):
        assert reverse(f"delivery:deploy_{verb}", args=[deploy.pk]) not in text


def test_what_it_waits_for_is_said(client_of: Signed, admin: User, here: Place) -> None:
    words = "The environment is held by mary since 2026-11-22: repairs"
    deploy = make_deploy(here.environment, status="waiting", waiting_for=words)
    assert words in text_of(client_of(admin), deploy)


def test_hosts_outside_the_readers_scope_are_counted_and_never_named(
    client_of: Signed, deployer: User, here: Place
) -> None:
    secret = make_host("hidden-host")
    here.environment.hosts.add(secret)
    deploy = make_deploy(here.environment, status="failed")
    deploy.hosts.update(
        checks=[
            {"id": "disk", "ok": False, "title": "Disk", "why": "full", "mend": "x"}
        ]
    )
    deploy.plan["warnings"] = ["Nothing is known to be live on hidden-host."]
    deploy.plan["problems"] = ["2 is not kept on hidden-host: deploy it there."]
    deploy.explanation = "These are not well: shop-host, hidden-host."
    deploy.waiting_for = "hidden-host"
    deploy.save()
    make_step(deploy, "activate", "failed", explanation="hidden-host: HTTP 500")
    text = text_of(client_of(deployer), deploy)
    assert "shop-host" in text
    assert "hidden-host" not in text
    assert "1 host outside your scope is not shown" in text
    assert "These are not well: shop-host, (a host outside your scope)." in text


def test_checks_that_did_not_pass_say_why_and_how_to_mend_it(
    client_of: Signed, admin: User, here: Place
) -> None:
    deploy = make_deploy(here.environment, status="failed")
    check = {
        "id": "disk",
        "ok": False,
        "title": "Disk space",
        "why": "7 MiB are free, 90 are needed.",
        "mend": "Clear /var away.",
    }
    deploy.hosts.update(checks=[check, {**check, "ok": True, "title": "User"}])
    text = text_of(client_of(admin), deploy)
    for word in ("Disk space", "7 MiB are free", "Clear /var away.", "shop-host"):
        assert word in text
    assert "User</span>" not in text


def test_what_hosts_and_people_write_is_text(
    client_of: Signed, admin: User, here: Place
) -> None:
    deploy = make_deploy(
        here.environment,
        status="failed",
        reason=HOSTILE,
        explanation=HOSTILE,
        ref=HOSTILE,
        branch=HOSTILE,
    )
    check = dict.fromkeys(("title", "why", "mend"), HOSTILE) | {"ok": False}
    deploy.hosts.update(checks=[check, "nonsense", 7], explanation=HOSTILE)
    make_step(deploy, "activate", "failed", explanation=HOSTILE, title=HOSTILE)
    text = text_of(client_of(admin), deploy)
    assert "<script>alert" not in text
    assert "<img src=x>" not in text


def test_a_thousand_hosts_read_as_a_few_rows_and_cost_little(
    client_of: Signed, admin: User, here: Place
) -> None:
    here.environment.hosts.set([make_host(f"web{n:04}") for n in range(1000)])
    deploy = make_deploy(here.environment, status="running")
    deploy.hosts.filter(host_name__endswith="7").update(status="failed")
    for _number in range(40):
        make_step(deploy, "command", "ok")
    client = client_of(admin)
    with CaptureQueriesContext(connection) as told:
        text = text_of(client, deploy, HX_Request="true")
    assert len(told) < 40
    assert "and 88 more" in text
    assert text.count('data-label="Batch"') == 2


def test_a_deploy_of_another_product_line_is_not_there(
    client_of: Signed, deployer: User, elsewhere: Place
) -> None:
    deploy = make_deploy(elsewhere.environment, status="running")
    client = client_of(deployer)
    for verb in ("detail", "panel", "decide", "cancel"):
        answer = client.get(reverse(f"delivery:deploy_{verb}", args=[deploy.pk]))
        assert answer.status_code == 404, verb
    for verb in ("pause", "resume", "retry", "cancel", "decide"):
        answer = client.post(reverse(f"delivery:deploy_{verb}", args=[deploy.pk]))
        assert answer.status_code == 404, verb
    deploy.refresh_from_db()
    assert deploy.status == "running"
    assert deploy.cancel_requested_at is None
    assert not AuditEntry.objects.filter(target_type="delivery.deploy").exists()
