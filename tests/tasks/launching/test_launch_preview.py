"""What a run would touch is said before it runs: obstacles, critical hosts, owners, shares, what hangs on them, conflicts."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from cmdb.models import (
    Credential,
    Host,
    HostGroup,
    ProductLine,
    Relation,
    RelationKind,
    Tag,
)
from tasks.launching.preview import preview
from tasks.models import Run, RunHost
from tasks.services.launch import RunSpec
from tests.factories import make_host, make_user
from tests.tasks.launching.conftest import ADD, KEY, carried, filled

pytestmark = pytest.mark.django_db


def _spec(*hosts: Host, **more: Any) -> RunSpec:
    return RunSpec(command="id", host_ids=tuple(host.pk for host in hosts), **more)


@pytest.fixture
def critical(host: Host) -> Host:
    host.tags.add(Tag.objects.create(name="critical"))
    return host


def test_hosts_that_would_not_be_reached_are_named_with_where_to_mend_it(
    client_of: Any, admin: User, host: Host
) -> None:
    lonely = make_host("lonely", address=None)
    keyless = make_host("keyless", credential=host.credential)
    page = client_of(admin).post(ADD, filled(host, lonely, keyless, action="preview"))
    text = page.content.decode()
    assert page.context["preview"].warned == 2
    assert "It has no management address." in text
    assert f"/tasks/hosts/{keyless.pk}/key/" in text
    assert "Run on 3 hosts" in text
    assert not Run.objects.exists()


def test_owners_product_lines_and_what_hangs_on_them(admin: User, host: Host) -> None:
    shop = ProductLine.objects.create(name="Shop", code="shop")
    Host.objects.filter(pk=host.pk).update(product_line=shop)
    other = make_host("web2", owner="ann", product_line=shop)
    make_host("web3", product_line=shop)
    guest = make_host("guest", hypervisor=host)
    kind = RelationKind.objects.create(
        name="feeds", reverse_name="is fed by", impact="target"
    )
    Relation.objects.create(
        kind=kind,
        from_type="cmdb.host",
        from_id=other.pk,
        to_type="cmdb.productline",
        to_id=shop.pk,
    )
    found = preview(admin, _spec(host, other))
    assert found.owners == [("ann", 2)]
    [share] = found.touched
    assert (share.name, share.touched, share.total, share.percent) == ("Shop", 2, 3, 67)
    assert [each.name for each in found.dependents.objects] == ["guest", "Shop"]
    assert found.dependents.count == 2
    assert guest.hypervisor == host


def test_what_hangs_on_hosts_and_is_not_for_the_reader_is_only_counted(
    operator: User, host: Host, other_group: HostGroup
) -> None:
    foreign = make_host("foreign", groups=[other_group])
    kind = RelationKind.objects.create(
        name="feeds", reverse_name="is fed by", impact="target"
    )
    ends = {"from_type": "cmdb.host", "from_id": host.pk, "to_type": "cmdb.host"}
    Relation.objects.create(kind=kind, to_id=foreign.pk, **ends)
    found = preview(operator, _spec(host))
    assert (found.dependents.objects, found.dependents.hidden) == ([], 1)


def test_a_host_is_critical_by_a_tag_or_by_a_further_field(
    admin: User, critical: Host
) -> None:
    fielded = make_host("db1", custom={"criticality": "High"})
    plain = make_host("web9", custom={"criticality": "low"})
    found = preview(admin, _spec(critical, fielded, plain))
    why = {row.host.hostname: row.critical for row in found.rows}
    assert why == {"db1": "criticality: high", "web1": "tag critical", "web9": ""}


def test_critical_hosts_are_proposed_in_batches(
    client_of: Any, admin: User, critical: Host, settings: Any
) -> None:
    client, values = client_of(admin), filled(critical, make_host("web2"))
    page = client.post(ADD, values | {"action": "preview"})
    text = page.content.decode()
    assert page.context["batches"] == settings.RUN_CRITICAL_BATCHES
    assert "Proposed because critical hosts are among them" in text
    sent = carried(page) | {"action": "launch", "seal": page.context["preview"].seal}
    client.post(ADD, sent | {"batches": page.context["batches"]})
    assert Run.objects.get().batches == settings.RUN_CRITICAL_BATCHES


def test_who_takes_the_batches_away_is_warned_and_may_go_on(
    client_of: Any, admin: User, critical: Host
) -> None:
    client, values = client_of(admin), filled(critical, make_host("web2"))
    page = client.post(ADD, values | {"action": "preview"})
    sent = carried(page) | {"action": "launch", "seal": page.context["preview"].seal}
    page = client.post(ADD, sent | {"batches": ""})
    assert "Without batches it begins on all 2 hosts" in page.content.decode()
    assert not Run.objects.exists()
    client.post(ADD, sent | {"batches": "", "without_batches": "1"})
    assert Run.objects.get().batches == ""


def test_one_critical_host_alone_needs_no_batches(
    client_of: Any, admin: User, critical: Host
) -> None:
    page = client_of(admin).post(ADD, filled(critical, action="preview"))
    assert page.context["batches"] == ""
    assert "1 critical host is among them" in page.content.decode()


def test_hosts_in_a_freeze_and_hosts_where_something_runs_are_told(
    client_of: Any, admin: User, host: Host
) -> None:
    host.tags.add(Tag.objects.create(name="change-freeze"))
    run = Run.objects.create(title="long", command="x", status="running")
    RunHost.objects.create(run=run, host=host, host_name="web1", status="running")
    page = client_of(admin).post(ADD, filled(host, action="preview"))
    text = page.content.decode()
    assert "1 host is in a change freeze" in text
    assert "On 1 host something runs at this moment." in text
    assert run.get_absolute_url() in text


def test_a_run_that_one_may_not_see_is_told_without_its_name(
    group: HostGroup, host: Host, admin: User
) -> None:
    perms = ["cmdb.view_host", "cmdb.run_host", "tasks.add_run", "cmdb.use_credential"]
    user = make_user(perms=perms, groups=[group])
    run = Run.objects.create(title="secret title", status="running")
    RunHost.objects.create(run=run, host=host, host_name="web1", status="running")
    assert [row.busy for row in preview(user, _spec(host)).rows] == [(None,)]
    [busy] = preview(admin, _spec(host)).rows[0].busy
    assert busy.title == "secret title"


def test_hosts_of_a_group_that_are_left_out_are_counted(
    group: HostGroup, host: Host
) -> None:
    small = HostGroup.objects.create(name="small")
    host.groups.add(small)
    make_host("web2", groups=[group])
    user = make_user(
        perms=["cmdb.run_host", "tasks.add_run", "cmdb.use_credential"], groups=[small]
    )
    from tests.factories import grant  # noqa: PLC0415

    grant(user, ["cmdb.view_host", "cmdb.view_hostgroup"], [group, small])
    found = preview(user, RunSpec(command="id", group_ids=(group.pk,)))
    assert [row.host for row in found.rows] == [host]
    assert found.left_out == 1


def test_the_preview_says_why_it_cannot_be_started(
    client_of: Any, group: HostGroup, host: Host, settings: Any, admin: User
) -> None:
    perms = ["cmdb.view_host", "cmdb.run_host", "tasks.add_run"]
    user = make_user(perms=perms, groups=[group])
    page = client_of(user).post(ADD, filled(host, action="preview"))
    assert "You may not use the credential of web1." in page.content.decode()
    assert 'value="launch"' not in page.content.decode()
    settings.RUN_MAX_TARGETS = 1
    page = client_of(admin).post(ADD, filled(host, make_host(), action="preview"))
    assert "2 hosts are too many" in page.context["preview"].problem
    assert not Run.objects.exists()


def test_launching_needs_the_preview_of_these_very_hosts(
    client_of: Any, admin: User, host: Host, group: HostGroup
) -> None:
    client, values = client_of(admin), filled(groups=[group.pk])
    seal = client.post(ADD, values | {"action": "preview"}).context["preview"].seal
    make_host("newcomer", groups=[group])
    page = client.post(ADD, values | {"action": "launch", "seal": seal})
    assert "The hosts are others" in page.content.decode()
    assert not Run.objects.exists()
    again = page.context["preview"].seal
    client.post(ADD, values | {"action": "launch", "seal": again})
    assert Run.objects.get().host_count == 2


def test_back_keeps_what_was_typed(client_of: Any, admin: User, host: Host) -> None:
    page = client_of(admin).post(ADD, filled(host, action="edit"))
    assert page.status_code == 200
    assert "uptime" in page.content.decode()


def test_the_preview_of_a_thousand_hosts_takes_few_queries(
    client_of: Any, admin: User, group: HostGroup, settings: Any
) -> None:
    settings.RUN_MAX_TARGETS = 2000
    credential = Credential.objects.create(name="root", username="root")
    shop = ProductLine.objects.create(name="Shop", code="shop")
    hosts = Host.objects.bulk_create(
        Host(
            hostname=f"h{n}",
            address=f"10.1.{n // 250}.{n % 250}",
            host_key=KEY,
            credential=credential,
            product_line=shop,
            owner=f"o{n % 9}",
        )
        for n in range(1000)
    )
    links = Host.groups.through
    links.objects.bulk_create(links(host=h, hostgroup=group) for h in hosts)
    client = client_of(admin)
    values = filled(groups=[group.pk], action="preview")
    client.post(ADD, values)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        page = client.post(ADD, values)
    assert page.context["preview"].seal
    assert (
        "Run on 1,000 hosts" in page.content.decode()
        or "Run on 1000 hosts" in page.content.decode()
    )
    told = [each["sql"] for each in seen.captured_queries]
    about = [sql for sql in told if "cmdb_" in sql or "tasks_" in sql]
    assert len(about) < 15, "\n".join(about)


def test_hosts_outside_of_the_limit_are_counted_and_not_listed(
    admin: User, host: Host
) -> None:
    other = make_host("web2", credential=host.credential)
    spec = RunSpec(
        kind=Run.Kind.MODULE,
        module="ping",
        host_ids=(host.pk, other.pk),
        options={"limit": "web2"},
    )
    found = preview(admin, spec)
    assert [row.host for row in found.rows] == [other]
    assert (found.outside, found.left_out, found.problem) == (1, 0, "")
    missed = preview(admin, RunSpec(**{**vars(spec), "options": {"limit": "db9"}}))
    assert missed.problem
    assert not Run.objects.exists()
