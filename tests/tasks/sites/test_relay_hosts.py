"""Terminals and files of hosts that only a site's worker reaches: real sshd, real Redis, a real station, the whole way."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from adminset import redis_door
from adminset.errors import Unavailable
from cmdb.models import Host, HostGroup
from tasks.hostfiles.access import ACTIONS, permission
from tasks.hostfiles.door import files_of
from tasks.models import Site
from tasks.sites.relay import BOARD
from tasks.sites.relay_station import Station
from tasks.sites.ways import relay_to
from tasks.ssh.jumps import dial
from tasks.ssh.pool import POOL, key_of
from tasks.ssh.shell import Shell, Size, open_shell
from tasks.targets import HostRefusedError
from tasks.terminal.judging import check_way
from tests.factories import grant, make_host
from tests.farm import SshFarm
from tests.tasks.hostfiles.things import FilesPage
from tests.tasks.site_things import make_site, with_workers
from tests.tasks.sites.relay_things import PATIENCE, a_station, through, wait_for
from tests.tasks.terminal import things
from tests.tasks.terminal.conftest import (  # noqa: F401
    _terminals,
    _threads_read,
    from_here,
    opened,
    worker,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]
MEGABYTE = 2**20


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    redis_door.client().flushdb()
    yield
    POOL.close()
    wait_for(lambda: len(BOARD) == 0 and BOARD._thread is None)


@pytest.fixture
def station() -> Iterator[Station]:
    with a_station() as made:
        yield made


@pytest.fixture
def host(hosts: list[Host]) -> Host:
    """A host of a site with workers of its own; the portal itself would reach it, and must not try."""
    with_workers(hosts[0])
    return found(hosts[0])


def found(host: Host) -> Host:
    return Host.objects.select_related("credential", "idc").get(pk=host.pk)


def reads_until(shell: Shell, wanted: bytes, seconds: float = 10) -> bytes:
    came, deadline = b"", time.monotonic() + seconds
    while wanted not in came:
        assert time.monotonic() < deadline, came
        piece = shell.read(65536)
        assert piece is not None, came
        came += piece
        if not piece:
            time.sleep(0.0002)
    return came


def test_a_terminal_goes_through_the_worker(
    station: Station,
    opened: Any,  # noqa: F811
    host: Host,
    worker: User,  # noqa: F811
) -> None:
    session, hello = opened(on=host)

    async def scene() -> None:
        page = await things.begin(session, worker, hello)
        await page.type("echo through-$((20+3))\n")
        await page.shows("through-23")
        assert len(station.links) == 1
        await page.type("exit\n")
        await page.closes()

    things.run(scene)
    wait_for(lambda: not station.links)


def test_a_worker_that_goes_away_ends_the_terminal(
    opened: Any,  # noqa: F811
    host: Host,
    worker: User,  # noqa: F811
) -> None:
    async def scene(station: Station) -> None:
        session, hello = await things.in_thread(opened, on=host)
        page = await things.begin(session, worker, hello)
        await things.in_thread(station.stop)
        assert (await things.row_becomes(session, "ended")).end_reason
        await page.closes()

    with a_station() as station:
        things.run(lambda: scene(station))


def test_files_go_through_the_worker_as_they_are(
    station: Station,
    host: Host,
    operator: User,
    group: HostGroup,
    client_of: Callable[[User], Any],
    tmp_path: Path,
) -> None:
    grant(operator, [permission(action) for action in ACTIONS], [group])
    page = FilesPage(client_of(operator), host)
    content = os.urandom(9 * MEGABYTE + 17)
    answer = page.upload(tmp_path / "up", content, 4 * MEGABYTE)
    assert answer.status_code < 300, answer.content
    assert (tmp_path / "up").read_bytes() == content
    came = b"".join(page.get("host_files_download", tmp_path / "up").streaming_content)
    assert hashlib.sha256(came).digest() == hashlib.sha256(content).digest()
    assert station.links
    with files_of(host) as files:
        target = files.connection.target
    assert target.queue == "idc.bj"
    assert key_of(target) != key_of(through(target, ""))


def test_without_a_worker_it_is_said_before_anything_is_written(
    host: Host,
    opened: Any,  # noqa: F811
    operator: User,
    group: HostGroup,
    client_of: Callable[[User], Any],
    tmp_path: Path,
) -> None:
    with pytest.raises(Unavailable) as refused:
        opened(on=host)
    assert refused.value.code == "no_worker"
    assert "make worker QUEUES=idc.bj" in str(refused.value.hint)
    grant(operator, [permission("browsefiles")], [group])
    answer = FilesPage(client_of(operator), host).rows(tmp_path)
    assert "none answers" in answer.content.decode()


def test_who_stands_in_without_workers(hosts: list[Host]) -> None:
    own, other = with_workers(hosts[0]), with_workers(hosts[1], code="sh")
    assert [relay_to(found(host)) for host in hosts] == ["idc.bj", "idc.sh", ""]
    Site.objects.filter(pk=own.pk).update(fallback="direct")
    assert relay_to(found(hosts[0])) == ""
    check_way(found(hosts[0]))
    Site.objects.filter(pk=own.pk).update(fallback="other", other=other)
    assert relay_to(found(hosts[0])) == "idc.bj"
    with a_station("idc.sh"):
        assert relay_to(found(hosts[0])) == "idc.sh"
        with a_station("idc.bj"):
            assert relay_to(found(hosts[0])) == "idc.bj"


def test_another_sites_worker_goes_through_the_jump_host(hosts: list[Host]) -> None:
    jump = hosts[2]
    other = with_workers(hosts[1], code="sh")
    with_workers(hosts[0], jump=jump, fallback="other", other=other)
    with a_station("idc.sh") as station, files_of(found(hosts[0])) as files:
        target = files.connection.target
        assert target.jump is not None
        assert (target.queue, target.jump.queue) == ("", "idc.sh")
        (link,) = station.links.values()
        assert link.order.port == jump.port
        assert files.home()


def test_sites_without_workers_are_reached_as_before(hosts: list[Host]) -> None:
    make_site(hosts[0], how="jump", jump=make_host("jump"))
    assert relay_to(found(hosts[0])) == ""


def test_a_changed_key_is_refused_through_a_worker_too(
    station: Station, three_servers: SshFarm
) -> None:
    first, second = three_servers.hosts[:2]
    target = through(three_servers.target(first, host_key=second.host_key))
    with pytest.raises(HostRefusedError, match="changed"):
        open_shell(target, PATIENCE, dial, Size(80, 24))
    wait_for(lambda: not station.links)


def test_twenty_at_once_and_the_echo_is_quick(
    station: Station, three_servers: SshFarm
) -> None:
    connection.close()
    target = through(three_servers.target(three_servers.hosts[0]))

    def begin(number: int) -> Shell:
        shell = open_shell(target, PATIENCE, dial, Size(80, 24))
        shell.write(f"stty -echo; PS1=; echo is-$((1000+{number}))\n".encode())
        reads_until(shell, f"is-{1000 + number}".encode())
        return shell

    with ThreadPoolExecutor(5) as threads:
        shells = list(threads.map(begin, range(20)))
    assert len(station.links) == 20
    times = []
    shell = shells[7]
    shell.write(b"exec cat\n")
    time.sleep(0.2)
    for number in range(100):
        began = time.perf_counter()
        shell.write(f"<{number}>\n".encode())
        reads_until(shell, f"<{number}>".encode())
        times.append(time.perf_counter() - began)
    times.sort()
    # Generous: other tests share this machine.
    assert times[50] < 0.1
    for shell in shells:
        shell.close()
    wait_for(lambda: not station.links)
