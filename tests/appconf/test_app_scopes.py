"""Grants on product lines and projects open what belongs to them, and nothing of others."""

from typing import Any

import pytest

from appconf.models import (
    ConfigFile,
    Dependency,
    Environment,
    Project,
    Variable,
)
from tests.app_factories import (
    grant_on,
    make_dependency,
    make_environment,
    make_line,
    make_project,
)
from tests.factories import make_dynamic, make_group, make_host, make_user

pytestmark = pytest.mark.django_db
KINDS = ("project", "environment", "dependency", "configfile", "variable")
VIEW = [f"appconf.view_{kind}" for kind in KINDS]
CHANGE = [f"appconf.change_{kind}" for kind in KINDS]


def _furnish(project: Project) -> dict[type[Any], Any]:
    return {
        Project: project,
        Environment: make_environment(project, hosts=[make_host()]),
        Dependency: make_dependency(project, make_host()),
        ConfigFile: ConfigFile.objects.create(project=project, name="c", path="c"),
        Variable: Variable.objects.create(project=project, name="COLOUR", value="x"),
    }


@pytest.mark.parametrize("by", ["line", "project"])
def test_a_grant_opens_what_belongs_to_it_and_nothing_else(by: str) -> None:
    line = make_line()
    project = make_project(product_line=line)
    mine = _furnish(project)
    _furnish(make_project())
    user = make_user()
    grant_on(user, [*VIEW, *CHANGE], line if by == "line" else project)
    for model, row in mine.items():
        assert list(model.objects.visible_to(user)) == [row], model
        assert list(model.objects.visible_to(user, "change")) == [row], model


def test_a_grant_on_a_line_opens_no_variable_that_holds_for_all_lines() -> None:
    line = make_line()
    host = make_host()
    for level, owner in (("host", host), ("group", make_group())):
        field = "host" if level == "host" else "host_group"
        Variable.objects.create(level=level, name="EVERYWHERE", **{field: owner})
    own = Variable.objects.create(
        level="host", name="ONE", host=host, project=make_project(product_line=line)
    )
    user = make_user()
    grant_on(user, [*VIEW, *CHANGE], line)
    assert list(Variable.objects.visible_to(user, "change")) == [own]


def test_a_group_shows_the_applications_on_its_hosts_for_looking_only() -> None:
    group, dynamic = make_group("web"), make_dynamic("ops")
    listed = make_environment(hosts=[make_host(groups=[group])])
    by_group = make_environment(groups=[group])
    ops = make_environment(hosts=[make_host(owner="ops")])
    make_environment(hosts=[make_host()])
    user = make_user()
    grant_on(user, [*VIEW, *CHANGE], group, dynamic)
    found = Environment.objects.visible_to(user)
    assert set(found) == {listed, by_group, ops}
    assert {row.pk for row in Project.objects.visible_to(user)} == {
        row.project_id for row in found
    }
    for model in (Environment, Project):
        assert not model.objects.visible_to(user, "change").exists()
    assert not ConfigFile.objects.visible_to(user).exists()


def test_a_single_host_shows_its_applications() -> None:
    host = make_host()
    mine = make_environment(hosts=[host])
    make_environment(hosts=[make_host()])
    user = make_user()
    grant_on(user, VIEW, host)
    assert list(Environment.objects.visible_to(user)) == [mine]


def test_nobody_moves_a_project_into_a_line_that_is_not_his(client_of: Any) -> None:
    mine, other = make_line(), make_line()
    project = make_project(product_line=mine)
    user = make_user(perms=["cmdb.view_productline"])
    grant_on(user, [*VIEW, *CHANGE], mine)
    answer = client_of(user).patch(
        f"/api/v1/projects/{project.pk}/",
        {"product_line": other.pk},
        "application/json",
    )
    assert answer.status_code == 403
    project.refresh_from_db()
    assert project.product_line == mine


def test_an_environment_stays_with_its_project(client_of: Any, admin: Any) -> None:
    environment, other = make_environment(), make_project()
    project = environment.project
    client_of(admin).patch(
        f"/api/v1/environments/{environment.pk}/",
        {"project": other.pk},
        "application/json",
    )
    environment.refresh_from_db()
    assert environment.project == project
