"""Who may speak, how many words it takes, and what ends the question."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Role, User
from adminset.errors import Conflict, Forbidden
from adminset.models import AuditEntry
from cmdb.models import Credential, Host, HostGroup
from tasks.approvals import deciding
from tasks.models import Approval, Run, RunHost, RunPart
from tasks.services.cancel import cancel_run
from tasks.services.claim import claim_run
from tasks.services.launch import RunSpec, request_run
from tests.factories import make_host, make_user
from tests.tasks.workflow_things import make_rule

pytestmark = pytest.mark.django_db
PERMS = ["tasks.view_approval", "tasks.decide_approval"]


@pytest.fixture
def host(group: HostGroup) -> Host:
    login = Credential.objects.create(name="login", username="deploy", password="x")
    return make_host("web1", groups=[group], address="192.0.2.1", credential=login)


@pytest.fixture
def people(db: None) -> list[User]:
    return [make_user(f"boss{n}", perms=PERMS) for n in range(3)]


@pytest.fixture
def run(admin: User, host: Host, people: list[User]) -> Run:
    """A run that needs two of three."""
    make_rule(*people, needed=2)
    return request_run(actor=admin, spec=RunSpec(command="reboot", host_ids=(host.pk,)))


def approval() -> Approval:
    return Approval.objects.get()


def vote(person: User, verdict: str = "approve", comment: str = "") -> Approval:
    return deciding.vote(
        actor=person, approval=approval(), verdict=verdict, comment=comment
    )


def part(run: Run) -> RunPart:
    return RunPart.objects.get(run=run)


def test_a_run_that_needs_approval_is_not_taken_by_a_worker(run: Run) -> None:
    assert "It waits for approval" in run.explanation
    assert claim_run(pk=run.pk, worker="w") is None
    run.refresh_from_db()
    assert run.status == "queued"
    assert part(run).status == "waiting"
    assert "It waits for approval" in part(run).reason


def test_it_takes_as_many_words_as_the_rule_says(
    run: Run, people: list[User], django_capture_on_commit_callbacks: Any
) -> None:
    claim_run(pk=run.pk, worker="w")
    assert vote(people[0]).status == "waiting"
    assert claim_run(pk=run.pk, worker="w") is None
    with django_capture_on_commit_callbacks(execute=True):
        assert vote(people[1], comment="fine").status == "approved"
    # A worker was called.
    assert part(run).status == "queued"
    assert claim_run(pk=run.pk, worker="w") is not None
    verbs = AuditEntry.objects.filter(verb__startswith="approval.").order_by("id")
    assert list(verbs.values_list("verb", flat=True)) == [
        "approval.ask",
        "approval.approve",
        "approval.approve",
        "approval.decide",
    ]


def test_one_refusal_ends_the_run(run: Run, people: list[User]) -> None:
    vote(people[0])
    assert vote(people[1], "refuse", "not on Friday").status == "refused"
    run.refresh_from_db()
    assert run.status == "cancelled"
    assert "Refused by boss1: not on Friday" in run.explanation
    with pytest.raises(Conflict):
        vote(people[2])
    assert claim_run(pk=run.pk, worker="w") is None


def test_nobody_speaks_twice(run: Run, people: list[User]) -> None:
    vote(people[0])
    with pytest.raises(Conflict, match="spoken already"):
        vote(people[0])
    assert approval().status == "waiting"


def test_nobody_approves_what_they_asked_for(run: Run, admin: User) -> None:
    approval().rule.users.add(admin)
    with pytest.raises(Forbidden, match="asked for themselves"):
        vote(admin)
    assert approval().votes.count() == 0


def test_who_is_not_named_or_lacks_the_permission_may_not(
    run: Run, people: list[User]
) -> None:
    for person in (make_user(is_superuser=True), make_user(perms=PERMS)):
        with pytest.raises(Forbidden, match="not among those"):
            vote(person)
    people[0].grants.all().delete()
    with pytest.raises(Forbidden, match="not among those"):
        vote(User.objects.get(pk=people[0].pk))


def test_a_role_approves_while_the_grant_holds(admin: User, host: Host) -> None:
    person = make_user(perms=PERMS)
    grant = person.grants.get()
    make_rule(role=Role.objects.get(pk=grant.role_id))
    request_run(actor=admin, spec=RunSpec(command="id", host_ids=(host.pk,)))
    grant.valid_until = timezone.now() - timedelta(days=1)
    grant.valid_from = None
    grant.save()
    with pytest.raises(Forbidden):
        vote(User.objects.get(pk=person.pk))
    grant.valid_until = None
    grant.save()
    assert vote(User.objects.get(pk=person.pk)).status == "approved"


def test_a_rule_that_names_nobody_leaves_it_to_the_permission(
    admin: User, host: Host
) -> None:
    make_rule()
    request_run(actor=admin, spec=RunSpec(command="id", host_ids=(host.pk,)))
    assert vote(make_user(perms=PERMS)).status == "approved"


def test_what_nobody_decides_expires_and_never_runs(
    run: Run, people: list[User]
) -> None:
    Approval.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert claim_run(pk=run.pk, worker="w") is None
    run.refresh_from_db()
    assert (approval().status, run.status) == ("expired", "cancelled")
    with pytest.raises(Conflict):
        vote(people[0])


def test_the_sweeper_lets_it_expire_once(run: Run) -> None:
    Approval.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert deciding.expire_due() == 1
    assert deciding.expire_due() == 0
    assert AuditEntry.objects.filter(verb="approval.decide").count() == 1


CHANGES = {
    "the hosts": lambda run: RunHost.objects.create(
        run=run, host=make_host("more"), host_name="more"
    ),
    "the text": lambda run: Run.objects.filter(pk=run.pk).update(command="rm -rf /"),
    "the variables": lambda run: Run.objects.filter(pk=run.pk).update(
        variables={"a": 1}
    ),
    "the answers": lambda run: Run.objects.filter(pk=run.pk).update(answers={"a": 1}),
    "the options": lambda run: Run.objects.filter(pk=run.pk).update(forks=200),
    "who asked for it": lambda run: Run.objects.filter(pk=run.pk).update(
        requested_by=make_user()
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_any_change_before_the_word_voids_it(
    run: Run, people: list[User], name: str
) -> None:
    CHANGES[name](run)
    with pytest.raises(Conflict, match=name):
        vote(people[0])
    run.refresh_from_db()
    assert (approval().status, run.status) == ("void", "cancelled")


@pytest.mark.parametrize("name", CHANGES)
def test_any_change_after_the_word_voids_it_when_a_worker_comes(
    run: Run, people: list[User], name: str
) -> None:
    vote(people[0])
    vote(people[1])
    CHANGES[name](run)
    assert claim_run(pk=run.pk, worker="w") is None
    run.refresh_from_db()
    assert (approval().status, run.status) == ("void", "cancelled")
    assert name in run.explanation


def test_an_address_that_changes_on_a_row_voids_it(
    run: Run, people: list[User]
) -> None:
    run.hosts.update(address="192.0.2.66")
    with pytest.raises(Conflict, match="the hosts"):
        vote(people[0])


WAYS: dict[str, dict[str, Any]] = {
    "port": {"ssh_port": 2222},
    "key": {"host_key": "ssh-ed25519 another"},
    "credential": {"credential": None},
}


@pytest.mark.parametrize("name", WAYS)
def test_another_way_to_a_host_of_the_same_address_voids_it(
    run: Run, people: list[User], host: Host, name: str
) -> None:
    vote(people[0])
    vote(people[1])
    Host.objects.filter(pk=host.pk).update(**WAYS[name])
    assert claim_run(pk=run.pk, worker="w") is None
    run.refresh_from_db()
    assert (approval().status, run.status) == ("void", "cancelled")
    assert "the hosts" in run.explanation


def test_another_login_of_a_credential_voids_it(run: Run, people: list[User]) -> None:
    Credential.objects.update(username="root")
    with pytest.raises(Conflict, match="the hosts"):
        vote(people[0])


def test_a_run_that_is_cancelled_asks_nobody_any_more(
    run: Run, admin: User, people: list[User]
) -> None:
    cancel_run(actor=admin, run=run)
    deciding.expire_due()
    assert approval().status == "cancelled"
    with pytest.raises(Conflict):
        vote(people[0])
