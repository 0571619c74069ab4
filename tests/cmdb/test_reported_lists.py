"""What an agent lists of a host: kept with its facts; ports make no history."""

import time
from typing import Any

import pytest

from adminset.models import AuditEntry
from cmdb.models import Agent, Host
from cmdb.services import agents
from tests.cmdb.conftest import Enrol, an_identity, some_facts

pytestmark = pytest.mark.django_db
PORT = {"protocol": "tcp", "address": "127.0.0.1", "port": 80, "process": "nginx"}
USERS = [{"name": "root", "uid": 0, "shell": "/bin/bash"}]


def _report(agent: Agent, secret: str, **facts: Any) -> str:
    return agents.absorb_facts(
        agent=agents.authenticate(agent.public_id, secret),
        facts=some_facts(**facts),
        identity=an_identity(),
        boot_id="boot-1",
        sent_at=time.time(),
        address="10.1.2.3",
    )


def test_a_new_user_on_a_host_is_history_and_a_port_is_none(enrol: Enrol) -> None:
    agent, secret = enrol()
    before = AuditEntry.objects.count()
    assert _report(agent, secret, ports=[PORT]) == "unchanged"
    assert AuditEntry.objects.count() == before
    assert _report(agent, secret, ports=[PORT], users=USERS) == "changed"
    line = AuditEntry.objects.first()
    assert line is not None
    assert [change["field"] for change in line.changes] == ["users"]
    kept = Host.objects.get(pk=agent.host_id).facts
    assert (kept["users"], kept["ports"]) == (
        [{"name": "root", "shell": "/bin/bash", "uid": 0}],
        [PORT],
    )


def test_installed_packages_change_by_their_hash(enrol: Enrol) -> None:
    agent, secret = enrol()
    packages = {"manager": "dpkg", "count": 9, "hash": "aa"}
    assert _report(agent, secret, packages=packages) == "changed"
    again = dict(packages, list=[["a", "1", "all"]])
    assert _report(agent, secret, packages=again) == "unchanged"
    assert _report(agent, secret, packages=dict(packages, hash="bb")) == "changed"
