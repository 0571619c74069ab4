"""Host keys: read on request, compared by a person, pinned by an explicit step, refused when they change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import Host, HostGroup
from tasks.models import Run
from tests.factories import make_host, make_user
from tests.farm import SshFarm

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


@pytest.fixture
def server(tmp_path: Path):
    with SshFarm(1, tmp_path / "one") as farm:
        yield farm


@pytest.fixture
def host(server: SshFarm, hosts: list[Host], group: HostGroup) -> Host:
    one = server.hosts[0]
    return make_host(
        "fresh",
        groups=[group],
        address=one.address,
        ssh_port=one.port,
        credential=hosts[0].credential,
    )


def test_a_key_is_read_compared_accepted_and_refused_when_it_changes(
    client_of: Signed, admin: User, server: SshFarm, host: Host, do: Callable[..., Run]
) -> None:
    url, client = f"/tasks/hosts/{host.pk}/key/", client_of(admin)
    assert "none yet" in client.get(url).content.decode()
    page = client.post(url, {"action": "fetch"})
    offered = page.context["offered"]
    assert offered.public == server.hosts[0].host_key
    assert offered.fingerprint_sha256 in page.content.decode()
    assert "ssh_host_ed25519_key.pub" in page.content.decode()
    host.refresh_from_db()
    assert host.host_key == ""

    assert (
        client.post(url, {"action": "accept", "public_key": offered.public}).status_code
        == 302
    )
    host.refresh_from_db()
    assert host.host_key == offered.public
    assert AuditEntry.objects.filter(verb="host.accept_key", actor=admin).count() == 1
    assert "the same key" in client.post(url, {"action": "fetch"}).content.decode()

    server.restart_with_new_key(server.hosts[0])
    run = do(command="true", on=[host])
    row = run.hosts.get()
    assert row.status == "unreachable"
    assert "changed" in row.explanation
    page = client.post(url, {"action": "fetch"})
    assert page.context["changed"] is True
    assert "another key" in page.content.decode()


def test_a_host_that_does_not_answer_says_so(client_of: Signed, admin: User) -> None:
    silent = make_host(address="127.0.0.1", ssh_port=9)
    answer = client_of(admin).post(
        f"/tasks/hosts/{silent.pk}/key/", {"action": "fetch"}
    )
    assert answer.status_code == 422
    assert "127.0.0.1:9" in answer.content.decode()


def test_what_is_no_key_is_not_pinned(client_of: Signed, admin: User) -> None:
    host = make_host()
    answer = client_of(admin).post(
        f"/tasks/hosts/{host.pk}/key/",
        {"action": "accept", "public_key": "ssh-rsa evil"},
    )
    assert answer.status_code == 422
    host.refresh_from_db()
    assert host.host_key == ""


def test_pinning_needs_the_permission_to_change_this_very_host(
    client_of: Signed, group: HostGroup, other_group: HostGroup
) -> None:
    own, foreign = make_host(groups=[group]), make_host(groups=[other_group])
    changer = client_of(
        make_user(perms=["cmdb.view_host", "cmdb.change_host"], groups=[group])
    )
    looker = client_of(make_user(perms=["cmdb.view_host"]))
    assert changer.get(f"/tasks/hosts/{own.pk}/key/").status_code == 200
    assert changer.get(f"/tasks/hosts/{foreign.pk}/key/").status_code == 404
    assert (
        looker.post(f"/tasks/hosts/{own.pk}/key/", {"action": "fetch"}).status_code
        == 403
    )
