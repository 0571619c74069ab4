"""A leg on the pages of runs: whose it is, what ran, and nothing that would start it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from cmdb.models import Host, HostGroup
from tasks.legs.subjects import SUBJECTS
from tasks.models import Run
from tests.factories import grant, make_host, make_user
from tests.tasks.legs.conftest import ROOM

pytestmark = pytest.mark.django_db
Ask = Callable[..., Run]
Signed = Callable[[User], Client]


@pytest.fixture
def linked() -> Iterator[None]:
    """The room above shows its things to administrators only."""

    def link(user: Any, subject: str) -> tuple[str, str] | None:
        number = subject.partition(":")[2]
        return (
            (f"Delivery <{number}>", f"/delivery/{number}/")
            if user.is_superuser
            else None
        )

    SUBJECTS[ROOM] = link
    yield
    del SUBJECTS[ROOM]


def page_of(client: Client, run: Run) -> str:
    answer = client.get(f"/tasks/runs/{run.pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.usefixtures("linked")
def test_the_page_links_whose_it_is_and_offers_no_second_time(
    ask_leg: Ask, admin: User, client_of: Signed
) -> None:
    run = ask_leg(
        "echo <b>hello</b>", subject="testing.thing:7", values={"A": "own-value"}
    )
    page = page_of(client_of(admin), run)
    assert '<a href="/delivery/7/">Delivery &lt;7&gt;</a>' in page
    assert "echo &lt;b&gt;hello&lt;/b&gt;" in page
    assert "own-value" not in page
    assert f"/tasks/runs/{run.pk}/cancel/" in page
    Run.objects.filter(pk=run.pk).update(status="failed")
    page = page_of(client_of(admin), run)
    assert f"/tasks/runs/{run.pk}/again/" not in page
    assert f"/tasks/runs/{run.pk}/change/" not in page


@pytest.mark.usefixtures("linked")
def test_who_sees_some_hosts_reads_neither_the_link_nor_the_program(
    ask_leg: Ask, hosts: list[Host], group: HostGroup, client_of: Signed
) -> None:
    far = make_host("far")
    run = ask_leg("echo program-of-all", subject="testing.thing:7", on=[hosts[0], far])
    user = make_user("reader")
    grant(user, ["tasks.view_run"], [group])
    page = page_of(client_of(user), run)
    assert "program-of-all" not in page
    assert "/delivery/7/" not in page
    assert "testing.thing:7" in page
    assert "far" not in page.split("run-hosts")[-1].split("</table>")[0].split()


def test_the_diff_page_and_the_hosts_page_show_legs(
    do_leg: Ask, admin: User, hosts: list[Host], client_of: Signed
) -> None:
    run = do_leg("echo one", title="Switch it")
    client = client_of(admin)
    assert client.get(f"/tasks/runs/{run.pk}/compare/").status_code == 200
    found = client.get(f"/cmdb/hosts/{hosts[0].pk}/", {"tab": "runs"})
    assert "Switch it" in found.content.decode()
