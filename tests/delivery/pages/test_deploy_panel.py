"""The log panel of a deploy: of which hosts one may read what they print."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tasks.models import Run, RunHost
from tests.delivery.factories import make_deploy, make_step
from tests.delivery.pages.conftest import Place
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
HOSTILE = "<script>alert(1)</script>\u202e'\"><img src=x>"


def leg(host: Any, user: User) -> Run:
    run = Run.objects.create(title="activate", kind="deploy", requested_by=user)
    RunHost.objects.create(run=run, host=host, host_name=host.hostname)
    return run


def test_the_panel_of_a_leg_shows_the_output_of_a_host_that_one_may_see(
    client_of: Signed, deployer: User, here: Place, settings: Any, tmp_path: Any
) -> None:
    settings.RUN_DIR = tmp_path
    secret = make_host("hidden-host")
    here.environment.hosts.add(secret)
    deploy = make_deploy(here.environment, status="failed")
    run = leg(here.host, deployer)
    hidden = RunHost.objects.create(run=run, host=secret, host_name="hidden-host")
    step = make_step(deploy, "activate", "failed", run=run)
    client = client_of(deployer)
    address = reverse("delivery:deploy_panel", args=[deploy.pk])
    text = client.get(address, {"step": step.pk}).content.decode()
    assert f"/ws/tasks/runs/{run.pk}/hosts/" in text
    assert "shop-host" in text
    text = client.get(
        address, {"step": step.pk, "run_host": hidden.pk}
    ).content.decode()
    assert "hidden-host" not in text
    assert f"hosts/{hidden.pk}/" not in text


def test_the_panel_says_which_permission_the_log_takes(
    client_of: Signed, here: Place, admin: User
) -> None:
    reader = make_user(perms=["delivery.view_deploy", "cmdb.view_host"])
    deploy = make_deploy(here.environment, status="running")
    step = make_step(deploy, "check", "running", run=leg(here.host, admin))
    address = reverse("delivery:deploy_panel", args=[deploy.pk])
    text = client_of(reader).get(address, {"step": step.pk}).content.decode()
    assert "permission to see runs" in text
    assert "/ws/tasks/" not in text
