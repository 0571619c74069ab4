"""The page on which somebody takes the lock of a host away: who may, why, and nothing else happens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from accounts.models import User
from adminset.models import AuditEntry
from appconf.vouching import vouch
from cmdb.models import Host
from delivery.engine import showing
from delivery.safety import drift
from tasks.models import Run
from tests.app_factories import grant_on
from tests.delivery.factories import make_live
from tests.delivery.pages.conftest import DELIVERS, Place
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


def at(place: Place, host: Host) -> str:
    return reverse("delivery:host_unlock", args=[place.environment.pk, host.pk])


def looked(place: Place, lock: str, taken: str = "2026-03-01T12:00:00Z") -> Run:
    """Let the host say whose lock lies on it."""
    run, now = drift.ask(place.environment, by_hand=True), timezone.now()
    said = {"lock": lock, "lock_who": "<b>ann", "lock_taken": taken}
    run.hosts.update(status="ok", report={"said": said}, ended_at=now)
    Run.objects.filter(pk=run.pk).update(status="ok", ended_at=now)
    return run


def test_a_lock_of_a_host_is_taken_away_with_a_reason(
    client_of: Signed, deployer: User, admin: User, here: Place
) -> None:
    vouch(admin, here.environment, {here.host.pk}, set())
    make_live(here.environment, here.host, "1-a")
    client, address = client_of(deployer), at(here, here.host)
    page = reverse("delivery:environment_live", args=[here.environment.pk])
    assert address not in client.get(page).content.decode()
    assert client.get(address)["Location"] == page
    look = looked(here, "999999")
    text = client.get(page).content.decode()
    assert address in text
    assert "Locked by deploy 999999" in text
    text = client.get(address).content.decode()
    assert "the lock of deploy 999999 of &lt;b&gt;ann lay there" in text
    assert "March 1, 2026" in text
    sent = {"reason": "its deploy is gone", "holder": "999999"}
    for refused in ({"reason": " "}, {"holder": "7"}, {"holder": ""}):
        assert client.post(address, sent | refused).status_code == 422
    assert Run.objects.get() == look
    answer = client.post(address, sent)
    run = Run.objects.latest("pk")
    assert answer["Location"] == run.get_absolute_url()
    assert run.subject == f"delivery.lock:{here.environment.pk}"
    assert list(run.hosts.values_list("host", flat=True)) == [here.host.pk]
    line = AuditEntry.objects.get(verb="deploylock.break_host")
    assert (line.actor, line.reason) == (deployer, "its deploy is gone")
    for subject in (run.subject, f"delivery.check:{here.environment.pk}"):
        assert showing.words_of(deployer, subject) == (
            str(here.environment),
            here.environment.get_absolute_url(),
        )


@pytest.mark.parametrize("taken", ["<i>soon", "9999-12-31T23:59:59-23:00"])
def test_a_moment_that_is_none_stands_as_the_host_said_it(
    client_of: Signed, deployer: User, admin: User, here: Place, taken: str
) -> None:
    vouch(admin, here.environment, {here.host.pk}, set())
    make_live(here.environment, here.host, "1-a")
    looked(here, "999999", taken)
    text = client_of(deployer).get(at(here, here.host)).content.decode()
    assert f"taken {escape(taken)}" in text


def test_who_may_not_break_locks_takes_none_away(
    client_of: Signed, here: Place, elsewhere: Place, deployer: User, admin: User
) -> None:
    make_live(here.environment, here.host, "1-a")
    reader = make_user("reader")
    rights = [one for one in DELIVERS if "break" not in one]
    grant_on(reader, rights, here.project.product_line)
    address = at(here, here.host)
    client = client_of(reader)
    page = reverse("delivery:environment_live", args=[here.environment.pk])
    sent = {"reason": "away", "holder": "999999"}
    vouch(admin, here.environment, {here.host.pk}, set())
    look = looked(here, "999999")
    assert address not in client.get(page).content.decode()
    assert client.post(address, sent).status_code == 403
    client = client_of(deployer)
    assert client.post(at(elsewhere, elsewhere.host), sent).status_code == 404
    assert client.post(at(here, elsewhere.host), sent).status_code == 404
    assert client.post(at(here, make_host("stranger")), sent).status_code == 404
    assert Run.objects.get() == look
