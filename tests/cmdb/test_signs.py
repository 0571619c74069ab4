"""What many agents say, written together: signs of life, and facts that did not change."""

from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from cmdb.models import Agent
from cmdb.services import agents, recent, signs, standing
from cmdb.services.agent_proofs import AgentIdentity
from cmdb.services.signs import Repeated, Sign
from tests.factories import make_host

pytestmark = pytest.mark.django_db
NOW = 1_790_000_000.0


def _agent(**fields: Any) -> tuple[Agent, AgentIdentity]:
    agent = Agent.objects.create(
        host=make_host(), boot_id="b1", facts_hash="same", **fields
    )
    return agent, AgentIdentity(agent.pk, agent.host_id or 0, agent.public_id)


def _repeated(agent: AgentIdentity, **changes: Any) -> Repeated:
    sent_at = timezone.now().timestamp()
    told = Repeated(agent, "same", "b1", sent_at, "192.0.2.7", seq=5)
    return replace(told, **changes)


def test_facts_without_a_change_move_the_last_sign_of_life_of_each() -> None:
    made = [_agent() for _ in range(5)]
    taken = signs.absorb_repeated([_repeated(who) for _row, who in made])
    assert taken == [True] * 5
    for row, _who in made:
        row.refresh_from_db()
        assert row.last_seen_at is not None
        assert row.facts_at is not None
        assert row.address == "192.0.2.7"
        assert row.boots["known"][-1]["seq"] == 5


def test_many_cost_as_many_queries_as_two(django_assert_num_queries: Any) -> None:
    made = [_agent()[1] for _ in range(20)]
    # One SELECT; the UPDATEs go together, in one transaction.
    with django_assert_num_queries(4):
        signs.absorb_repeated([_repeated(who) for who in made])


@pytest.mark.parametrize("changes", [{"fingerprint": "other"}, {"boot_id": "b2"}])
def test_what_may_be_new_is_left_to_be_looked_at_by_itself(
    changes: dict[str, Any],
) -> None:
    row, who = _agent()
    quiet = _agent()[1]
    before = Agent.objects.values().get(pk=row.pk)
    told = [_repeated(who, **changes), _repeated(quiet)]
    assert signs.absorb_repeated(told) == [False, True]
    assert Agent.objects.values().get(pk=row.pk) == before


def test_a_report_that_comes_twice_writes_once() -> None:
    row, who = _agent()
    told = _repeated(who)
    assert signs.absorb_repeated([told]) == [True]
    first = Agent.objects.values().get(pk=row.pk)
    assert signs.absorb_repeated([told, told]) == [True, True]
    assert Agent.objects.values().get(pk=row.pk) == first


def test_an_agent_that_is_gone_is_looked_at_by_itself() -> None:
    row, who = _agent()
    row.delete()
    assert signs.absorb_repeated([_repeated(who)]) == [False]


def test_signs_of_life_are_written_and_change_nobodys_standing() -> None:
    row, _who = _agent()
    standing.look()
    before = Agent.objects.get(pk=row.pk).updated_at
    at = timezone.now()
    signs.note_signs({row.pk: Sign(at, "192.0.2.7", 1.5), 999_999: Sign(at, "", None)})
    row.refresh_from_db()
    assert (row.last_seen_at, row.address) == (at, "192.0.2.7")
    assert row.clock_offset_seconds == 1.5
    assert row.updated_at == before


@pytest.mark.parametrize(
    "change",
    [
        {"revoked_at": timezone.now()},
        {"approved_at": None},
        {"host": None},
        {"secret_hash": "x"},
        {"next_secret_hash": "x"},
    ],
)
def test_a_change_of_standing_is_seen_by_every_process(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    monkeypatch.setattr(standing, "LOOK_SECONDS", 0.0)
    row, who = _agent()
    standing.look()
    agents.forget_recent()
    proved = recent.proved
    proved.put("somebody", who)
    standing.look()
    assert proved.get("somebody") == who
    Agent.objects.filter(pk=row.pk).update(**change)
    standing.look()
    assert proved.get("somebody") is None
