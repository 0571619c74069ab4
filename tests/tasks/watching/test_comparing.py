"""Two runs side by side: hosts then and now, outputs line by line, and which run is compared by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from cmdb.models import Host
from tasks.models import Run
from tasks.watching import comparing
from tasks.watching.same_work import former_runs, time_left, usual_duration
from tests.factories import make_host
from tests.tasks.watching.conftest import Ended

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


@pytest.fixture
def hosts() -> list[Host]:
    return [make_host(f"h{number}") for number in range(5)]


@pytest.fixture
def two(ended: Ended, hosts: list[Host]) -> tuple[Run, Run]:
    same, printed, otherwise, gone, new = hosts
    then = ended(
        {
            same: ("ok", 0, b"a\n"),
            printed: ("ok", 0, b"a\nb\nc\n"),
            otherwise: ("ok", 0, b"a\n"),
            gone: ("ok", 0, b"a\n"),
        }
    )
    now = ended(
        {
            same: ("ok", 0, b"a\n"),
            printed: ("ok", 0, b"a\n<b>\nc\n"),
            otherwise: ("failed", 3, b"a\n"),
            new: ("ok", 0, b"a\n"),
        }
    )
    return then, now


def test_a_run_is_compared_with_the_former_of_the_same_work(
    client_of: Signed, admin: User, two: tuple[Run, Run], ended: Ended
) -> None:
    then, now = two
    ended({make_host(): ("ok", 0, b"x\n")}, command="another", title="another")
    page = client_of(admin).get(f"{now.get_absolute_url()}compare/")
    assert page.context["other"] == then
    told = page.context["tally"]
    assert (told.same, told.otherwise, told.printed) == (1, 1, 1)
    assert (told.only_then, told.only_now) == (1, 1)
    shown = [(pair.name, pair.output) for pair in page.context["page"]]
    assert shown == [("h2", "same"), ("h3", ""), ("h4", ""), ("h1", "different")]
    page = client_of(admin).get(f"{now.get_absolute_url()}compare/?show=all")
    assert len(page.context["page"]) == 5


def test_any_run_can_be_named_and_one_that_is_none_is_not_found(
    client_of: Signed, admin: User, two: tuple[Run, Run]
) -> None:
    then, now = two
    client = client_of(admin)
    page = client.get(f"{then.get_absolute_url()}compare/?with=%23{now.pk}")
    assert page.context["other"] == now
    assert client.get(f"{then.get_absolute_url()}compare/").context["other"] is None
    for asked in ("999999", "x"):
        url = f"{then.get_absolute_url()}compare/?with={asked}"
        assert client.get(url).status_code == 404


def test_the_outputs_of_a_host_are_compared_line_by_line(
    client_of: Signed, admin: User, two: tuple[Run, Run], hosts: list[Host]
) -> None:
    _then, now = two
    client, row = client_of(admin), now.hosts.get(host=hosts[1])
    page = client.get(f"{now.get_absolute_url()}diff/?host={row.pk}")
    text = page.content.decode()
    assert (page.context["file"].added, page.context["file"].removed) == (1, 1)
    assert "&lt;b&gt;" in text
    new = now.hosts.get(host=hosts[4])
    url = f"{now.get_absolute_url()}diff/?host={new.pk}"
    assert client.get(url).status_code == 404
    answer = client.get(f"{now.get_absolute_url()}diff/")
    assert answer["Location"] == f"{now.get_absolute_url()}compare/"


def test_of_long_outputs_only_beginnings_and_ends_are_compared_and_that_is_said(
    client_of: Signed, admin: User, ended: Ended, hosts: list[Host], monkeypatch
) -> None:
    monkeypatch.setattr(comparing, "END_BYTES", 1000)
    lines = b"".join(b"line %05d\n" % number for number in range(3000))
    ended({hosts[0]: ("ok", 0, lines)})
    now = ended({hosts[0]: ("ok", 0, lines + b"one more\n")})
    row = now.hosts.get()
    page = client_of(admin).get(f"{now.get_absolute_url()}diff/?host={row.pk}")
    assert page.context["cut"]
    assert "only their beginnings and ends are compared" in page.content.decode()
    assert "one more" in page.content.decode()


def test_a_scoped_user_compares_with_runs_in_the_scope_only(
    client_of: Signed, operator: User, ended: Ended, own: Host, foreign: Host
) -> None:
    seen = ended({own: ("ok", 0, b"a\n"), foreign: ("ok", 0, b"a\n")})
    ended({foreign: ("ok", 0, b"a\n")})
    now = ended({own: ("failed", 1, b"b\n"), foreign: ("ok", 0, b"secret\n")})
    page = client_of(operator).get(f"{now.get_absolute_url()}compare/?show=all")
    assert page.context["other"] == seen
    assert [pair.name for pair in page.context["page"]] == ["own-host"]
    assert "foreign" not in page.content.decode()


def test_how_long_it_usually_takes_is_the_median_of_former_runs(
    admin: User, ended: Ended, hosts: list[Host]
) -> None:
    now = timezone.now()
    for seconds in (10, 20, 90):
        begun = now - timedelta(seconds=seconds)
        ended({hosts[0]: ("ok", 0, b"")}, started_at=begun, ended_at=now)
    ended({hosts[0]: ("ok", 0, b"")}, command="sleep 9", started_at=now, ended_at=now)
    run = ended({hosts[0]: ("ok", 0, b"")}, status="running", started_at=now)
    assert former_runs(admin, run).count() == 3
    usual = usual_duration(admin, run)
    assert usual is not None
    assert usual.total_seconds() == 20
    left = time_left(run, usual)
    assert left is not None
    assert 0 < left.total_seconds() <= 20
    assert time_left(run, timedelta(0)) is None
