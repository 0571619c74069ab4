"""The page of an application shows all of it to who may see it, and nothing of what he may not."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from appconf import extensions
from appconf.extensions import Live
from appconf.models import ConfigFile, ConfigVersion, Project, Variable
from cmdb.models import Contact
from tests.app_factories import (
    grant_on,
    make_dependency,
    make_environment,
    make_line,
    make_package,
    make_project,
)
from tests.cmdb.things import HOSTILE as HOSTILE_THING
from tests.cmdb.things import poison
from tests.factories import make_group, make_host, make_user

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def shop(admin: User) -> Project:
    """An application with something of everything."""
    project = make_project(
        "shop",
        owner="Ann",
        on_call="call the night desk",
        config_notes="two files",
        monitoring_notes="watch the queue",
        health_url="https://shop.example.org/health",
        sla="99.9 %",
        business_notes="sells shoes",
        ports="8080, 9000/udp",
        architecture_notes="one web, one worker",
        run_user="shop",
        permission_notes="reads /data",
        start_command="systemctl start shop",
        operation_notes="drain first",
    )
    project.packages.add(make_package("jdk", "21"))
    Contact.objects.create(name="Ann", email="ann@example.org", phone="12345")
    hosts = [make_host("shop-1"), make_host("shop-2")]
    make_environment(project, "live", hosts=hosts, by=admin, kind="production")
    make_dependency(project, make_project("stock"))
    make_dependency(project, make_host("db-1"))
    make_dependency(make_project("cart"), project)
    file = ConfigFile.objects.create(project=project, name="app.ini", path="app.ini")
    file.pinned = ConfigVersion.objects.create(file=file, number=7, sha256="0" * 64)
    file.save()
    Variable.objects.create(project=project, name="COLOUR", value="secret-ish")
    return project


def _page(browser: Any, project: Project) -> str:
    answer = browser.get(project.get_absolute_url())
    assert answer.status_code == 200
    text: str = answer.content.decode()
    return text


def test_the_page_shows_attributes_people_hosts_dependencies_and_files(
    client_of: Any, admin: User, shop: Project
) -> None:
    page = _page(client_of(admin), shop)
    for words in (
        "jdk 21",
        "two files",
        "watch the queue",
        "99.9 %",
        "sells shoes",
        "8080, 9000/udp",
        "one web, one worker",
        "reads /data",
        "systemctl start shop",
        "drain first",
        "call the night desk",
        'href="mailto:ann@example.org"',
        'href="tel:12345"',
        "shop-1",
        "shop-2",
        "/srv/shop",
        "stock",
        "db-1",
        "cart",
        "app.ini",
        "version 7",
    ):
        assert words in page, words
    assert "secret-ish" not in page


def test_what_is_live_where_comes_from_the_room_above(
    client_of: Any, admin: User, shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = shop.environments.get()
    hosts = {str(host): host.pk for host in environment.hosts.all()}
    asked = []

    def live(user: Any, environments: Any) -> dict[tuple[int, int], Live]:
        asked.append((user, list(environments)))
        key = environment.pk
        return {
            (key, hosts["shop-1"]): Live("41-9f3c02aa", since=timezone.now()),
            (key, hosts["shop-2"]): Live(HOSTILE, state="warning", words="drift"),
        }

    monkeypatch.setattr(extensions, "live_releases", [live])
    page = _page(client_of(admin), shop)
    assert asked == [(admin, [environment])]
    assert "41-9f3c02aa" in page
    assert "drift" in page
    assert HOSTILE not in page


def test_what_a_reader_may_not_see_is_not_named(client_of: Any, shop: Project) -> None:
    user = make_user()
    perms = ("project", "environment", "dependency")
    grant_on(user, [f"appconf.view_{name}" for name in perms], shop)
    page = _page(client_of(user), shop)
    assert "live" in page
    for words in ("shop-1", "stock", "db-1", "cart", "app.ini", "ann@example.org"):
        assert words not in page, words
    assert "not for you to see" in page


def test_a_page_of_many_environments_and_hosts_asks_no_more_often(
    client_of: Any, admin: User, django_assert_max_num_queries: Any
) -> None:
    project = make_project("big")
    make_environment(
        project, hosts=[make_host() for _ in range(30)], by=admin, position=1
    )
    browser = client_of(admin)
    _page(browser, project)
    with django_assert_max_num_queries(60):
        _page(browser, project)


def test_a_page_draws_so_many_hosts_and_says_how_many_more(
    client_of: Any, admin: User, settings: Any
) -> None:
    settings.APPLICATION_HOSTS = 2
    project = make_project()
    hosts = [make_host(f"one-{number}") for number in range(5)]
    make_environment(project, hosts=hosts, by=admin)
    page = _page(client_of(admin), project)
    assert "one-1" in page
    assert "one-2" not in page
    assert "3 more hosts" in page


def test_a_host_tells_which_applications_run_on_it(client_of: Any, admin: User) -> None:
    group = make_group("web")
    host = make_host(groups=[group])
    make_environment(make_project("by-itself"), hosts=[host])
    make_environment(make_project("by-group"), groups=[group])
    make_environment(make_project("elsewhere"), hosts=[make_host()])
    address = f"{host.get_absolute_url()}?tab=applications"
    page = client_of(admin).get(address).content.decode()
    assert "by-itself" in page
    assert "by-group" in page
    assert "elsewhere" not in page
    perms = ["cmdb.view_host"]
    hidden = client_of(make_user(perms=perms)).get(address).content.decode()
    assert "by-itself" not in hidden


def test_a_product_line_lists_its_projects(client_of: Any, admin: User) -> None:
    line = make_line()
    make_project("inside", product_line=line)
    make_project("outside")
    page = client_of(admin).get(f"{line.get_absolute_url()}?tab=projects")
    assert "inside" in page.content.decode()
    assert "outside" not in page.content.decode()


def test_environments_are_found_by_their_hosts(client_of: Any, admin: User) -> None:
    group = make_group("web")
    host = make_host(groups=[group])
    make_environment(name="direct", hosts=[host])
    make_environment(name="grouped", groups=[group])
    make_environment(name="other", hosts=[make_host()])
    answer = client_of(admin).get(f"/appconf/environments/?hosts={host.pk}")
    rows = answer.context["table"].page.object_list.data
    assert {row.name for row in rows} == {"direct", "grouped"}


def test_hostile_words_in_every_field_stay_words(
    client_of: Any, admin: User, shop: Project
) -> None:
    environment = shop.environments.get()
    package = shop.packages.get()
    rows = [
        *(shop, environment, package, Contact.objects.get()),
        *shop.dependencies.all(),
        *environment.hosts.all(),
        *shop.config_files.all(),
    ]
    poisoned = [poison(row) for row in rows]
    assert all(poisoned)
    # The contact's name was poisoned too: it is found again.
    Contact.objects.update(name=HOSTILE_THING[:100])
    browser = client_of(admin)
    for row in (shop, environment, package):
        listed = row.get_absolute_url().rsplit("/", 2)[0] + "/"
        for address in (
            row.get_absolute_url(),
            f"{row.get_absolute_url()}edit/",
            f"{row.get_absolute_url()}history/",
            listed,
        ):
            page = browser.get(address).content.decode()
            assert "<script>alert(1)" not in page, address
            assert "<img src=x" not in page, address


def test_a_host_tells_which_applications_need_it(client_of: Any, shop: Project) -> None:
    host = shop.dependencies.get(on_host__isnull=False).on_host
    make_dependency(make_project("hidden-one"), host)
    address = f"{host.get_absolute_url()}?tab=applications"
    user = make_user()
    perms = ("project", "environment", "dependency")
    grant_on(user, [f"appconf.view_{name}" for name in perms], shop)
    grant_on(user, ["cmdb.view_host"], host)
    page = client_of(user).get(address).content.decode()
    assert "Needed by" in page
    assert shop.get_absolute_url() in page
    assert "hidden-one" not in page
    other = make_user()
    grant_on(other, ["cmdb.view_host"], host)
    grant_on(other, ["appconf.view_environment"], make_project())
    assert "Needed by" not in client_of(other).get(address).content.decode()
