"""A run is judged again when a worker takes it: what was taken away in between does not happen."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import Credential, Host, HostGroup
from tasks.models import Run, RunHost, RunPart
from tasks.services.execute import execute_run
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db
PERMS = ["tasks.add_run", "cmdb.view_host", "cmdb.run_host", "cmdb.use_credential"]


@pytest.fixture
def asker(group: HostGroup) -> User:
    """May run on the hosts of one group."""
    return make_user("asker", perms=PERMS, groups=[group])


@pytest.fixture
def asked(asker: User, group: HostGroup, run_dir: Any) -> Run:
    """A run that waits for a worker: on a host with a credential that the asker may use."""
    credential = Credential.objects.create(name="key", username="root", password="x")
    host = make_host("db", groups=[group], address="127.0.0.1", credential=credential)
    run = Run.objects.create(
        command="true", title="true", requested_by=asker, host_count=1
    )
    part = RunPart.objects.create(run=run, queue="runs")
    RunHost.objects.create(run=run, part=part, host=host, host_name=host.hostname)
    return run


def _take_grant(run: Run) -> None:
    run.requested_by.grants.all().delete()


def _stop_asker(run: Run) -> None:
    User.objects.update(is_active=False)


def _move_host(run: Run) -> None:
    Host.objects.get().groups.clear()


def _exchange_credential(run: Run) -> None:
    foreign = Credential.objects.create(name="other", username="root", password="y")
    elsewhere = make_host("elsewhere", credential=foreign)
    assert elsewhere.credential == foreign
    role = run.requested_by.grants.get().role
    role.permissions.remove(role.permissions.get(codename="use_credential"))


@pytest.mark.parametrize(
    ("happens", "said"),
    [
        (_take_grant, "may not start runs any more"),
        (_stop_asker, "may not sign in any more"),
        (_move_host, "may not run work on this host"),
        (_exchange_credential, "may not use the credential"),
    ],
)
def test_what_is_taken_away_meanwhile_is_not_done(
    asked: Run, happens: Callable[[Run], None], said: str
) -> None:
    happens(asked)
    execute_run(pk=asked.pk, worker="test")
    asked.refresh_from_db()
    row = asked.hosts.get()
    assert (asked.status, row.status) == ("failed", "not_started")
    assert said in row.explanation
    assert not AuditEntry.objects.filter(verb="credential.use").exists()
