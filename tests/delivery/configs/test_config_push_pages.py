"""Pages of pushes: the plan, a yes to it, the result, what was read back; and who may see and do what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from appconf.models import ConfigFile, Environment
from delivery.models import ConfigDrift, ConfigPush
from tests.app_factories import grant_on
from tests.appconf.config_things import make_variable
from tests.delivery.configs.push_things import done
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(120)]
New = Callable[..., ConfigFile]


def test_the_whole_way_from_the_plan_to_the_difference(
    admin: User,
    environment: Environment,
    new_file: New,
    client_of: Any,
    etc: Path,
) -> None:
    make_variable(environment, "KEY", secret="s3cret-word")
    new_file("key=${KEY}\nport=80\n", reload_command="true")
    page, own = client_of(admin), f"/delivery/environments/{environment.pk}/config/"
    plan = page.get(own)
    shown = plan.content.decode()
    assert "1 reload command runs once" in shown
    assert "not read yet" in shown
    assert "-:-" not in shown
    assert "s3cret" not in shown
    sent = {"hash": plan.context["plan"].hash, "reason": "go"}
    answer = page.post(own, sent)
    push = ConfigPush.objects.get()
    # While it goes on the head of the page follows, too: its state, and the button to cancel it.
    follows = page.get(answer["Location"]).content.decode()
    assert 'hx-select-oob="#page-head"' in follows
    assert 'id="page-head"' in follows
    assert answer["Location"] == f"/delivery/config-pushes/{push.pk}/?tab=result"
    again = page.post(own, sent)
    assert again.status_code in (302, 409)
    assert ConfigPush.objects.count() == 1
    done(push)
    result = page.get(f"/delivery/config-pushes/{push.pk}/?tab=result").content
    assert b"put in place" in result
    assert "stays as it is" in page.get(own).content.decode()
    (etc / "app.conf").write_text("key=s3cret-word\nport=<b>81</b>\n")
    page.post(f"{own}read/")
    done(ConfigPush.objects.get(kind="read"))
    drift = ConfigDrift.objects.get()
    shown = page.get(f"/delivery/config-drifts/{drift.pk}/?tab=difference")
    text = shown.content.decode()
    assert "port=&lt;b&gt;81&lt;/b&gt;" in text
    assert f"{drift.pk}/?tab=difference" in page.get(own).content.decode()
    overview = page.get(f"/delivery/config-drifts/{drift.pk}/").content.decode()
    assert "31 B" in overview
    assert "Who changed it is not known" in text
    assert "s3cret" not in text
    for address in (
        "/delivery/config-drifts/",
        "/delivery/config-pushes/",
        "/delivery/config-drifts/?export=csv",
        f"/api/v1/config-drifts/{drift.pk}/",
        f"/api/v1/config-pushes/{push.pk}/",
        f"/appconf/config-files/{drift.file_id}/?tab=hosts",
        f"/tasks/runs/{push.run_id}/",
    ):
        answer = page.get(address)
        body = b"".join(answer) if answer.streaming else answer.content
        assert answer.status_code == 200, address
        assert b"s3cret" not in body, address


def test_a_plan_that_cannot_be_carried_out_offers_no_button(
    admin: User, environment: Environment, new_file: New, client_of: Any
) -> None:
    new_file("key=${GONE}\n")
    own = f"/delivery/environments/{environment.pk}/config/"
    shown = client_of(admin).get(own).content.decode()
    assert "there is no variable GONE" in shown
    assert 'name="hash"' not in shown


def test_who_may_not_deploy_finds_no_plan_and_sees_no_host_of_others(
    admin: User, environment: Environment, new_file: New, client_of: Any
) -> None:
    new_file("a\n")
    own = f"/delivery/environments/{environment.pk}/config/"
    looker = make_user("looker", perms=["appconf.view_environment"])
    assert client_of(looker).get(own).status_code == 403
    deployer = make_user("deployer")
    rights = ["appconf.view_environment", "appconf.deploy_environment"]
    grant_on(
        deployer,
        [*rights, "appconf.view_configfile", "delivery.view_configpush"],
        environment.project,
    )
    plan = client_of(deployer).get(own)
    assert plan.status_code == 200
    assert "web1" not in plan.content.decode()
    assert "And 1 host that you may not see." in plan.content.decode()
    client_of(deployer).post(own, {"hash": plan.context["plan"].hash, "reason": "go"})
    push = ConfigPush.objects.get()
    assert push.requested_by == deployer
    result = client_of(deployer).get(f"/delivery/config-pushes/{push.pk}/?tab=result")
    assert "web1" not in result.content.decode()
    stranger = make_user("stranger3", perms=["delivery.view_configpush"])
    gone = client_of(stranger).get(f"/delivery/config-pushes/{push.pk}/")
    assert gone.status_code == 404


def test_a_push_is_cancelled_before_it_begins(
    admin: User, environment: Environment, new_file: New, client_of: Any, etc: Path
) -> None:
    new_file("a\n")
    own = f"/delivery/environments/{environment.pk}/config/"
    page = client_of(admin)
    page.post(own, {"hash": page.get(own).context["plan"].hash, "reason": "go"})
    push = ConfigPush.objects.get()
    page.post(f"/delivery/config-pushes/{push.pk}/cancel/")
    done(push)
    push.refresh_from_db()
    assert push.status == "cancelled"
    assert list(etc.iterdir()) == []
