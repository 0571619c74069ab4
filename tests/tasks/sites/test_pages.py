"""The pages of sites: how they do in words, who sees and changes them, the button that closes a breaker."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from adminset import redis_door
from adminset.models import AuditEntry
from cmdb.models import Credential, Host, HostGroup
from tasks.models import RunHost, Site
from tasks.services.claim import claim_part
from tasks.services.launch import RunSpec, request_run
from tasks.services.waiting import note_workers
from tasks.sites.health import Health, health_of, with_jumps
from tasks.ssh import breakers
from tests.factories import make_host, make_idc, make_user
from tests.tasks.site_things import make_site, with_workers

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
LIST = "/tasks/sites/"


@pytest.fixture(autouse=True)
def fresh() -> None:
    redis_door.client().flushdb()


def health(site: Site) -> Health:
    return health_of(with_jumps(Site.objects.filter(pk=site.pk)))[site.pk]


@pytest.fixture
def jump() -> Host:
    credential = Credential.objects.create(name="ferry", username="ferry")
    key = "ssh-ed25519 AAAA"
    return make_host("jump", credential=credential, host_key=key)


def trip(jump: Host) -> None:
    """A worker leaves a jump host alone."""
    state = breakers.Tripped(
        str(jump.address), 22, "ferry", "w/1", "it is <b>dark</b>", time.time() + 60
    )
    member = breakers.json.dumps(breakers.asdict(state), sort_keys=True)
    redis_door.keep_until(breakers.SHARED, member, state.until)


def test_a_site_with_workers_says_how_it_does(
    admin: User, client_of: Signed, django_assert_max_num_queries
) -> None:
    host = make_host("far")
    site = with_workers(host)
    assert (health(site).state, health(site).label) == ("idle", "not known")
    run = request_run(actor=admin, spec=RunSpec(command="id", host_ids=(host.pk,)))
    note_workers({"w@bj": ["idc.bj"]}, time.time())
    told = health(site)
    assert (told.state, told.label, told.waiting) == ("ok", "1 worker", 1)
    assert claim_part(pk=run.parts.get().pk, worker="w@bj") is not None
    told = health(site)
    assert (told.state, told.going, told.workers) == ("busy", 1, ["w@bj"])
    page = client_of(admin).get(f"{LIST}{site.pk}/?tab=state").content.decode()
    for words in ("1 worker", "w@bj", "idc.bj", f"#{run.pk} id", "running"):
        assert words in page
    RunHost.objects.update(
        status="failed", explanation="<i>no</i>", ended_at=timezone.now()
    )
    page = client_of(admin).get(f"{LIST}{site.pk}/?tab=state").content.decode()
    assert "&lt;i&gt;no&lt;/i&gt;" in page


def test_a_site_whose_workers_are_gone_is_red_and_says_since_when(
    admin: User, client_of: Signed
) -> None:
    site = with_workers(make_host())
    note_workers({"w@bj": ["idc.bj"]}, time.time())
    redis_door.client().delete("adminset:run-workers:idc.bj")
    told = health(site)
    assert (told.state, told.label) == ("danger", "no worker")
    assert told.words.startswith("No worker serves queue idc.bj since ")
    page = client_of(admin).get(LIST).content.decode()
    assert "state-danger" in page
    assert "No worker serves queue idc.bj since " in page


def test_a_site_behind_a_jump_host_says_how_that_does(jump: Host) -> None:
    site = make_site(make_host(), how="jump", jump=jump)
    assert health(site).state == "ok"
    trip(jump)
    told = health(site)
    assert (told.state, told.label) == ("danger", "jump host away")
    assert "it is <b>dark</b>" in told.words
    Host.objects.filter(pk=jump.pk).update(host_key="")
    redis_door.client().flushdb()
    assert health(site).words == "jump has no accepted key: open its page."
    Site.objects.update(enabled=False)
    assert health(Site.objects.get()).state == "idle"


def test_the_button_closes_the_breaker(
    admin: User, client_of: Signed, jump: Host, operator: User
) -> None:
    site = make_site(make_host(), how="jump", jump=jump)
    trip(jump)
    client, url = client_of(admin), f"{LIST}{site.pk}/close-breaker/"
    page = client.get(f"{LIST}{site.pk}/?tab=state").content.decode()
    assert "Try it again now" in page
    assert "it is &lt;b&gt;dark&lt;/b&gt;" in page
    assert client.get(url).status_code == 405
    assert client_of(operator).post(url).status_code == 403
    assert len(breakers.breakers()) == 1
    answer = client.post(url, follow=True).content.decode()
    assert "jump is tried again by 1 worker process that left it alone." in answer
    assert "Try it again now" not in answer
    assert breakers.breakers() == []
    assert AuditEntry.objects.get(verb="site.close_breaker").actor == admin


def test_an_operator_sees_the_sites_of_own_hosts_only(
    client_of: Signed, group: HostGroup, other_group: HostGroup
) -> None:
    perms = ["tasks.view_site", "tasks.change_site", "cmdb.view_host", "tasks.view_run"]
    operator = make_user(perms=perms, groups=[group])
    own = make_site(make_host(groups=[group]), make_host(groups=[group]))
    foreign = make_site(make_host(groups=[other_group]))
    client = client_of(operator)
    page = client.get(LIST).content.decode()
    assert str(own) in page
    assert str(foreign) not in page
    assert client.get(f"{LIST}{own.pk}/?tab=state").status_code == 200
    assert client.get(f"{LIST}{foreign.pk}/?tab=state").status_code == 404
    assert client.get(f"{LIST}{own.pk}/edit/").status_code == 403


@pytest.mark.parametrize(
    ("given", "field", "told"),
    [
        ({"how": "jump"}, "jump", "Choose the jump host."),
        ({"fallback": "other"}, "other", "Choose the site whose workers stand in."),
        ({"most": "0"}, "most", "greater than or equal to 1"),
    ],
)
def test_a_form_says_what_is_missing(
    admin: User, client_of: Signed, given: dict[str, str], field: str, told: str
) -> None:
    plain = {
        "idc": make_idc().pk,
        "enabled": "on",
        "how": "workers",
        "fallback": "wait",
    }
    answer = client_of(admin).post(f"{LIST}add/", plain | given)
    assert answer.status_code == 422
    assert told in " ".join(answer.context["form"].errors[field])
    assert not Site.objects.exists()


def test_who_chooses_a_jump_host_must_be_able_to_use_it(
    client_of: Signed, jump: Host, admin: User
) -> None:
    idc = make_idc()
    given = {"idc": idc.pk, "enabled": "on", "how": "jump", "fallback": "wait"}
    perms = ["tasks.view_site", "tasks.add_site", "cmdb.view_host", "cmdb.view_idc"]
    client = client_of(make_user(perms=perms))
    answer = client.post(f"{LIST}add/", given | {"jump": jump.pk})
    assert answer.status_code == 422
    assert "You may not run work on jump." in answer.content.decode()
    assert not Site.objects.exists()
    answer = client_of(admin).post(f"{LIST}add/", given | {"jump": jump.pk})
    assert answer.status_code == 302
    assert Site.objects.get().jump == jump
    assert AuditEntry.objects.filter(verb="site.create").count() == 1


def test_jump_hosts_in_a_circle_are_not_saved(
    admin: User, client_of: Signed, jump: Host
) -> None:
    other = make_host("other", credential=jump.credential)
    make_site(jump, how="jump", jump=other)
    idc = make_idc()
    Host.objects.filter(pk=other.pk).update(idc=idc)
    given = {"idc": idc.pk, "enabled": "on", "how": "jump", "fallback": "wait"}
    answer = client_of(admin).post(f"{LIST}add/", given | {"jump": jump.pk})
    assert answer.status_code == 422
    assert Site.objects.count() == 1
