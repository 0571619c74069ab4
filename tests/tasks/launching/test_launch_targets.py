"""Where work runs: chosen hosts, groups, a filter, a list or a file of names; nothing is silently dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.urls import reverse

from accounts.models import User
from adminset.crud.lists import Matching
from adminset.crud.selection import freeze
from adminset.models import SavedView
from cmdb.models import Host, HostGroup
from tasks.launching import lines
from tasks.launching.host_filter import filter_of, host_resource
from tasks.models import Run
from tests.factories import make_host
from tests.tasks.launching.conftest import ADD, filled

pytestmark = pytest.mark.django_db
Launch = Callable[..., Run]


def _names(run: Run) -> list[str]:
    return [row.host_name for row in run.hosts.all()]


def test_a_list_of_names_addresses_and_asset_numbers(
    launch: Launch, host: Host
) -> None:
    make_host("db1", address="10.9.8.7")
    make_host("db2", asset_number="A-77")
    text = "hostname;note\nWEB1;x\n\n# a remark\n10.9.8.7\na-77\nweb1\n"
    assert _names(launch(filled(host_list=text))) == ["db1", "db2", "web1"]


def test_a_csv_file_of_names_stays_when_the_form_fails(
    client_of: Any, admin: User, host: Host
) -> None:
    sent = SimpleUploadedFile(
        "hosts.csv", b'"Host name",owner\n"web1","ann"\nnone9,x\n'
    )
    client = client_of(admin)
    page = client.post(ADD, filled(host_file=sent, action="preview"))
    assert page.status_code == 422
    assert "none9" in str(page.context["form"].errors["host_list"])
    assert "web1" in page.context["form"]["host_list"].value()
    page = client.post(ADD, filled(host_list='"web1","ann"', action="preview"))
    assert [row.host for row in page.context["preview"].rows] == [host]


@pytest.mark.parametrize("content", [b"\x00\x01", b"x" * (lines.MOST_BYTES + 1)])
def test_a_file_that_is_no_list_is_refused(
    client_of: Any, admin: User, content: bytes
) -> None:
    sent = SimpleUploadedFile("x.bin", content)
    page = client_of(admin).post(ADD, filled(host_file=sent, action="preview"))
    assert page.status_code == 422
    assert list(page.context["form"].errors) == ["host_file"]


def test_a_list_without_end_is_refused(
    client_of: Any, admin: User, monkeypatch: Any
) -> None:
    monkeypatch.setattr(lines, "MOST_LINES", 2)
    page = client_of(admin).post(ADD, filled(host_list="a\nb\nc", action="preview"))
    assert "more than 2 lines" in str(page.context["form"].errors["host_list"])


def test_lines_that_name_nothing_or_several_are_all_named(
    admin: User, operator: User, group: HostGroup, other_group: HostGroup
) -> None:
    make_host("twin", groups=[group])
    make_host("twin", groups=[group])
    make_host("foreign", groups=[other_group])
    found = lines.resolve(admin, ["twin", "nobody", "foreign"])
    assert (found.ambiguous, found.unknown) == (["twin"], ["nobody"])
    assert len(found.host_ids) == 1
    assert len(found.problems()) == 2
    # What the operator does not see is told like what is not there.
    assert lines.resolve(operator, ["foreign"]).unknown == ["foreign"]


def test_a_line_of_a_host_on_which_one_may_not_run_is_named(
    group: HostGroup, host: Host
) -> None:
    from tests.factories import make_user  # noqa: PLC0415

    looker = make_user(perms=["cmdb.view_host", "tasks.add_run"], groups=[group])
    assert lines.resolve(looker, ["web1"]).barred == ["web1"]


def test_a_pasted_filter_finds_its_hosts_when_it_runs(
    launch: Launch, host: Host, admin: User
) -> None:
    make_host("bob1", owner="bob")
    address = "https://portal/cmdb/hosts/?f.owner.is=ann&sort=hostname&page=2&view=3"
    run = launch(filled(host_filter=address))
    assert _names(run) == ["web1"]
    assert filter_of(address) == "f.owner.is=ann"


@pytest.mark.parametrize(
    "text", ["https://portal/cmdb/hosts/", "?view=0&page=3", "nonsense", "?nothing=1"]
)
def test_a_filter_that_filters_nothing_is_refused(
    client_of: Any, admin: User, host: Host, text: str
) -> None:
    page = client_of(admin).post(ADD, filled(host_filter=text, action="preview"))
    assert page.status_code == 422
    assert "host_filter" in page.context["form"].errors
    assert not Run.objects.exists()


def test_the_number_of_hosts_of_a_filter_is_shown_while_it_is_written(
    client_of: Any, operator: User, host: Host, other_group: HostGroup
) -> None:
    make_host("foreign", groups=[other_group], owner="ann")
    client = client_of(operator)
    text = client.get(
        reverse("tasks:run_filter"), {"host_filter": "?f.owner.is=ann"}
    ).content.decode()
    assert "1 host now" in text
    assert "web1" in text
    assert "foreign" not in text
    wrong = client.get(reverse("tasks:run_filter"), {"host_filter": "?f.colour.is=1"})
    assert "There is no filter" in wrong.content.decode()
    assert client.get(reverse("tasks:run_filter")).content.strip() == b""


def test_saved_views_of_the_host_list_are_offered(
    client_of: Any, admin: User, host: Host
) -> None:
    SavedView.objects.create(
        owner=admin, resource="hosts", name="of ann", query="f.owner.is=ann"
    )
    text = client_of(admin).get(ADD).content.decode()
    assert "?f.owner.is=ann" in text


def test_chosen_rows_and_a_whole_filter_lead_from_the_list_to_the_launch(
    client_of: Any, admin: User, host: Host
) -> None:
    client, url = client_of(admin), reverse("tasks:host_bulk_run")
    assert url in client.get("/cmdb/hosts/?view=0").content.decode()
    page = client.post(url, {"pk": [host.pk]})
    assert f'<option value="{host.pk}" selected' in page.content.decode()
    params = QueryDict("f.owner.is=ann")
    token, _count = freeze(Matching(host_resource(), params, admin))
    page = client.post(url, {"selection": token})
    assert page.context["form"]["host_filter"].value() == "f.owner.is=ann"


def test_a_group_leads_to_the_launch(
    client_of: Any, operator: User, group: HostGroup, other_group: HostGroup
) -> None:
    client = client_of(operator)
    answer = client.get(reverse("tasks:hostgroup_run", args=[group.pk]))
    assert answer["Location"] == f"{ADD}?group={group.pk}"
    hidden = reverse("tasks:hostgroup_run", args=[other_group.pk])
    assert client.get(hidden).status_code == 404


def test_an_operator_is_not_offered_hosts_of_another_group(
    client_of: Any, operator: User, host: Host, other_group: HostGroup
) -> None:
    foreign = make_host("foreign", groups=[other_group])
    client = client_of(operator)
    page = client.post(ADD, filled(foreign, action="launch", seal="x"))
    assert page.status_code == 422
    assert "hosts" in page.context["form"].errors
    assert not Run.objects.exists()
