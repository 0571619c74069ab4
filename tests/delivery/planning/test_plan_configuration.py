"""Where files of configuration lie is told beside a plan only to who may see the files; others are told how many there are."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from delivery.models import ConfigDrift
from delivery.planning.shown import ShownPlan, shown_plan
from tests.app_factories import grant_on, make_project
from tests.appconf.config_things import make_file, newest
from tests.delivery.factories import make_deploy
from tests.delivery.safety.safety_things import Paper
from tests.factories import grant, make_user

pytestmark = pytest.mark.django_db
READS = ("cmdb.view_host", "delivery.view_deploy", "appconf.view_environment")


@pytest.fixture
def told(paper: Paper) -> dict[str, Any]:
    """A plan with a file that drifted on one host and is missing on others, and one that nobody ever pushed."""
    project = paper.environment.project
    file = make_file(paper.user, project, "a\n", "/etc/app.conf")
    make_file(paper.user, project, "b\n", "/etc/never.conf")
    ConfigDrift.objects.create(
        environment=paper.environment,
        file=file,
        host=paper.hosts[0],
        path=file.path,
        version=newest(file),
        state="drifted",
    )
    return paper.plan().as_json()


@pytest.fixture
def reader() -> User:
    """Sees hosts and deploys everywhere, and no file."""
    user = make_user("reader")
    grant(user, READS)
    return user


def paths(shown: ShownPlan | None) -> tuple[Any, ...]:
    """Give what is told of files: paths in the rows and how many others, paths never pushed and how many others."""
    assert shown is not None
    rows = shown.rows
    return (
        {one["path"] for row in rows for one in row["config"]},
        [row["config_hidden"] for row in rows],
        shown.told["unpushed"],
        shown.told["unpushed_hidden"],
    )


def test_who_may_not_see_files_is_told_how_many_and_not_where(
    paper: Paper, told: dict[str, Any], reader: User, client_of: Any
) -> None:
    assert paths(shown_plan(reader, told)) == (set(), [1, 1, 1], [], 1)
    assert ".conf" not in str(shown_plan(reader, told))
    deploy = make_deploy(paper.environment, plan=told)
    page = client_of(reader).get(deploy.get_absolute_url())
    text = page.content.decode()
    assert page.status_code == 200
    assert ".conf" not in text
    assert "1 file that you may not see was never pushed to this environment" in text
    assert "config-drifts" not in text


def test_files_are_named_as_far_as_their_permission_reaches(
    paper: Paper, told: dict[str, Any], reader: User
) -> None:
    grant_on(reader, ["appconf.view_configfile"], make_project("elsewhere"))
    assert paths(shown_plan(reader, told)) == (set(), [1, 1, 1], [], 1)
    grant_on(reader, ["appconf.view_configfile"], paper.environment.project)
    seen = ({"/etc/app.conf"}, [0, 0, 0], ["/etc/never.conf"], 0)
    assert paths(shown_plan(reader, told)) == seen
    assert paths(shown_plan(paper.user, told)) == seen


def test_plans_that_kept_plain_paths_tell_them_to_who_sees_all_files(
    paper: Paper, told: dict[str, Any], reader: User
) -> None:
    for row in told["rows"]:
        row["config"] = ["/etc/app.conf"]
    told["unpushed"] = ["/etc/never.conf"]
    seen = ({"/etc/app.conf"}, [0, 0, 0], ["/etc/never.conf"], 0)
    assert paths(shown_plan(paper.user, told)) == seen
    grant_on(reader, ["appconf.view_configfile"], paper.environment.project)
    assert paths(shown_plan(reader, told)) == (set(), [1, 1, 1], [], 1)
