"""Secrets, hosts and projects stay where they are unless who moves them has the rights at both ends."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from adminset.crud.forms import bound_form
from adminset.errors import Forbidden, NotFound
from appconf.config.panels import hosts_seen
from appconf.config.resources import VARIABLES
from appconf.environment_models import EnvironmentHost
from appconf.models import Project, Variable
from appconf.pull.content import host_named
from appconf.pull.tokens import create_token
from appconf.resources import PROJECT
from cmdb.models import HostGroup
from tests.app_factories import (
    grant_on,
    make_environment,
    make_line,
    make_project,
)
from tests.appconf.config_things import make_variable
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db
CHANGE = ["appconf.view_project", "appconf.change_project", "cmdb.view_productline"]
DEPLOY = ["appconf.deploy_environment", "appconf.view_environment"]


def _variable(user: User, row: Variable, **values: Any) -> Any:
    return bound_form(VARIABLES.form, user=user, values=values, instance=row)


def test_a_sealed_value_is_not_carried_to_another_owner(admin: User) -> None:
    mine, his = make_project("mine"), make_project("his")
    live = make_environment(his, "live")
    row = make_variable(his, "DB_PASSWORD", secret="s3cret-word")
    for values in (
        {"project": mine.pk},
        {"project": mine.pk, "secret": "typed-again"},
        {"level": "environment", "project": "", "environment": live.pk},
    ):
        assert not _variable(admin, row, **values).is_valid()
    group = HostGroup.objects.create(name="web")
    narrow = make_variable(group, "KEY", secret="s3cret-word", project=his)
    assert not _variable(admin, narrow, project="").is_valid()
    kept = _variable(admin, Variable.objects.get(pk=row.pk), notes="hm", name="DB_PASS")
    assert kept.is_valid(), kept.errors
    saved = kept.save()
    assert saved.secret.reveal() == "s3cret-word"
    assert saved.project == his


def test_a_plain_value_may_go_to_another_owner(admin: User) -> None:
    mine, his = make_project("mine"), make_project("his")
    row = make_variable(his, "PORT", "80")
    assert _variable(admin, row, project=mine.pk).is_valid()


def test_a_host_that_nobody_vouches_for_gets_no_values_of_its_own(admin: User) -> None:
    group = HostGroup.objects.create(name="web")
    foreign, own = make_host("foreign"), make_host("own")
    foreign.groups.add(group)
    live = make_environment(hosts=[own], groups=[group])
    make_variable(foreign, "KEY", secret="s3cret-word")
    made = create_token(
        actor=admin, environment=live, name="t", days=1, with_secrets=True
    )
    assert host_named(made[0], "own") == own
    with pytest.raises(NotFound):
        host_named(made[0], "foreign")
    assert hosts_seen(admin, live) == [own]


def _move(user: User, project: Project, line: Any) -> None:
    form = bound_form(
        PROJECT.form, user=user, values={"product_line": line.pk}, instance=project
    )
    assert form.is_valid(), form.errors
    PROJECT.save_checked(user=user, form=form)


def test_a_project_goes_to_another_line_only_by_who_may_deploy_in_both(
    admin: User,
) -> None:
    theirs, mine = make_line("theirs"), make_line("mine")
    host = make_host("web1")
    project = make_project("shop", product_line=theirs)
    environment = make_environment(project, "live", hosts=[host], by=admin)
    mover = make_user("mover")
    grant_on(mover, CHANGE, theirs, mine)
    grant_on(mover, DEPLOY, mine)

    def refused(code: str) -> None:
        with pytest.raises(Forbidden) as no:
            _move(mover, Project.objects.get(pk=project.pk), mine)
        assert no.value.code == code
        assert Project.objects.get(pk=project.pk).product_line == theirs

    refused("may_not_move")
    grant_on(mover, DEPLOY, theirs)
    # Whoever takes the hosts along answers for them.
    refused("may_not_run")
    grant_on(mover, ["cmdb.run_host", "cmdb.view_host"], host)
    _move(mover, Project.objects.get(pk=project.pk), mine)
    assert Project.objects.get(pk=project.pk).product_line == mine
    assert EnvironmentHost.objects.get(environment=environment).added_by == mover


def test_what_has_nothing_to_do_with_the_line_takes_no_such_right(db: None) -> None:
    line = make_line("theirs")
    project = make_project("shop", product_line=line)
    make_environment(project, "live", hosts=[make_host()])
    person = make_user("person")
    grant_on(person, CHANGE, line)
    form = bound_form(
        PROJECT.form, user=person, values={"owner": "Bob"}, instance=project
    )
    assert form.is_valid(), form.errors
    PROJECT.save_checked(user=person, form=form)
    assert Project.objects.get().owner == "Bob"
