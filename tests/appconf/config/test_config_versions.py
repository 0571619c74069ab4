"""Versions of configuration files: added, approved by a second person, refused, brought back, pinned."""

from __future__ import annotations

import pytest

from accounts.models import User
from adminset.errors import Conflict, DomainError, Forbidden
from adminset.models import AuditEntry
from appconf.config import versions
from appconf.config.questions import files_of, in_force, path_in, version_in_force
from appconf.models import ConfigFile, ConfigVersion, Project
from tests.app_factories import grant_on, make_environment, make_project
from tests.appconf.config_things import make_file, newest
from tests.factories import make_user

pytestmark = pytest.mark.django_db
CHANGE = ["appconf.view_configfile", "appconf.change_configfile"]
APPROVE = ["appconf.view_configversion", "appconf.approve_configversion"]


@pytest.fixture
def project() -> Project:
    return make_project("shop")


@pytest.fixture
def author() -> User:
    return make_user("author", perms=[*CHANGE, *APPROVE])


@pytest.fixture
def second() -> User:
    return make_user("second", perms=[*CHANGE, *APPROVE])


def _file(author: User, project: Project, **fields) -> ConfigFile:
    return make_file(author, project, "port = 1\n", **fields)


def test_another_text_is_a_new_version_and_the_same_is_none(
    author: User, project: Project
) -> None:
    file = _file(author, project)
    again = versions.add_version(actor=author, file=file, text="port = 1\r\n")
    assert again is None
    made = versions.add_version(
        actor=author, file=file, text="port = 2\n", reason="more"
    )
    assert made is not None
    assert (made.number, made.author_name, made.reason) == (2, "author", "more")
    assert version_in_force(file) == made
    line = AuditEntry.objects.filter(verb="configversion.create").latest("pk")
    assert (line.actor, line.reason) == (author, "more")
    assert "port = 2" not in str(line.changes)
    assert ConfigVersion.objects.get(file=file, number=1).text == "port = 1\n"


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "x" * (256 * 1024 + 1)])
def test_what_is_no_text_or_too_long_is_refused(
    author: User, project: Project, text: str
) -> None:
    file = _file(author, project)
    with pytest.raises(DomainError):
        versions.add_version(actor=author, file=file, text=text)
    assert file.versions.count() == 1


def test_a_version_that_needs_approval_counts_once_a_second_person_approved_it(
    author: User, second: User, project: Project
) -> None:
    file = _file(author, project, approval=True)
    version = newest(file)
    assert version.status == "waiting"
    assert version_in_force(file) is None
    with pytest.raises(Forbidden) as own:
        versions.approve_version(actor=author, version=version)
    assert own.value.code == "own_version"
    versions.approve_version(actor=second, version=version, reason="read it")
    version.refresh_from_db()
    assert (version.status, version.decided_name) == ("approved", "second")
    assert version_in_force(file) == version
    line = AuditEntry.objects.get(verb="configversion.approve")
    assert (line.actor, line.reason) == (second, "read it")
    with pytest.raises(Conflict):
        versions.refuse_version(actor=second, version=version)


def test_a_refused_version_counts_for_nothing(
    author: User, second: User, project: Project
) -> None:
    file = _file(author, project, approval=True)
    versions.refuse_version(actor=second, version=newest(file), reason="no")
    assert newest(file).status == "refused"
    assert version_in_force(file) is None


def test_who_may_approve_another_project_does_not_approve_here(
    author: User, project: Project
) -> None:
    file = _file(author, project, approval=True)
    stranger = make_user("stranger2")
    grant_on(stranger, APPROVE, make_project("other"))
    with pytest.raises(Forbidden):
        versions.approve_version(actor=stranger, version=newest(file))
    assert newest(file).status == "waiting"
    own = make_user("own")
    grant_on(own, APPROVE, project)
    versions.approve_version(actor=own, version=newest(file))
    assert newest(file).status == "approved"


def test_who_may_not_change_the_file_adds_nothing(
    author: User, project: Project
) -> None:
    file = _file(author, project)
    with pytest.raises(Forbidden):
        versions.add_version(actor=make_user(perms=CHANGE[:1]), file=file, text="x")
    assert file.versions.count() == 1


def test_a_rollback_is_a_new_version_with_the_old_text_and_says_why(
    author: User, second: User, project: Project
) -> None:
    file = _file(author, project)
    first = newest(file)
    versions.add_version(actor=author, file=file, text="port = 2\n")
    with pytest.raises(DomainError):
        versions.roll_back(actor=second, file=file, to=first, reason=" ")
    back = versions.roll_back(actor=second, file=file, to=first, reason="it broke")
    assert (back.number, back.text, back.author) == (3, first.text, second)
    assert back.reason == "Back to version 1: it broke"
    assert version_in_force(file) == back
    with pytest.raises(Conflict):
        versions.roll_back(actor=second, file=file, to=first, reason="again")


def test_a_rollback_goes_round_no_approval(author: User, project: Project) -> None:
    file = _file(author, project)
    first = newest(file)
    versions.add_version(actor=author, file=file, text="port = 2\n")
    ConfigFile.objects.filter(pk=file.pk).update(approval=True)
    back = versions.roll_back(actor=author, file=file, to=first, reason="it broke")
    assert back.status == "waiting"
    assert version_in_force(file).number == 2  # type: ignore[union-attr]


def test_a_draft_counts_for_nothing_until_it_is_handed_in(
    author: User, project: Project
) -> None:
    file = _file(author, project)
    draft = versions.add_version(actor=author, file=file, text="x\n", draft=True)
    assert draft is not None
    assert version_in_force(file).number == 1  # type: ignore[union-attr]
    versions.submit_version(actor=author, version=draft)
    assert version_in_force(file) == draft


def test_a_pinned_version_counts_whatever_comes_after_it(
    author: User, project: Project
) -> None:
    file = _file(author, project)
    first = newest(file)
    versions.pin_version(actor=author, file=file, version=first, reason="stay")
    versions.add_version(actor=author, file=file, text="x\n")
    file.refresh_from_db()
    assert version_in_force(file) == first
    versions.pin_version(actor=author, file=file, version=None)
    file.refresh_from_db()
    assert version_in_force(file).number == 2  # type: ignore[union-attr]
    assert AuditEntry.objects.filter(verb="configfile.pin").count() == 2


def test_an_environment_has_its_own_files_and_those_of_all_others(
    author: User, project: Project
) -> None:
    live = make_environment(project, "live", config_path="/etc/shop")
    test = make_environment(project, "test", config_path="/etc/shop-test")
    shared = _file(author, project, path="app.conf")
    own = _file(author, project, path="/etc/shop/app.conf", environment=live)
    further = _file(author, project, path="/etc/other.conf")
    _file(author, make_project("other"), path="/etc/never.conf")
    assert files_of(live) == [further, own] or set(files_of(live)) == {own, further}
    assert set(files_of(test)) == {shared, further}
    assert path_in(shared, test) == "/etc/shop-test/app.conf"
    assert set(in_force(files_of(test))) == {shared.pk, further.pk}
    nowhere = make_environment(project, "nowhere")
    with pytest.raises(DomainError):
        path_in(shared, nowhere)
