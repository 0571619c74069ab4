"""Who is not measured as he should be; and what pages of one host and of coverage cost."""

from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse

from accounts.models import User
from cmdb.models import AssetStatus, HostGroup
from monitor.store import MetricStore
from tests.factories import make_host
from tests.monitor.test_pages_fleet import measured, names_in

Signed = Callable[[User], Client]


@pytest.mark.parametrize(
    ("kind", "shown"),
    [("silent", ["gone quiet"]), ("never", ["unheard"]), ("retired", ["still there"])],
)
def test_coverage_tells_who_is_not_measured_as_he_should_be(
    client_of: Signed,
    admin: User,
    measurements: MetricStore,
    kind: str,
    shown: list[str],
) -> None:
    used = AssetStatus.objects.create(name="used", monitored=True)
    retired = AssetStatus.objects.create(name="retired for good", monitored=False)
    measured(measurements, make_host("fine", status=used), load_1=1.0)
    measured(measurements, make_host("gone quiet", status=used), 7200, load_1=1.0)
    measured(measurements, make_host("still there", status=retired), load_1=1.0)
    measured(measurements, make_host("at rest", status=retired), 7200, load_1=1.0)
    make_host("unheard")
    make_host("never heard and retired", status=retired)
    answer = client_of(admin).get(reverse("monitor:coverage"), {"kind": kind})
    assert names_in(answer.content) == shown
    counts = BeautifulSoup(answer.content, "html.parser").select(".page-tabs .count")
    assert [count.text for count in counts] == ["1", "1", "1", "0"]


def test_coverage_counts_only_hosts_in_scope(
    client_of: Signed, operator: User, group: HostGroup, measurements: MetricStore
) -> None:
    make_host("mine", groups=[group])
    make_host("other")
    url = reverse("monitor:coverage")
    page = client_of(operator).get(url, {"kind": "never"}).content
    assert names_in(page) == ["mine"]


@pytest.mark.parametrize("name", ["host", "host_charts", "host_state", "coverage"])
def test_a_page_costs_few_queries_however_many_hosts_there_are(
    client_of: Signed,
    admin: User,
    measurements: MetricStore,
    django_assert_max_num_queries: Any,
    name: str,
) -> None:
    hosts = [make_host() for _ in range(60)]
    measured(measurements, hosts[0], load_1=1.0)
    args = [] if name == "coverage" else [hosts[0].pk]
    client = client_of(admin)
    with django_assert_max_num_queries(15):
        assert client.get(reverse(f"monitor:{name}", args=args)).status_code == 200
