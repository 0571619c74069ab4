"""What is live where, drift in words, going back, and locks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from adminset.models import AuditEntry
from appconf import extensions
from appconf.vouching import vouch
from delivery.models import Deploy, DeployLock
from delivery.pages import locking
from delivery.safety import drift
from tasks.models import Run
from tests.app_factories import grant_on, make_environment
from tests.delivery.factories import make_artefact, make_deploy, make_live, make_lock
from tests.delivery.pages.conftest import Place
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


@pytest.fixture
def client(client_of: Signed, deployer: User) -> Client:
    return client_of(deployer)


def at(verb: str, place: Place) -> str:
    return reverse(f"delivery:environment_{verb}", args=[place.environment.pk])


def test_drift_is_said_in_a_sentence(client: Client, here: Place) -> None:
    make_live(here.environment, here.host, "42-bbbbbbbb", said="41-aaaaaaaa")
    text = client.get(at("live", here)).content.decode()
    assert "shop-host runs 41-aaaaaaaa, the portal says 42-bbbbbbbb." in text
    overview = client.get(reverse("delivery:live")).content.decode()
    assert "1 host drifted" in overview


def test_hosts_outside_the_scope_are_counted_and_not_named(
    client: Client, here: Place
) -> None:
    hidden = make_host("hidden-host")
    make_live(here.environment, hidden, "42-bbbbbbbb", said="41-aaaaaaaa")
    make_live(here.environment, here.host, "42-bbbbbbbb")
    for page in (at("live", here), reverse("delivery:live")):
        text = client.get(page).content.decode()
        assert "hidden-host" not in text
        assert "1 host outside your scope" in text
        assert "drifted" not in text


def test_environments_of_others_are_not_there(
    client: Client, here: Place, elsewhere: Place
) -> None:
    assert "bank" not in client.get(reverse("delivery:live")).content.decode()
    for verb in ("live", "rollback", "lock"):
        assert client.get(at(verb, elsewhere)).status_code == 404
    for verb in ("rollback", "lock", "read"):
        assert client.post(at(verb, elsewhere)).status_code == 404
    assert not Deploy.objects.exists()
    assert not DeployLock.objects.exists()


def test_the_page_of_an_application_knows_what_is_live(
    here: Place, deployer: User
) -> None:
    make_live(here.environment, here.host, "42-bbbbbbbb", said="41-aaaaaaaa")
    hidden = make_host()
    make_live(here.environment, hidden, "42-bbbbbbbb")
    found = extensions.live(deployer, [here.environment])
    [key] = found
    assert key == (here.environment.pk, here.host.pk)
    assert (found[key].release, found[key].state) == ("41-aaaaaaaa", "warning")
    assert extensions.live(make_user(), [here.environment]) == {}


def test_what_is_live_is_counted_on_all_hosts_and_not_only_on_those_that_are_drawn(
    client: Client, here: Place, settings: Any
) -> None:
    settings.APPLICATION_HOSTS = 1
    line = here.project.product_line
    more = [make_host(f"more-{number}", product_line=line) for number in range(2)]
    here.environment.hosts.add(*more)
    for host in (here.host, *more):
        make_live(here.environment, host, "42-b", said="42-b")
    text = client.get(here.environment.get_absolute_url()).content.decode()
    assert "2 more hosts" in text
    assert "on 3 hosts" in text
    here.environment.environmenthost_set.filter(host=more[0]).delete()
    text = client.get(here.environment.get_absolute_url()).content.decode()
    assert "1 more host" in text
    assert "on 2 hosts" in text


def test_the_project_has_a_tab_with_its_pipelines_and_deploys(
    client: Client, here: Place
) -> None:
    deploy = make_deploy(here.environment, status="ok")
    text = client.get(f"{here.project.get_absolute_url()}?tab=delivery").content
    assert deploy.get_absolute_url() in text.decode()
    assert here.pipeline.get_absolute_url() in text.decode()


def test_reading_back_asks_the_hosts_by_a_leg(
    client: Client, here: Place, monkeypatch: Any
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(drift, "ask", lambda *what, **how: asked.append((*what, how)))
    assert client.post(at("read", here)).status_code == 302
    assert asked == [(here.environment, {"by_hand": True})]


def test_the_page_follows_while_hosts_are_asked_and_a_moment_longer(
    client: Client, here: Place, admin: User
) -> None:
    vouch(admin, here.environment, {here.host.pk}, set())
    make_live(here.environment, here.host, "42-bbbbbbbb")
    words, follows = "The hosts are asked.", 'hx-trigger="every 2s"'

    def shown() -> tuple[bool, bool]:
        text = client.get(at("live", here)).content.decode()
        return words in text, follows in text

    assert shown() == (False, False)
    drift.ask(here.environment, by_hand=True)
    assert shown() == (True, True)
    now = timezone.now()
    Run.objects.update(status="ok", ended_at=now)
    # What the hosts said is written down behind the end of the run.
    assert shown() == (True, True)
    Run.objects.update(ended_at=now - timedelta(minutes=1))
    assert shown() == (False, False)


def test_files_are_compared_on_wish_and_what_was_changed_is_said(
    client: Client, here: Place, elsewhere: Place
) -> None:
    row = make_live(here.environment, here.host, "42-bbbbbbbb")
    assert at("compare", here) in client.get(at("live", here)).content.decode()
    assert client.post(at("compare", elsewhere)).status_code == 404
    answer = client.post(at("compare", here))
    assert answer["Location"] == at("live", here)
    assert Run.objects.get().purpose == "delivery.look"
    assert (
        "The hosts compare their files."
        in client.get(answer["Location"]).content.decode()
    )
    row.compared, row.compared_at = row.said, row.read_at
    row.changed, row.changed_files = 1, "./<b>.py"
    row.save()
    text = client.get(at("live", here)).content.decode()
    assert "1 file of 42-bbbbbbbb is not what was delivered: ./&lt;b&gt;.py" in text


def test_going_back_offers_what_hosts_keep_and_makes_a_rollback(
    client: Client, here: Place
) -> None:
    artefact, newer, never = (make_artefact(here.project) for _n in range(3))
    kept = [{"release": artefact.release, "good": True, "bad": False}]
    make_live(
        here.environment,
        here.host,
        newer.release,
        artefact=newer,
        previous=artefact.release,
        kept=[*kept, {"release": "99999999999999-x"}, {"release": "../../etc"}],
    )
    text = client.get(at("rollback", here)).content.decode()
    assert artefact.release in text
    assert never.release not in text
    sent = {
        "pipeline": here.pipeline.pk,
        "to_artefact": artefact.pk,
        "reason": "the shop is slow",
    }
    answer = client.post(at("rollback", here), sent)
    deploy = Deploy.objects.get()
    assert answer["Location"] == deploy.get_absolute_url()
    assert (deploy.kind, deploy.artefact) == ("rollback", artefact)
    assert deploy.reason == "the shop is slow"


def test_where_there_is_nothing_to_go_back_to_it_is_said(
    client: Client, here: Place
) -> None:
    sent = {"pipeline": here.pipeline.pk, "reason": "the shop is slow"}
    answer = client.post(at("rollback", here), sent)
    assert answer.status_code == 422
    assert (
        "nothing" in answer.content.decode() or "no release" in answer.content.decode()
    )
    assert not Deploy.objects.exists()


def test_a_lock_is_taken_with_a_reason_and_given_back(
    client: Client, here: Place, deployer: User
) -> None:
    assert client.post(at("lock", here), {"reason": " "}).status_code == 422
    assert not DeployLock.objects.exists()
    assert client.post(at("lock", here), {"reason": "migration"}).status_code == 302
    lock = DeployLock.objects.get()
    assert (lock.owner, lock.reason) == (deployer, "migration")
    again = client.post(at("lock", here), {"reason": "me too"})
    assert again.status_code == 422
    assert "migration" in again.content.decode()
    page = client.get(reverse("delivery:deploylock_list")).content.decode()
    release = reverse("delivery:deploylock_release", args=[lock.pk])
    assert release in page
    assert client.post(release).status_code == 302
    assert not DeployLock.objects.exists()


def test_somebody_elses_lock_is_broken_with_a_reason_and_on_record(
    client: Client, here: Place, admin: User
) -> None:
    lock = make_lock(here.environment, admin, "holidays")
    release = reverse("delivery:deploylock_release", args=[lock.pk])
    client.post(release)
    assert DeployLock.objects.exists()
    address = reverse("delivery:deploylock_break", args=[lock.pk])
    assert "holidays" in client.get(address).content.decode()
    assert client.post(address, {"reason": ""}).status_code == 422
    assert client.post(address, {"reason": "she is away"}).status_code == 302
    assert not DeployLock.objects.exists()
    entry = AuditEntry.objects.get(verb="deploylock.break")
    assert entry.reason == "she is away"


def test_the_lock_of_a_deploy_that_goes_on_is_not_broken(
    client: Client, here: Place
) -> None:
    deploy = make_deploy(here.environment, status="running")
    lock = DeployLock.objects.create(
        environment=here.environment, deploy=deploy, owner_name="x", reason="y"
    )
    address = reverse("delivery:deploylock_break", args=[lock.pk])
    answer = client.post(address, {"reason": "away with it"})
    assert answer.status_code == 422
    assert DeployLock.objects.exists()


def test_an_environment_with_a_host_that_does_not_answer_is_not_as_it_should_be(
    client: Client, here: Place
) -> None:
    make_live(here.environment, here.host, "42-bbbbbbbb", problem="it is away")
    for page in (at("live", here), reverse("delivery:live")):
        text = client.get(page).content.decode()
        assert "1 host to look at" in text
        assert "as it should be" not in text


def test_of_many_environments_none_has_a_button_to_lock_it(
    client: Client, client_of: Signed, here: Place
) -> None:
    page = reverse("delivery:deploylock_list")
    assert at("lock", here) in client.get(page).content.decode()
    for number in range(locking.MOST_BUTTONS):
        make_environment(here.project, f"more-{number}", by=None)
    text = client.get(page).content.decode()
    assert at("lock", here) not in text
    assert "Choose an environment" in text
    # The page that it leads to has the button, and is not for everybody.
    assert at("lock", here) in client.get(at("live", here)).content.decode()
    locker = make_user("locker")
    rights = ["view_deploylock", "add_deploylock"]
    grant_on(locker, [f"delivery.{right}" for right in rights], here.project)
    grant_on(locker, ["appconf.deploy_environment"], here.project)
    assert at("lock", here) in client_of(locker).get(page).content.decode()
