"""Collection policies: what holds for the hosts of a group, whom it obeys, and what agents and tiers make of it."""

import time
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from adminset.models import AuditEntry
from monitor.models import CollectionPolicy
from monitor.policy import default_policy, policies, policy_of
from monitor.series import Sample
from monitor.settings_checks import check_retention
from monitor.store import MetricStore
from monitor.tiers import StoreOptions
from tests.crud import ResourceTests
from tests.factories import make_dynamic, make_group, make_host
from tests.monitor.storing import CPU

DAY = 86400


@pytest.fixture(autouse=True)
def _forget() -> None:
    policies.forget()


class TestCollectionPolicy(ResourceTests):
    model = CollectionPolicy
    edit = ("raw_hours", 72)

    def make(self, number: int = 0, *, outside: bool = False) -> CollectionPolicy:
        return CollectionPolicy.objects.create(host_group=make_group(), raw_hours=60)

    def valid(self) -> dict[str, Any]:
        return {"host_group": make_group().pk, "sample_seconds": 5, "raw_hours": 96}


@pytest.mark.django_db
def test_without_a_policy_the_settings_hold_and_cost_no_query() -> None:
    host = make_host("a")
    assert policy_of([host.pk]) == {host.pk: default_policy()}
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert policy_of([host.pk, 7])[7].sample_seconds == 15
    assert len(queries) == 0


@pytest.mark.django_db
def test_of_several_groups_the_shortest_interval_and_the_longest_retention_hold() -> (
    None
):
    one, two = make_group("one"), make_group("two")
    both = make_host("both", groups=[one, two])
    first, other = make_host("first", groups=[one]), make_host("other")
    CollectionPolicy.objects.create(
        host_group=one, sample_seconds=5, raw_hours=60, two_hour_days=1000
    )
    CollectionPolicy.objects.create(
        host_group=two, sample_seconds=60, flush_seconds=120, raw_hours=96
    )
    found = policy_of([both.pk, first.pk, other.pk])
    usual = default_policy()
    assert found[other.pk] == usual
    assert (found[first.pk].sample_seconds, found[first.pk].flush_seconds) == (5, 60)
    assert found[first.pk].retention.raw == 60 * 3600
    assert (found[both.pk].sample_seconds, found[both.pk].flush_seconds) == (5, 120)
    assert found[both.pk].retention.raw == 4 * DAY
    assert found[both.pk].retention.two_hours == 1000 * DAY
    assert found[both.pk].retention.minute == usual.retention.minute


@pytest.mark.django_db
def test_hosts_of_a_dynamic_group_obey_its_policy() -> None:
    CollectionPolicy.objects.create(
        host_group=make_dynamic(owner_is=["dba"]), sample_seconds=30
    )
    inside, outside = make_host("db1", owner="dba"), make_host("web1")
    found = policy_of([inside.pk, outside.pk])
    assert found[inside.pk].sample_seconds == 30
    assert found[outside.pk].sample_seconds == 15


@pytest.mark.django_db
def test_a_report_cannot_come_more_often_than_samples(
    client_of: Any, admin: Any
) -> None:
    group = make_group()
    answer = client_of(admin).post(
        "/monitor/collection-policies/add/",
        {"host_group": group.pk, "sample_seconds": 60, "flush_seconds": 30},
    )
    assert answer.status_code in (200, 422)
    assert "Reports cannot come more often than samples." in answer.content.decode()
    assert not CollectionPolicy.objects.exists()


@pytest.mark.django_db
def test_single_samples_stay_as_long_as_late_ones_are_taken(
    client_of: Any, admin: Any, settings: Any
) -> None:
    group = make_group()
    answer = client_of(admin).post(
        "/monitor/collection-policies/add/", {"host_group": group.pk, "raw_hours": 47}
    )
    assert "for at least 48 hours" in answer.content.decode()
    assert not CollectionPolicy.objects.exists()
    # One that was made before, and settings that say less.
    CollectionPolicy.objects.create(host_group=group, raw_hours=1)
    host = make_host("a", groups=[group])
    assert policy_of([host.pk])[host.pk].retention.raw == 48 * 3600
    assert check_retention(None) == []
    settings.METRICS_RAW_HOURS = 1
    assert default_policy().retention.raw == 48 * 3600
    assert [said.id for said in check_retention(None)] == ["monitor.W001"]
    settings.AGENT_MAX_SAMPLE_AGE_SECONDS = 0
    assert default_policy().retention.raw == 3600
    assert check_retention(None) == []


@pytest.mark.django_db
def test_a_changed_policy_holds_at_once_and_is_recorded(
    client_of: Any, admin: Any
) -> None:
    group = make_group("web")
    host = make_host("a", groups=[group])
    assert policy_of([host.pk])[host.pk].sample_seconds == 15
    browser = client_of(admin)
    browser.post(
        "/monitor/collection-policies/add/",
        {"host_group": group.pk, "sample_seconds": 5},
    )
    assert policy_of([host.pk])[host.pk].sample_seconds == 5
    line = AuditEntry.objects.get(verb="collectionpolicy.create")
    assert line.target_name == "web"
    made = CollectionPolicy.objects.get()
    browser.post(f"/monitor/collection-policies/{made.pk}/delete/")
    assert not CollectionPolicy.objects.exists()
    assert policy_of([host.pk])[host.pk].sample_seconds == 15


@pytest.mark.django_db
def test_the_commands_say_what_is_there_and_what_is_wrong(
    measurements: MetricStore,
) -> None:
    measurements.ensure_indexes()
    now = time.time() // 60 * 60
    batch = [Sample(now - 4 * 3600 + 15 * i, {CPU: float(i)}) for i in range(480)]
    measurements.write(1, batch)
    limited = MetricStore(
        measurements._door._url,
        measurements._door._name,
        StoreOptions(custom_series=1),
    )
    values = {f"custom.x|n={n}": 1.0 for n in range(3)}
    limited.write(1, [Sample(now - 5 * 3600, values)])
    limited.close()
    while measurements.roll_up(now=now + 7200):
        pass
    out = StringIO()
    call_command("metrics_verify", stdout=out)
    assert "1 hosts: the tiers say what the samples say." in out.getvalue()
    with measurements._door.open() as db:
        kept = db["tier_minute"].find_one({})
        db["tier_minute"].delete_one({"_id": kept["_id"]})
    out = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("metrics_verify", stdout=out)
    assert "differences in 1 hosts." in str(caught.value)
    assert "host 1, minute, " in out.getvalue()
    assert f"{CPU}: count is 0, the samples say 4" in out.getvalue()
    out = StringIO()
    call_command("metrics_size", hosts=10_000, series=90, stdout=out)
    assert "ten_minutes" in out.getvalue()
    assert "host 1: 2 custom series too many were left out" in out.getvalue()
    assert "Forecast for 10000 hosts with 90 series each" in out.getvalue()


@pytest.mark.parametrize("command", ["metrics_verify", "metrics_size"])
def test_the_commands_say_a_sentence_where_the_store_is_away(command: str) -> None:
    with pytest.raises(CommandError, match="The metric store does not answer"):
        call_command(command, stdout=StringIO())
