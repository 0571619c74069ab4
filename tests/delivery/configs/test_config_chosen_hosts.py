"""A push to some of the hosts: chosen on the page of the plan, bound to its hash, told by name; what may not be seen is not chosen."""

from __future__ import annotations

from typing import Any

import pytest

from adminset.errors import Conflict
from adminset.models import AuditEntry
from delivery.configs import preparing
from delivery.configs.planning import make_plan
from delivery.models import ConfigPush
from tests.app_factories import grant_on
from tests.appconf.config_things import make_file
from tests.delivery.configs.push_things import ask
from tests.delivery.safety.safety_things import Paper
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def place(paper: Paper) -> Paper:
    """An environment with a file."""
    make_file(paper.user, paper.pipeline.project, "a\n")
    return paper


def address(place: Paper) -> str:
    return f"/delivery/environments/{place.environment.pk}/config/"


def names(push: ConfigPush) -> list[str]:
    return [row.host_name for row in push.hosts.all()]


def test_hosts_are_chosen_on_the_page_and_only_they_get_files(
    place: Paper, client_of: Any
) -> None:
    page, own = client_of(place.user), address(place)
    keys = [host.pk for host in place.hosts[:2]]
    whole = page.get(own).context["plan"]
    shown = page.post(own, {"look": "1", "host": keys})
    assert shown.status_code == 200
    text = shown.content.decode()
    assert "Not chosen: nothing happens there." in text
    assert "2 hosts" in text
    plan = shown.context["plan"]
    assert plan.hash != whole.hash
    sent = {"hash": plan.hash, "reason": "two of them"}
    # The yes to two hosts is none to all, nor to others.
    assert page.post(own, sent).status_code == 409
    others = [place.hosts[0].pk, place.hosts[2].pk]
    assert page.post(own, {**sent, "host": others}).status_code == 409
    assert not ConfigPush.objects.exists()
    assert page.post(own, {**sent, "host": keys}).status_code == 302
    push = ConfigPush.objects.get()
    assert names(push) == ["paper0", "paper1"]
    assert push.run is not None
    assert push.run.hosts.count() == 2
    line = AuditEntry.objects.get(verb="configpush.start")
    told = {one["field"]: one["new"] for one in line.changes}
    assert told["hosts"] == 2
    assert "paper0" not in str(line.changes)


def test_all_hosts_by_name_are_the_same_plan_as_all_hosts(place: Paper) -> None:
    keys = [host.pk for host in place.hosts]
    whole = make_plan(place.user, place.environment)
    assert make_plan(place.user, place.environment, None, keys).hash == whole.hash


def test_a_worker_fills_in_only_the_chosen_hosts(place: Paper, settings: Any) -> None:
    settings.CONFIG_PUSH_AT_ONCE = 0
    keys = [place.hosts[1].pk]
    plan = make_plan(place.user, place.environment, None, keys)
    push = ask(place.user, place.environment, plan, host_ids=keys)
    preparing.prepare(push.pk)
    push.refresh_from_db()
    assert (push.status, names(push)) == ("running", ["paper1"])


def test_what_is_wrong_on_a_host_that_may_not_be_seen_is_told_without_its_name(
    place: Paper,
) -> None:
    make_file(place.user, place.pipeline.project, "${GONE}\n", "/etc/gone.conf")
    person = make_user("deployer")
    rights = ["appconf.deploy_environment", "appconf.view_configfile"]
    grant_on(person, rights, place.pipeline.project)
    (told,) = make_plan(person, place.environment).problems
    assert told.startswith("A host that you may not see: ")
    assert "GONE" in told
    assert len(make_plan(place.user, place.environment).problems) == 3


def test_a_host_of_elsewhere_and_one_that_may_not_be_seen_are_told_alike(
    place: Paper,
) -> None:
    stranger = make_host("elsewhere")
    person = make_user("deployer")
    rights = ["appconf.deploy_environment", "appconf.view_configfile"]
    grant_on(person, rights, place.pipeline.project)
    said = set()
    for actor, key in ((place.user, stranger.pk), (person, place.hosts[0].pk)):
        with pytest.raises(Conflict) as refused:
            make_plan(actor, place.environment, None, [key])
        said.add((refused.value.code, refused.value.message))
    assert said == {("no_host", "One of the hosts is not delivered to here.")}
