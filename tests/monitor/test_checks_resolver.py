"""The portal's own resolver knows names that are not everybody's: only a check of no host asks it, by those who may aim freely."""

from typing import Any

import dns.resolver
import pytest

from cmdb.models import HostGroup
from monitor.checks import aim
from monitor.checks.probes import probe
from monitor.models import ServiceCheck
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db
ASKED = {"kind": "dns", "query_name": "db.internal", "timeout_seconds": 1}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Notes of each resolver whether it is the portal's own."""
    found: list[bool] = []
    real = dns.resolver.Resolver

    def resolver(*, configure: bool) -> Any:
        found.append(configure)
        return real(configure=False)

    monkeypatch.setattr(dns.resolver, "Resolver", resolver)
    return found


def test_a_check_of_a_host_without_an_address_asks_nobody(made: list[bool]) -> None:
    check = ServiceCheck(**ASKED, host=make_host("web1", address=None))
    found = probe(check)
    assert found.state == "unknown"
    assert "no management address" in found.sentence
    assert made == []
    # One that was made before this rule is not re-aimed by those who may not.
    assert aim.is_free(check)


def test_a_check_of_a_host_asks_its_address_and_is_not_free(made: list[bool]) -> None:
    check = ServiceCheck(**ASKED, host=make_host("ns1", address="10.1.1.1"))
    assert not aim.is_free(check)
    probe(check)
    assert made == [False]


def test_a_check_of_no_host_asks_the_portals_resolver(made: list[bool]) -> None:
    check = ServiceCheck(**ASKED)
    assert aim.is_free(check)
    probe(check)
    assert made == [True]


def test_nobody_aims_a_check_at_the_resolver_by_a_host_without_an_address(
    client_of: Any, group: HostGroup
) -> None:
    perms = [f"monitor.{verb}_servicecheck" for verb in ("view", "add", "change")]
    keeper = make_user("keeper", perms=[*perms, "cmdb.view_host"], groups=[group])
    host = make_host("web1", address=None, groups=[group])
    values = {"name": "c", "kind": "dns", "query_name": "db.internal", "host": host.pk}
    answer = client_of(keeper).post(
        "/api/v1/service-checks/", values, content_type="application/json"
    )
    assert answer.status_code == 422
    assert set(answer.json()["error"]["fields"]) == {"target"}
    assert ServiceCheck.objects.count() == 0
