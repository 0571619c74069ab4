"""What a process remembers of agents: a change of one is seen, and does not make all others prove themselves again."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adminset.crypto import digest
from adminset.errors import DomainError
from cmdb.models import Agent, Host
from cmdb.services import agents, recent, standing
from cmdb.services.agents import AgentIdentity
from tests.factories import make_host

pytestmark = pytest.mark.django_db
SECRET = "s" * 43
Look = Callable[[], None]


@pytest.fixture(autouse=True)
def _nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    recent.forget_recent()
    monkeypatch.setattr(standing, "_seen", (0.0, None))
    yield
    recent.forget_recent()


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Look:
    """Look again, as two seconds later."""

    def again() -> None:
        monkeypatch.setattr(standing, "LOOK_SECONDS", -1.0)
        standing.look()
        monkeypatch.setattr(standing, "LOOK_SECONDS", 2.0)

    return again


def made(number: int) -> Agent:
    return Agent.objects.create(
        host=make_host(),
        public_id=f"{number:032x}",
        secret_hash=digest(SECRET),
        approved_at="2026-01-01T00:00:00Z",
    )


@pytest.fixture
def fleet() -> list[Agent]:
    found = [made(number) for number in range(1, 61)]
    for agent in found:
        agents.authenticate(agent.public_id, SECRET)
    return found


def remembered(fleet: list[Agent]) -> set[int]:
    return {a.pk for a in fleet if recent.proved.get((a.public_id, digest(SECRET)))}


def test_one_agent_that_changes_is_forgotten_and_the_others_stay(
    fleet: list[Agent], look: Look
) -> None:
    look()
    fleet[30].clock_steps = [["b", 0, 5]]
    fleet[30].save()
    look()
    # The row that the changed one pushed out of the newest might have been deleted.
    assert fleet[30].pk not in remembered(fleet)
    assert len(remembered(fleet)) >= len(fleet) - 2


def test_a_new_agent_makes_nobody_prove_himself_again(
    fleet: list[Agent], look: Look
) -> None:
    look()
    made(100)
    look()
    assert len(remembered(fleet)) >= len(fleet) - 1


def test_an_agent_whose_host_is_deleted_is_forgotten(
    fleet: list[Agent], look: Look
) -> None:
    look()
    Host.objects.filter(pk=fleet[0].host_id).delete()
    look()
    assert fleet[0].pk not in remembered(fleet)
    assert remembered(fleet)


def test_a_deleted_agent_is_forgotten(fleet: list[Agent], look: Look) -> None:
    look()
    Agent.objects.filter(pk=fleet[5].pk).delete()
    look()
    assert fleet[5].pk not in remembered(fleet)


def test_many_changes_at_once_make_all_prove_themselves_again(
    fleet: list[Agent], look: Look
) -> None:
    look()
    for agent in fleet[:40]:
        agent.save()
    look()
    assert remembered(fleet) == set()


def test_many_agents_prove_themselves_with_one_query(
    fleet: list[Agent], django_assert_num_queries: Any
) -> None:
    standing.look()
    recent.proved.clear()
    claims = [(agent.public_id, SECRET) for agent in fleet]
    with django_assert_num_queries(1):
        found = agents.authenticate_many(
            [*claims, ("no such agent\0", SECRET), (fleet[0].public_id, "guess")]
        )
    proved, refused = found[:-2], found[-2:]
    assert [one.pk for one in proved if isinstance(one, AgentIdentity)] == [
        agent.pk for agent in fleet
    ]
    assert [
        (one.status, one.code) for one in refused if isinstance(one, DomainError)
    ] == [
        (401, "unknown_agent"),
        (403, "wrong_token"),
    ]
    assert remembered(fleet) == {agent.pk for agent in fleet}
