"""Whose word counts for a field: a person's, then an import's or a contract's, then the agent's, then a scan's."""

import time
from typing import Any

import pytest

from accounts.models import User
from cmdb.models import Agent, FieldSource, Host, Source
from cmdb.services import agents, provenance
from tests.cmdb.conftest import Enrol, an_identity, some_facts
from tests.factories import make_host

pytestmark = pytest.mark.django_db


def _report(agent: Agent, secret: str, **facts: Any) -> str:
    agents.forget_recent()
    return agents.absorb_facts(
        agent=agents.authenticate(agent.public_id, secret),
        facts=some_facts(**facts),
        identity=an_identity(),
        boot_id="boot-1",
        sent_at=time.time(),
        address="",
    )


def _write(host: Host, source: Source, **values: Any) -> list[dict[str, Any]]:
    changes = provenance.write(host=host, values=values, source=source, by="it")
    host.save()
    host.refresh_from_db()
    return changes


ORDER = [Source.SCAN, Source.AGENT, Source.IMPORT, Source.PERSON]


@pytest.mark.parametrize("weaker", range(4))
@pytest.mark.parametrize("stronger", range(4))
def test_a_weaker_source_never_overwrites_a_stronger_one(
    weaker: int, stronger: int
) -> None:
    host = make_host(vendor="", facts={"kernel": "6"})
    _write(host, ORDER[stronger], vendor="first")
    _write(host, ORDER[weaker], vendor="second")
    # Where nobody holds a field, an agent that reports does: a scan says nothing against it.
    first = "first" if ORDER[stronger] != Source.SCAN else ""
    wins = ORDER[weaker] != Source.SCAN and weaker >= stronger
    assert host.vendor == ("second" if wins else first)


def test_what_an_import_says_stays_and_the_agent_is_heard_beside(
    enrol: Enrol, admin: User, client_of: Any
) -> None:
    agent, secret = enrol()
    host = Host.objects.get()
    assert not host.disputed
    _write(host, Source.IMPORT, vendor="Dell")
    assert _report(agent, secret, kernel="7", vendor="Dell EMC") == "changed"
    host.refresh_from_db()
    row = FieldSource.objects.get(field="vendor")
    assert (host.vendor, host.disputed) == ("Dell", True)
    assert (row.source, row.said, row.said_by) == ("import", "Dell EMC", "agent")
    text = client_of(admin).get(f"/cmdb/hosts/{host.pk}/").content.decode()
    assert "Dell EMC" in text
    assert "last confirmed" in text
    listed = client_of(admin).get("/cmdb/hosts/", {"disputed": "true"})
    assert listed.context["total"] == 1


def test_an_agent_that_agrees_confirms_and_ends_the_dispute(enrol: Enrol) -> None:
    agent, secret = enrol()
    host = Host.objects.get()
    _write(host, Source.IMPORT, vendor="Dell")
    _report(agent, secret, kernel="7")
    FieldSource.objects.update(confirmed_at="2020-01-01T00:00:00Z")
    _report(agent, secret, kernel="8", vendor="Dell")
    host.refresh_from_db()
    row = FieldSource.objects.get(field="vendor")
    assert (host.disputed, row.said_by) == (False, "")
    assert row.confirmed_at.year > 2020


def test_a_scan_never_renames() -> None:
    host = make_host("web-1")
    assert _write(host, Source.SCAN, hostname="10.0.0.1", os_name="Linux") == [
        {"field": "os_name", "old": "", "new": "Linux"}
    ]
    assert host.hostname == "web-1"


def test_the_agent_moves_no_address_at_which_somebody_signs_in(enrol: Enrol) -> None:
    agent, secret = enrol()
    Host.objects.update(host_key="ssh-ed25519 AAAA")
    _report(agent, secret, primary_address="10.66.6.6", nics=[])
    host = Host.objects.get()
    assert (host.address, host.disputed) == ("10.1.2.3", True)
    assert FieldSource.objects.get(field="address").said == "10.66.6.6"


def test_a_person_who_overrules_the_agent_sees_what_it_says(
    enrol: Enrol, admin: User, client_of: Any
) -> None:
    agent, _secret = enrol()
    client_of(admin).patch(
        f"/api/v1/hosts/{agent.host_id}/",
        {"vendor": "ACME"},
        content_type="application/json",
    )
    row = FieldSource.objects.get(field="vendor")
    assert (row.source, row.by, row.said) == (
        "person",
        admin.audit_name,
        "Dell Inc.",
    )
    assert Host.objects.get().disputed
    client_of(admin).patch(
        f"/api/v1/hosts/{agent.host_id}/",
        {"vendor": ""},
        content_type="application/json",
    )
    assert not FieldSource.objects.exists()
    assert not Host.objects.get().disputed
