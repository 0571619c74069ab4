"""Which value of a variable wins, and why: by level, for one project only, among groups that disagree."""

from __future__ import annotations

import pytest

from appconf.config.precedence import values_of
from appconf.config.resolving import resolve, resolve_hosts
from appconf.models import Environment
from cmdb.models import Host
from tests.app_factories import make_environment, make_project
from tests.appconf.config_things import make_variable
from tests.factories import make_dynamic, make_group, make_host

pytestmark = pytest.mark.django_db


@pytest.fixture
def host() -> Host:
    return make_host("web1", groups=[make_group("alpha"), make_group("beta")])


@pytest.fixture
def environment(host: Host) -> Environment:
    return make_environment(make_project("shop"), "live", hosts=[host])


def _group(host: Host, name: str):
    return host.groups.get(name=name)


def test_each_level_beats_the_one_before_it(
    environment: Environment, host: Host
) -> None:
    project = environment.project
    owners = [project.product_line, project, environment, _group(host, "alpha"), host]
    for number, owner in enumerate(owners):
        make_variable(owner, "PORT", str(number))
        found = resolve(project, environment, host)["PORT"]
        assert found.winner is not None
        assert found.winner.value() == str(number)
        assert [one.value() for one in found.lost] == [
            str(each) for each in reversed(range(number))
        ]
    assert resolve(project)["PORT"].winner.level == "project"  # type: ignore[union-attr]
    assert resolve(project, environment)["PORT"].winner.level == "environment"  # type: ignore[union-attr]


def test_the_page_is_told_why(environment: Environment, host: Host) -> None:
    make_variable(environment.project, "A", "1")
    assert resolve(environment.project)["A"].why == "It is the only one."
    make_variable(environment, "A", "2")
    why = resolve(environment.project, environment)["A"].why
    assert why == "Environment counts more than Project."


def test_groups_that_disagree_clash_and_the_later_name_wins(
    environment: Environment, host: Host
) -> None:
    make_variable(_group(host, "beta"), "A", "of beta")
    make_variable(_group(host, "alpha"), "A", "of alpha")
    found = resolve(environment.project, environment, host)["A"]
    assert found.winner is not None
    assert (found.winner.owner, found.winner.value()) == ("beta", "of beta")
    assert [one.owner for one in found.clashes] == ["alpha"]
    assert "beta" in found.why


def test_groups_that_say_the_same_do_not_clash(
    environment: Environment, host: Host
) -> None:
    for name in ("alpha", "beta"):
        make_variable(_group(host, name), "A", "same")
    assert resolve(environment.project, environment, host)["A"].clashes == ()


def test_one_for_this_project_beats_one_for_all_and_one_for_another_is_not_there(
    environment: Environment, host: Host
) -> None:
    project, other = environment.project, make_project("other")
    make_variable(_group(host, "alpha"), "A", "here", project=project)
    make_variable(_group(host, "beta"), "A", "everywhere")
    make_variable(host, "B", "elsewhere", project=other)
    found = resolve(project, environment, host)
    assert found["A"].winner is not None
    assert found["A"].winner.value() == "here"
    assert found["A"].clashes == ()
    assert "B" not in found


def test_many_hosts_are_asked_for_at_once(
    environment: Environment, host: Host, django_assert_max_num_queries
) -> None:
    make_variable(environment.project, "A", "all")
    hosts = [host, *(make_host(f"h{number}") for number in range(10))]
    environment.hosts.set(hosts)
    make_variable(hosts[3], "A", "third")
    with django_assert_max_num_queries(6):
        found = resolve_hosts(environment, hosts)
    values = {pk: values_of(each)["A"] for pk, each in found.items()}
    assert values.pop(hosts[3].pk) == "third"
    assert set(values.values()) == {"all"}


def test_a_secret_is_masked_unless_it_is_revealed_for_use(
    environment: Environment, host: Host
) -> None:
    make_variable(environment, "KEY", secret="s3cret-word")
    found = resolve(environment.project, environment, host)
    assert values_of(found) == {"KEY": "••••"}
    assert values_of(found, reveal=True) == {"KEY": "s3cret-word"}
    assert "s3cret-word" not in repr(found)


def test_a_group_that_machines_enter_by_what_they_say_gives_no_secrets_away(
    environment: Environment, host: Host
) -> None:
    said = make_dynamic("said", hostname_is=["web1"])
    make_variable(said, "KEY", secret="s3cret-word")
    make_variable(said, "PLAIN", "shown")
    found = resolve(environment.project, environment, host)
    assert "PLAIN" in found, "the filter does not take the host in"
    assert found["KEY"].winner is None
    assert "gives no secrets" in found["KEY"].lost[0].left_out
    assert values_of(found, reveal=True) == {"PLAIN": "shown"}
