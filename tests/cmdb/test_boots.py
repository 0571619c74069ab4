"""One machine or two with one credential, told by boot ids; and what the portal does about the second."""

import time
from typing import Any

import pytest

from accounts.models import User
from adminset.errors import Conflict, DomainError
from adminset.models import AuditEntry
from cmdb import boots
from cmdb.models import Agent, IdentityConflict
from cmdb.services import agents
from tests.cmdb.conftest import Enrol, an_identity, some_facts

NOW = 1_700_000_000.0


def _hear(*heard: tuple[str, float]) -> tuple[list[str], list[str]]:
    """Give the verdicts on a row of (boot id, seconds from now), and who is refused at the end."""
    state: dict[str, Any] = {}
    current, verdicts = "", []
    for boot, at in heard:
        verdict, state = boots.hear(state, current, boots.Heard(boot, NOW + at))
        if verdict != boots.Verdict.STALE:
            current = boot
        if verdict == boots.Verdict.CLONED and boot in state["refused"]:
            current = next(each for each, _at in heard if each != boot)
        verdicts.append(verdict.value)
    return verdicts, state.get("refused", [])


@pytest.mark.parametrize(
    ("heard", "refused"),
    [
        pytest.param([("a", 0), ("a", 30), ("a", 60)], [], id="one machine"),
        pytest.param([("a", 0), ("b", 30), ("c", 60)], [], id="it starts anew"),
        pytest.param(
            [("a", 0), ("b", 60), ("a", 20), ("b", 61), ("a", 25), ("b", 62)],
            [],
            id="its spool of the boot before",
        ),
        pytest.param([("a", 0), ("b", 30), ("a", 60)], [], id="set back once"),
        pytest.param([("a", 0), ("b", 30), ("a", 60), ("b", 90)], ["b"], id="a clone"),
        pytest.param(
            [("a", 0), ("b", 30), ("a", 60), ("b", 9000)], [], id="hours apart"
        ),
    ],
)
def test_two_boots_that_take_turns_are_two_machines(
    heard: list[tuple[str, float]], refused: list[str]
) -> None:
    assert _hear(*heard)[1] == refused


def test_the_state_stays_small() -> None:
    state: dict[str, Any] = {}
    for number in range(100):
        heard = boots.Heard(str(number), NOW + number)
        _verdict, state = boots.hear(state, str(number - 1), heard)
    assert len(state["known"]) <= boots.KEPT


def _facts(agent: Agent, secret: str, boot: str) -> str:
    return agents.absorb_facts(
        agent=agents.authenticate(agent.public_id, secret),
        facts=some_facts(),
        identity=an_identity(),
        boot_id=boot,
        sent_at=time.time(),
        address="10.1.2.3",
    )


@pytest.fixture
def cloned(enrol: Enrol, django_capture_on_commit_callbacks: Any) -> tuple[Agent, str]:
    """An agent whose credential a second machine uses: boot-2 is the copy."""
    agent, secret = enrol()
    with django_capture_on_commit_callbacks(execute=True):
        for boot in ("boot-2", "boot-1"):
            _facts(agent, secret, boot)
        with pytest.raises(Conflict) as refusal:
            _facts(agent, secret, "boot-2")
    assert (refusal.value.status, refusal.value.code) == (409, "cloned_credential")
    assert "re-enrol" in refusal.value.hint
    return agent, secret


@pytest.mark.django_db
def test_the_newer_machine_is_refused_and_the_older_goes_on(
    cloned: tuple[Agent, str],
) -> None:
    agent, secret = cloned
    known = agents.authenticate(agent.public_id, secret)
    with pytest.raises(Conflict):
        agents.ensure_no_copy(known, "boot-2")
    agents.ensure_no_copy(known, "boot-1")
    assert _facts(agent, secret, "boot-1") == "unchanged"
    with pytest.raises(Conflict):
        agents.rotate(agent=known, boot_id="boot-2")
    conflict = IdentityConflict.objects.get()
    assert (conflict.kind, conflict.agent) == ("cloned_credential", agent)
    assert AuditEntry.objects.filter(verb="identityconflict.open").count() == 1


@pytest.mark.django_db
def test_samples_alone_tell_a_copy_too(
    enrol: Enrol, django_capture_on_commit_callbacks: Any
) -> None:
    agent, _secret = enrol()
    said = {"agent_id": agent.pk, "address": "::1", "clock_offset": 0.0}
    with django_capture_on_commit_callbacks(execute=True):
        for boot in ("boot-2", "boot-1", "boot-2"):
            agents.forget_recent()
            agents.touch(**said, boot_id=boot)  # type: ignore[arg-type]
    agent.refresh_from_db()
    assert (agent.refused_boots, agent.boot_id) == (["boot-2"], "boot-1")


@pytest.mark.django_db
def test_old_samples_after_a_start_accuse_nobody(enrol: Enrol) -> None:
    agent, _secret = enrol()
    said = {"agent_id": agent.pk, "address": "::1", "clock_offset": 0.0}
    for boot, age in (("boot-2", 0), ("boot-1", 60), ("boot-2", 0), ("boot-1", 90)):
        agents.forget_recent()
        agents.touch(**said, boot_id=boot, age=age)  # type: ignore[arg-type]
    agent.refresh_from_db()
    assert (agent.refused_boots, agent.boot_id) == ([], "boot-2")


@pytest.mark.django_db
def test_a_dismissed_copy_may_report_again(
    cloned: tuple[Agent, str],
    client_of: Any,
    admin: User,
    django_capture_on_commit_callbacks: Any,
) -> None:
    agent, secret = cloned
    conflict = IdentityConflict.objects.get()
    with django_capture_on_commit_callbacks(execute=True):
        client_of(admin).post(f"/cmdb/identity-conflicts/{conflict.pk}/dismiss/")
    assert _facts(agent, secret, "boot-2") in {"changed", "unchanged"}


@pytest.mark.django_db
def test_a_new_secret_ends_the_old_one_at_its_first_use(enrol: Enrol) -> None:
    agent, old = enrol()
    known = agents.authenticate(agent.public_id, old)
    new = agents.rotate(agent=known, boot_id="boot-1")
    agents.forget_recent()
    assert agents.authenticate(agent.public_id, old).pk == agent.pk
    assert agents.authenticate(agent.public_id, new).pk == agent.pk
    with pytest.raises(DomainError) as refusal:
        agents.authenticate(agent.public_id, old)
    assert refusal.value.status == 403
    lines = AuditEntry.objects.filter(verb="agent.rotate")
    assert lines.count() == 1
    assert new not in str(list(lines.values()))
    agent.refresh_from_db()
    assert agent.next_secret_hash == ""
