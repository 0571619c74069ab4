"""The way to a host: through the jump host of its site, with that one's own login and key, and the key page goes it too."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User
from adminset import redis_door
from adminset.errors import DomainError, Unavailable
from adminset.models import AuditEntry
from cmdb.models import Credential, Host
from tasks import tasks
from tasks.models import Run, Site
from tasks.services.hostkeys import read_host_key
from tasks.services.reaching import rows_of, target_of
from tasks.services.waiting import note_workers
from tasks.sites.questions import way_to
from tasks.ssh import breakers, jumps
from tasks.ssh.pool import POOL
from tasks.targets import HostRefusedError
from tests.factories import make_host
from tests.farm import SshFarm
from tests.tasks.conftest import results
from tests.tasks.site_things import make_site, with_workers

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    redis_door.client().flushdb()
    jumps._forget()
    yield
    POOL.close()


def found(host: Host) -> Host:
    return Host.objects.get(pk=host.pk)


def names(host: Host, queue: str = "") -> list[str]:
    return [hop.hostname for hop in way_to(found(host), queue)]


def test_the_jump_host_itself_is_reached_directly() -> None:
    jump, host = make_host("jump"), make_host("behind")
    make_site(jump, host, how="jump", jump=jump)
    assert names(host) == ["jump"]
    assert names(jump) == []
    assert names(make_host()) == []


def test_a_jump_host_may_stand_behind_another() -> None:
    outer, inner, host = (make_host(name) for name in ("outer", "inner", "behind"))
    make_site(inner, how="jump", jump=outer)
    make_site(host, how="jump", jump=inner)
    assert names(host) == ["inner", "outer"]


def test_a_way_in_a_circle_or_too_long_is_refused() -> None:
    one, two, host = make_host("one"), make_host("two"), make_host("behind")
    make_site(one, how="jump", jump=two)
    make_site(two, host, how="jump", jump=one)
    with pytest.raises(DomainError, match="leads through one twice"):
        way_to(found(host))
    before = make_host("h0")
    for number in range(1, 6):
        jump = make_host(f"h{number}")
        make_site(before, how="jump", jump=jump)
        before = jump
    with pytest.raises(DomainError, match="more than 4 jump hosts"):
        way_to(Host.objects.get(hostname="h0"))


def test_workers_of_the_site_need_no_jump_host_and_others_pass_it() -> None:
    jump, host = make_host("jump"), make_host("behind")
    site = with_workers(jump, host, jump=jump)
    assert names(host, "idc.bj") == []
    assert names(host, "runs") == ["jump"]
    Site.objects.filter(pk=site.pk).update(enabled=False)
    assert names(host, "runs") == []


def test_the_target_has_the_jump_hosts_own_login_and_key_and_asks_nothing_more(
    admin: User, ask: Callable[..., Run], hosts: list[Host], django_assert_num_queries
) -> None:
    own = Credential.objects.create(name="jump", username="ferry", password="p4ss-word")
    jump = make_host(
        "jump", credential=own, host_key=hosts[0].host_key, address="10.9.9.9"
    )
    make_site(*hosts, jump, how="jump", jump=jump)
    run = ask()
    rows = rows_of(run, run.parts.get().pk)
    with django_assert_num_queries(0):
        targets = [target_of(row, row.host_name) for row in rows]
    for target in targets:
        assert target.jump is not None
        assert (target.jump.label, target.jump.login.user, target.jump.host_key) == (
            "jump (10.9.9.9:22)",
            "ferry",
            hosts[0].host_key,
        )
        assert target.jump.login.become_password is None
        assert target.jump.jump is None


def test_a_jump_host_without_credential_is_named(hosts: list[Host], do) -> None:
    make_site(*hosts, how="jump", jump=make_host("jump"))
    run = do()
    words = set(run.hosts.values_list("explanation", flat=True))
    name = hosts[0].hostname
    assert (
        f"{name} is reached through the jump host jump. jump has no credential. Choose one on its page."
        in words
    )


@pytest.fixture
def behind(hosts: list[Host]) -> list[Host]:
    """The first of three real servers is the jump host of the two others."""
    make_site(*hosts, how="jump", jump=hosts[0])
    return hosts[1:]


def test_a_run_and_the_key_page_go_through_the_jump_host(
    do: Callable[..., Run],
    behind: list[Host],
    hosts: list[Host],
    client_of: Callable[[User], Client],
    admin: User,
) -> None:
    run = do(on=behind, command="true")
    assert set(results(run).values()) == {("ok", 0)}
    gateways = [gateway._jump.label for gateway in jumps._gateways.values()]
    assert gateways == [f"{hosts[0].hostname} ({hosts[0].address}:{hosts[0].port})"]
    uses = AuditEntry.objects.filter(verb="credential.use")
    assert uses.count() == 1
    page = client_of(admin).post(
        f"/tasks/hosts/{behind[0].pk}/key/", {"action": "fetch"}
    )
    assert page.context["offered"].public == behind[0].host_key
    assert f"Reached through {hosts[0].hostname}." in page.content.decode()
    # A jump host whose key nobody accepted is not passed, not even for that.
    Host.objects.filter(pk=hosts[0].pk).update(host_key="")
    with pytest.raises(Unavailable, match="is not accepted yet"):
        read_host_key(host=found(behind[0]))


def test_the_key_of_a_host_at_a_site_is_read_by_a_worker_there(
    hosts: list[Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_workers(*hosts)
    sent: list[str] = []

    def send_task(name: str, args: tuple, queue: str, **options: object) -> None:
        sent.append(queue)
        tasks.tell_host_key(*args)

    monkeypatch.setattr("tasks.sites.asking.current_app.send_task", send_task)
    assert read_host_key(host=found(hosts[0])).public == hosts[0].host_key
    assert sent == ["idc.bj"]
    Host.objects.filter(pk=hosts[0].pk).update(ssh_port=9)
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9"):
        read_host_key(host=found(hosts[0]))


def test_nobody_at_the_site_is_said_at_once(hosts: list[Host]) -> None:
    with_workers(*hosts)
    note_workers({"runner@here": ["runs"]}, time.time())
    with pytest.raises(Unavailable, match=r"No worker serves queue idc\.bj"):
        read_host_key(host=found(hosts[0]))


def test_a_breaker_that_somebody_closes_lets_the_next_one_try(
    tmp_path: Path, settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SSH_BREAKER_FAILURES = 1
    monkeypatch.setattr(breakers, "LOOK_SECONDS", 0)
    with SshFarm(1, tmp_path / "one") as farm:
        jump = replace(farm.target(farm.hosts[0]), address="10.1.1.1")
    breaker, other = breakers.Breaker(jump), breakers.Breaker(jump)
    for each in (breaker, other):
        each.failed("it is dark there")
    with pytest.raises(HostRefusedError, match="left alone for another"):
        breaker.ask()
    assert len(breakers.breakers()) == 2
    assert breakers.close("10.1.1.1", jump.port, jump.login.user) == 2
    breaker.ask()
    other.ask()
    assert breakers.breakers() == []
    # One that opens after that stays open.
    time.sleep(0.01)
    breaker.failed("still dark")
    with pytest.raises(HostRefusedError):
        breaker.ask()
    assert [one.words for one in breakers.breakers()] == ["still dark"]
