"""What the tests of this room share: nothing remembered from the test before, and an agent that enrols."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adminset.audit import SystemActor
from cmdb.models import Agent, HostGroup
from cmdb.services import agents
from tests.factories import make_dynamic

SETUP = SystemActor("test")
UUID = "4c4c4544-0042-3510-8054-b4c04f565432"
SERIAL = "7BX3M12"
MACHINE_ID = "ab" * 32


def an_identity(**values: Any) -> dict[str, Any]:
    """Give an identity with everything, some of it replaced."""
    known = {"machine_id": MACHINE_ID, "product_uuid": UUID, "serial": SERIAL}
    return {**known, "macs": ["3c:ec:ef:00:11:22"], **values}


def some_facts(**values: Any) -> dict[str, Any]:
    """Give the facts of a small server, some of them replaced."""
    return {
        "hostname": "web-1",
        "primary_address": "10.1.2.3",
        "os_name": "Debian GNU/Linux",
        "os_version": "12",
        "kernel": "6.1.0",
        "vendor": "Dell Inc.",
        "product": "PowerEdge R640",
        "serial": SERIAL,
        "virtualisation": "physical",
        "cpu_model": "Xeon",
        "cpu_threads": 16,
        "memory_bytes": 64 * 2**30,
        "disks": [{"name": "sda", "size_bytes": 10**12, "rotational": False}],
        "nics": [
            {
                "name": "eth0",
                "mac": "3c:ec:ef:00:11:22",
                "up": True,
                "addresses": [{"address": "10.1.2.3", "prefix": 24}],
            }
        ],
        "booted_at": 1_700_000_000.5,
        "agent_version": "0.1.0",
        **values,
    }


Enrol = Callable[..., tuple[Agent, str]]


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    agents.forget_recent()
    yield
    agents.forget_recent()


@pytest.fixture
def token(db: None) -> str:
    """The text of a token that lets in a hundred agents."""
    _row, plain = agents.create_enrolment_token(
        actor=SETUP, name="rack 1", use_limit=100
    )
    return plain


@pytest.fixture
def enrol(token: str) -> Enrol:
    """Enrol a machine; identity, facts, boot id and token can be replaced."""

    def do(
        identity: dict[str, Any] | None = None,
        facts: dict[str, Any] | None = None,
        boot_id: str = "boot-1",
        plain_token: str = "",
    ) -> tuple[Agent, str]:
        return agents.enrol(
            plain_token=plain_token or token,
            identity=an_identity() if identity is None else identity,
            facts=some_facts() if facts is None else facts,
            boot_id=boot_id,
            address="10.1.2.3",
        )

    return do


def fall_silent(agent: Agent) -> None:
    """Let an agent have sent its last report a day ago."""
    Agent.objects.filter(pk=agent.pk).update(
        last_seen_at="2020-01-01T00:00:00Z", enrolled_at="2019-12-31T00:00:00Z"
    )


@pytest.fixture
def ops(db: None) -> HostGroup:
    """A dynamic group: the hosts that ops own."""
    return make_dynamic()
