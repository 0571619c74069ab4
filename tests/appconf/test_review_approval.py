"""No second file, no other path and no other folder goes round the need for approval."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from adminset.crud.forms import bound_form
from adminset.errors import Conflict, Forbidden
from appconf.config import versions
from appconf.config.questions import files_of, in_force
from appconf.config.resources import CONFIG_FILES
from appconf.models import ConfigFile, Environment, Project
from appconf.resources import ENVIRONMENT
from tests.app_factories import make_environment, make_project
from tests.appconf.config_things import make_file, newest
from tests.factories import make_user

pytestmark = pytest.mark.django_db
VIEW = ["appconf.view_project", "appconf.view_environment", "appconf.view_configfile"]
WRITE = [*VIEW, "appconf.add_configfile", "appconf.change_configfile"]
APPROVE = ["appconf.view_configversion", "appconf.approve_configversion"]
PLACE = "/srv/shop/conf/app.conf"


@pytest.fixture
def project() -> Project:
    return make_project("shop", config_path="/srv/shop/conf")


@pytest.fixture
def live(project: Project) -> Environment:
    return make_environment(project, "live")


@pytest.fixture
def writer() -> User:
    return make_user(
        "writer",
        perms=[
            *WRITE,
            "appconf.delete_configfile",
            "appconf.change_environment",
        ],
    )


@pytest.fixture
def approved(admin: User, project: Project) -> ConfigFile:
    """A file of all environments whose text somebody else approved."""
    file = make_file(admin, project, "good\n", "app.conf", approval=True)
    second = make_user("second", perms=[*WRITE, *APPROVE])
    versions.approve_version(actor=second, version=newest(file))
    return file


def _save(user: User, file: ConfigFile | None = None, **values: Any) -> ConfigFile:
    form = bound_form(CONFIG_FILES.form, user=user, values=values, instance=file)
    assert form.is_valid(), form.errors
    saved: Any = CONFIG_FILES.save_checked(user=user, form=form)
    return saved


def _text(environment: Environment, path: str = PLACE) -> str:
    folder = environment.config_folder
    (file,) = (
        each
        for each in files_of(environment)
        if path in (each.path, f"{folder}/{each.path}")
    )
    return in_force([file])[file.pk].text


def test_a_file_of_an_environment_needs_the_approval_that_its_place_needs(
    project: Project, live: Environment, writer: User, approved: ConfigFile
) -> None:
    own = _save(
        writer,
        name="own",
        project=project.pk,
        environment=live.pk,
        path=PLACE,
        text="evil\n",
        mode="0644",
    )
    assert newest(own).status == "waiting"
    assert _text(live) == "good\n"
    with pytest.raises(Forbidden):
        _save(writer, own, reload_command="id")
    versions.approve_version(actor=make_user(perms=APPROVE), version=newest(own))
    assert _text(live) == "evil\n"


def test_a_second_file_of_one_place_is_refused_however_its_path_is_written(
    project: Project, live: Environment, writer: User, approved: ConfigFile
) -> None:
    with pytest.raises(Conflict) as taken:
        _save(writer, name="b", project=project.pk, path=PLACE, text="x", mode="0644")
    assert taken.value.code == "place_taken"
    assert ConfigFile.objects.count() == 1


def test_a_file_that_nobody_approved_moves_to_no_approved_place(
    admin: User,
    project: Project,
    live: Environment,
    writer: User,
    approved: ConfigFile,
) -> None:
    other = make_file(admin, project, "evil\n", "/etc/other.conf", environment=live)
    with pytest.raises(Forbidden):
        _save(writer, other, path=PLACE)
    # However it comes there: its text takes nothing before a person approved it.
    ConfigFile.objects.filter(pk=other.pk).update(path=PLACE)
    assert _text(live) == "good\n"
    approved.delete()
    assert _text(live) == "evil\n"


def test_a_folder_that_carries_approved_files_is_moved_by_who_may_approve(
    project: Project, live: Environment, writer: User, approved: ConfigFile
) -> None:
    def moved(user: User) -> None:
        values = {"config_path": "/srv/elsewhere"}
        form = bound_form(ENVIRONMENT.form, user=user, values=values, instance=live)
        assert form.is_valid(), form.errors
        ENVIRONMENT.save_checked(user=user, form=form)

    with pytest.raises(Forbidden):
        moved(writer)
    assert Environment.objects.get(pk=live.pk).config_path == ""
    moved(make_user("both", perms=[*APPROVE, *VIEW, "appconf.change_environment"]))
    assert Environment.objects.get(pk=live.pk).config_path == "/srv/elsewhere"


def test_a_file_of_another_environment_needs_no_approval_for_it(
    admin: User, project: Project, live: Environment
) -> None:
    make_file(admin, project, "a\n", PLACE, environment=live, approval=True)
    test = make_environment(project, "test")
    own = make_file(admin, project, "b\n", PLACE, environment=test)
    assert newest(own).status == "approved"
    assert _text(test) == "b\n"
