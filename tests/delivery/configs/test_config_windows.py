"""Change windows and freezes keep configuration from hosts as they do releases; reading back waits for none; every push says why."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from adminset.errors import Conflict, DomainError, Forbidden
from adminset.models import AuditEntry
from delivery.configs import preparing
from delivery.configs.planning import make_plan
from delivery.configs.reading import request_read
from delivery.models import ConfigPush, DeployLock, Pipeline
from tasks.models import Calendar, Run
from tests.app_factories import grant_on, make_environment
from tests.appconf.config_things import make_file
from tests.delivery.configs.push_things import ask
from tests.delivery.safety.safety_things import Paper
from tests.factories import make_user

pytestmark = pytest.mark.django_db
WHY = "the shop is down for everybody"
MAY = (
    "appconf.view_environment",
    "appconf.deploy_environment",
    "appconf.view_configfile",
)


@pytest.fixture
def frozen(paper: Paper) -> Paper:
    """An environment with a file, in a freeze."""
    make_file(paper.user, paper.pipeline.project, "a\n")
    times = "mon-sun # peak season"
    paper.way(freezes=Calendar.objects.create(name="always", times=times))
    return paper


@pytest.fixture
def deployer(frozen: Paper) -> User:
    made = make_user("deployer")
    grant_on(made, MAY, frozen.pipeline.project)
    return made


def push(paper: Paper, actor: User | None = None, **wanted: Any) -> ConfigPush:
    plan = make_plan(actor or paper.user, paper.environment)
    return ask(actor or paper.user, paper.environment, plan, **wanted)


def nothing_began() -> bool:
    rows = (ConfigPush, Run, DeployLock)
    return not any(model.objects.exists() for model in rows)


def test_in_a_freeze_nothing_is_pushed_and_reading_goes_on(frozen: Paper) -> None:
    with pytest.raises(Conflict) as refused:
        push(frozen)
    assert refused.value.code == "closed"
    assert refused.value.message == "Nothing is deployed now: always: peak season."
    assert nothing_began()
    read = request_read(actor=frozen.user, environment=frozen.environment)
    assert (read.kind, read.status) == ("read", "running")


def test_all_pipelines_that_guard_the_environment_count_also_one_that_is_off(
    frozen: Paper,
) -> None:
    frozen.way(freezes=None)
    never = Calendar.objects.create(name="new year", times="1999-01-01")
    other = Pipeline.objects.create(
        project=frozen.pipeline.project, name="second", calendar=never, is_active=False
    )
    with pytest.raises(Conflict, match="outside the change windows of new year"):
        push(frozen)
    other.guarded_kinds = ["never-this-kind"]
    other.save()
    assert push(frozen).status == "running"


def test_a_pipeline_that_goes_elsewhere_only_closes_nothing_here(
    frozen: Paper,
) -> None:
    elsewhere = make_environment(frozen.pipeline.project, "elsewhere")
    frozen.pipeline.environments.add(elsewhere)
    assert push(frozen).status == "running"


def test_an_emergency_needs_the_right_to_it_and_a_sentence_and_is_told(
    frozen: Paper, deployer: User
) -> None:
    with pytest.raises(Forbidden, match="outside the change windows"):
        push(frozen, deployer, emergency_reason=WHY)
    with pytest.raises(DomainError, match="why it cannot wait"):
        push(frozen, emergency_reason="now!")
    assert nothing_began()
    rights = ["delivery.emergency_deploy"]
    grant_on(deployer, rights, frozen.pipeline.project)
    deployer = User.objects.get(pk=deployer.pk)
    begun = push(frozen, deployer, emergency_reason=WHY)
    assert (begun.status, begun.emergency_reason) == ("running", WHY)
    line = AuditEntry.objects.get(verb="configpush.start")
    told = {one["field"]: one["new"] for one in line.changes}
    assert told["emergency"] == WHY
    assert told["hosts"] == 3


def test_without_a_window_in_the_way_it_is_no_emergency(frozen: Paper) -> None:
    frozen.way(freezes=None)
    begun = push(frozen, emergency_reason=WHY)
    assert begun.emergency_reason == ""
    assert "emergency" not in str(
        AuditEntry.objects.get(verb="configpush.start").changes
    )


def test_a_freeze_that_began_before_the_worker_came_ends_the_push(
    frozen: Paper, settings: Any
) -> None:
    settings.CONFIG_PUSH_AT_ONCE = 0
    calendar = frozen.pipeline.freezes
    frozen.way(freezes=None)
    late = push(frozen)
    frozen.way(freezes=calendar)
    preparing.prepare(late.pk)
    late.refresh_from_db()
    assert late.status == "failed"
    assert "peak season" in late.explanation
    assert not Run.objects.exists()
    assert not DeployLock.objects.exists()
    urgent = push(frozen, emergency_reason=WHY)
    preparing.prepare(urgent.pk)
    urgent.refresh_from_db()
    assert urgent.run is not None


@pytest.mark.parametrize("reason", ["", "   "])
def test_a_push_without_a_reason_does_not_begin(frozen: Paper, reason: str) -> None:
    frozen.way(freezes=None)
    with pytest.raises(DomainError, match="Say why"):
        push(frozen, reason=reason)
    assert nothing_began()


def test_the_page_says_what_is_closed_and_asks_only_who_may_override(
    frozen: Paper, deployer: User, client_of: Any
) -> None:
    own = f"/delivery/environments/{frozen.environment.pk}/config/"
    plain = client_of(deployer)
    shown = plain.get(own)
    assert "peak season" in shown.content.decode()
    assert 'name="hash"' not in shown.content.decode()
    sent = {"hash": shown.context["plan"].hash, "reason": "go"}
    assert plain.post(own, {**sent, "emergency_reason": WHY}).status_code == 403
    page = client_of(frozen.user)
    assert 'name="emergency_reason"' in page.get(own).content.decode()
    refused = page.post(own, sent)
    assert refused.status_code == 409
    assert "say why it cannot wait" in refused.content.decode()
    assert 'value="go"' in refused.content.decode()
    assert nothing_began()
    assert page.post(own, {**sent, "emergency_reason": WHY}).status_code == 302
    assert ConfigPush.objects.get().emergency_reason == WHY


def test_the_page_asks_for_the_reason(frozen: Paper, client_of: Any) -> None:
    frozen.way(freezes=None)
    own = f"/delivery/environments/{frozen.environment.pk}/config/"
    page = client_of(frozen.user)
    hashed = page.get(own).context["plan"].hash
    refused = page.post(own, {"hash": hashed, "reason": " "})
    assert refused.status_code == 422
    assert nothing_began()
    stale = page.post(own, {"hash": "", "reason": "go"})
    assert stale.status_code == 409
    assert nothing_began()
