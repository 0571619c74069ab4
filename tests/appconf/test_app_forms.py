"""What the forms of applications refuse: paths of the system, addresses that are options, credentials of others."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from accounts.models import User
from appconf.checks import (
    check_deploy_path,
    check_file_path,
    check_source_address,
    check_variable_name,
)
from appconf.models import Dependency, Project
from cmdb.models import Credential
from tests.app_factories import make_line, make_project
from tests.factories import make_host, make_user

VIEW = ["appconf.view_project", "cmdb.view_productline", "cmdb.view_credential"]


@pytest.mark.parametrize("path", ["/srv/shop", "/opt/a b", "/var/www/shop", ""])
def test_a_folder_of_its_own_is_taken(path: str) -> None:
    assert check_deploy_path(path) is None


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/etc",
        "/usr/bin",
        "/var/lib",
        "/proc/1",
        "/dev/disk",
        "srv/shop",
        "/srv/../etc",
        "/srv//shop",
        "/srv/shop/",
        "/srv/./shop",
        "/srv/sh\nop",
        "/srv/\x00",
        "/" + "a" * 600,
    ],
)
def test_a_folder_of_the_system_or_no_plain_path_is_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        check_deploy_path(path)


@pytest.mark.parametrize(
    "address",
    [
        "https://git.example.org/shop.git",
        "ssh://git@git.example.org:2222/shop.git",
        "git@git.example.org:team/shop.git",
        "svn+ssh://svn@example.org/shop/trunk",
        "https://user@git.example.org/shop.git",
    ],
)
def test_an_address_of_a_repository_is_taken(address: str) -> None:
    assert check_source_address(address) is None


@pytest.mark.parametrize(
    "address",
    [
        "--upload-pack=touch /tmp/x",
        "-oProxyCommand=id",
        "ext::sh -c id",
        "ext::https://x",
        "https://a b",
        "https://user:word@git.example.org/shop.git",
        "https://:word@git.example.org/shop.git",
        "git@host::path",
        "../shop",
        "https://x\ny",
    ],
)
def test_an_address_that_is_an_option_or_holds_a_password_is_refused(
    address: str,
) -> None:
    with pytest.raises(ValidationError):
        check_source_address(address)


@pytest.mark.parametrize("path", ["app.conf", "conf.d/a.ini", "/etc/shop/app.conf"])
def test_a_path_of_a_file_is_taken(path: str) -> None:
    assert check_file_path(path) is None


@pytest.mark.parametrize("path", ["", "/", "conf/", "../x", "a/../b", "a\x00"])
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(ValidationError):
        check_file_path(path)


@pytest.mark.parametrize("name", ["1A", "A-B", "A B", "A\n", "", "É", "A" * 101])
def test_a_name_that_no_shell_takes_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        check_variable_name(name)


def _project(user: User, **values: Any) -> dict[str, Any]:
    return {
        "name": "shop",
        "code": "shop",
        "product_line": make_line().pk,
        "source_type": "git",
        "source_address": "https://git.example.org/shop.git",
        "criticality": "medium",
    } | values


@pytest.mark.django_db
def test_nobody_sends_a_credential_that_is_not_his_to_an_address_of_his_own(
    client_of: Any,
) -> None:
    credential = Credential.objects.create(name="git", username="git")
    user = make_user(perms=[*VIEW, "appconf.add_project", "appconf.change_project"])
    browser = client_of(user)
    sent = _project(user, source_credential=credential.pk)
    answer = browser.post("/appconf/projects/add/", sent)
    assert "source_credential" in answer.context["form"].errors
    assert not Project.objects.exists()
    project = make_project(
        source_address="https://good.example.org/x.git", source_credential=credential
    )
    for change in (
        {"source_address": "https://evil.example.org/x.git"},
        {"source_type": "svn"},
    ):
        answer = browser.patch(
            f"/api/v1/projects/{project.pk}/", change, "application/json"
        )
        assert answer.status_code == 422
    project.refresh_from_db()
    assert project.source_address == "https://good.example.org/x.git"
    # What has nothing to do with it may be changed.
    answer = browser.patch(
        f"/api/v1/projects/{project.pk}/", {"owner": "Bob"}, "application/json"
    )
    assert answer.status_code == 200


@pytest.mark.django_db
def test_who_may_use_a_credential_gives_it_to_a_project(client_of: Any) -> None:
    credential = Credential.objects.create(name="git", username="git")
    perms = [*VIEW, "appconf.add_project", "cmdb.use_credential"]
    user = make_user(perms=perms)
    sent = _project(user, source_credential=credential.pk)
    assert client_of(user).post("/appconf/projects/add/", sent).status_code == 302
    assert Project.objects.get().source_credential == credential


@pytest.mark.django_db
@pytest.mark.parametrize("both", [True, False])
def test_a_dependency_is_on_one_thing(client_of: Any, admin: User, both: bool) -> None:
    project, other = make_project(), make_project()
    sent = {"project": project.pk, "kind": "calls"}
    if both:
        sent |= {"on_project": other.pk, "on_host": make_host().pk}
    answer = client_of(admin).post("/appconf/dependencies/add/", sent)
    assert answer.status_code == 422
    assert not Dependency.objects.exists()


@pytest.mark.django_db
def test_a_project_does_not_depend_on_itself(client_of: Any, admin: User) -> None:
    project = make_project()
    sent = {"project": project.pk, "kind": "calls", "on_project": project.pk}
    answer = client_of(admin).post("/appconf/dependencies/add/", sent)
    assert answer.status_code == 422
    assert not Dependency.objects.exists()
