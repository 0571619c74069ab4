"""Whoever sees some hosts of a run only finds nothing of the others: in groups, lists, ranges, searches, archives, comparisons."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from cmdb.models import Host
from tasks.models import Run
from tests.tasks.watching.conftest import Ended

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


def body(answer: Any) -> bytes:
    parts = answer.streaming_content if answer.streaming else [answer.content]
    return b"".join(parts)


def members(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {one.name: tar.extractfile(one).read() for one in tar}


@pytest.mark.parametrize(
    "part",
    [
        "",
        "hosts/",
        "hosts/?name=foreign",
        "found/?q=needle",
        "compare/",
        "?status=failed",
    ],
)
def test_pages_of_a_scoped_user_name_no_foreign_host(
    client_of: Signed, operator: User, mixed: Run, part: str
) -> None:
    answer = client_of(operator).get(f"{mixed.get_absolute_url()}{part}")
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "foreign" not in text.replace("name=foreign", "").replace(
        'value="foreign"', ""
    )


def test_counts_and_groups_are_those_of_the_hosts_that_one_sees(
    client_of: Signed, operator: User, admin: User, mixed: Run
) -> None:
    page = client_of(operator).get(mixed.get_absolute_url())
    assert [(g.status, g.count) for g in page.context["groups"]] == [("ok", 1)]
    assert (page.context["total"], page.context["hidden"]) == (1, 1)
    page = client_of(admin).get(mixed.get_absolute_url())
    assert [(g.status, g.count) for g in page.context["groups"]] == [
        ("failed", 1),
        ("ok", 1),
    ]


@pytest.mark.parametrize(
    "part", ["panel/", "range/", "search/?q=needle", "download/", "diff/"]
)
def test_the_output_as_a_whole_and_of_foreign_hosts_is_not_found(
    client_of: Signed, operator: User, mixed: Run, foreign: Host, part: str
) -> None:
    client = client_of(operator)
    row = mixed.hosts.get(host=foreign)
    path, _, query = part.partition("?")
    url = f"{mixed.get_absolute_url()}{path}?{query}"
    assert client.get(url).status_code == 404
    assert client.get(f"{url}&host={row.pk}").status_code == 404
    assert client.get(f"{url}&host=999999").status_code == 404


@pytest.mark.parametrize("part", ["panel/", "range/", "search/?q=needle", "download/"])
def test_what_lies_in_the_scope_is_read(
    client_of: Signed, operator: User, mixed: Run, own: Host, part: str
) -> None:
    row = mixed.hosts.get(host=own)
    path, _, query = part.partition("?")
    url = f"{mixed.get_absolute_url()}{path}?{query}&host={row.pk}"
    answer = client_of(operator).get(url)
    assert answer.status_code == 200
    assert b"needle of own" in body(answer)


def test_the_archive_holds_the_hosts_that_one_sees(
    client_of: Signed, operator: User, admin: User, mixed: Run
) -> None:
    url = f"{mixed.get_absolute_url()}archive/"
    answer = client_of(operator).get(url)
    assert members(body(answer)) == {
        f"run-{mixed.pk}-own-host.log": b"the needle of own\nsecond line\n"
    }
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("attachment")
    names = set(members(body(client_of(admin).get(url))))
    assert names == {
        f"run-{mixed.pk}.log",
        f"run-{mixed.pk}-own-host.log",
        f"run-{mixed.pk}-foreign-host.log",
    }


def test_a_run_outside_the_scope_has_no_part_to_look_at(
    client_of: Signed, operator: User, ended: Ended, foreign: Host, mixed: Run
) -> None:
    beyond = ended({foreign: ("ok", 0, b"x\n")})
    client = client_of(operator)
    parts = ("hosts", "panel", "range", "search", "found", "archive", "compare", "diff")
    for part in parts:
        assert client.get(f"/tasks/runs/{beyond.pk}/{part}/").status_code == 404
    url = f"{mixed.get_absolute_url()}compare/?with={beyond.pk}"
    assert client.get(url).status_code == 404


def test_who_may_not_see_runs_gets_nothing(
    client_of: Signed, stranger: User, mixed: Run
) -> None:
    client = client_of(stranger)
    for part in ("hosts", "panel", "range", "search", "found", "archive", "compare"):
        assert client.get(f"/tasks/runs/{mixed.pk}/{part}/").status_code == 403
