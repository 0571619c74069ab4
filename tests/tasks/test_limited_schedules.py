"""A schedule runs with its owner's rights: nobody saves one that he could not start, and no limited token saves any."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ApiToken, User
from accounts.services import tokens
from adminset.audit import SystemActor
from adminset.errors import Forbidden
from adminset.http import PROVED_AT
from adminset.models import AuditEntry
from cmdb.models import Credential, HostGroup
from tasks.models import Run, Schedule, Work
from tasks.services.launch import RunSpec, request_run
from tasks.services.schedules import switch_schedule
from tests.factories import grant, make_host

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
API = "/api/v1/schedules/"


@pytest.fixture
def owner(operator: User, group: HostGroup) -> User:
    actions = ("view", "add", "change", "delete")
    grant(operator, [f"tasks.{action}_schedule" for action in actions], [group])
    return operator


def body(host: Any, **values: Any) -> dict[str, Any]:
    """Give a schedule of each minute."""
    given = {"name": "nightly", "kind": "command", "command": "id", "hosts": [host.pk]}
    more = {"every_minutes": 1, "timeout_seconds": 60, "forks": 1, "enabled": True}
    return given | more | {"time_zone": "UTC"} | values


def speaking(user: User, **limits: Any) -> Client:
    """Give a client that speaks by a token of the user."""
    _token, text = tokens.create_token(
        actor=SystemActor("test"), user=user, name="t", can_write=True, **limits
    )
    return Client(headers={"Authorization": f"Bearer {text}"})


def send(client: Client, path: str, given: Any, method: str = "post") -> Any:
    return getattr(client, method)(path, given, content_type="application/json")


SCHEDULING = ["tasks.add_schedule", "tasks.change_schedule", "tasks.view_schedule"]
NEEDED = [*SCHEDULING, "tasks.add_run", "cmdb.run_host", "cmdb.view_host"]


@pytest.mark.parametrize("by", ["permissions", "scope_ids"])
def test_a_token_with_limits_makes_no_schedule(
    admin: User, group: HostGroup, by: str
) -> None:
    limits = {"permissions": NEEDED, "scope_ids": {"cmdb.hostgroup": [group.pk]}}
    client = speaking(admin, **{by: limits[by]})
    answer = send(client, API, body(make_host(groups=[group])))
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (403, "limited_token")
    assert "may not make" in error["message"]
    assert error["hint"]
    assert not Schedule.objects.exists()
    assert not AuditEntry.objects.filter(verb="schedule.create").exists()


def test_a_limited_token_neither_changes_nor_turns_on_a_schedule(admin: User) -> None:
    assert send(speaking(admin), API, body(make_host())).status_code == 201
    schedule = Schedule.objects.get()
    client = speaking(admin, permissions=NEEDED)
    answer = send(client, f"{API}{schedule.pk}/", {"command": "reboot"}, "patch")
    assert answer.status_code == 403
    schedule.refresh_from_db()
    assert schedule.command == "id"
    switch_schedule(actor=admin, schedule=schedule, enabled=False)
    admin.token = ApiToken.objects.exclude(permissions=[]).get()
    with pytest.raises(Forbidden):
        switch_schedule(actor=admin, schedule=schedule, enabled=True)
    schedule.refresh_from_db()
    assert schedule.enabled is False


@pytest.mark.parametrize("module", ["fetch", "script", "include_vars"])
def test_a_schedule_of_a_module_that_its_owner_may_not_run_is_not_saved(
    client_of: Signed, owner: User, group: HostGroup, module: str
) -> None:
    given = body(make_host(groups=[group]), kind="module", module=module, command="")
    answer = send(client_of(owner), API, given)
    assert (answer.status_code, answer.json()["error"]["code"]) == (
        403,
        "module_refused",
    )
    assert not Schedule.objects.exists()


def test_a_schedule_with_a_credential_that_its_owner_may_not_use_is_not_saved(
    client_of: Signed, admin: User, group: HostGroup
) -> None:
    from_elsewhere = Credential.objects.create(name="root", username="root")
    host = make_host(groups=[group], credential=from_elsewhere)
    user = User.objects.create_user("scheduler", "a long enough secret")
    grant(user, [*SCHEDULING, "tasks.add_run", "cmdb.view_host", "cmdb.run_host"])
    answer = send(client_of(user), API, body(host))
    assert answer.json()["error"]["code"] == "credential_refused"
    assert not Schedule.objects.exists()
    made = client_of(admin).post(reverse("tasks:schedule_add"), body(host))
    assert made.status_code == 302
    schedule = Schedule.objects.get()
    switch_schedule(actor=admin, schedule=schedule, enabled=False)
    page = reverse("tasks:schedule_enable", args=[schedule.pk])
    assert client_of(user).post(page).status_code == 403
    schedule.refresh_from_db()
    assert (schedule.enabled, schedule.run_as) == (False, admin)


def test_a_scoped_permission_to_write_playbooks_opens_no_module(
    operator: User, group: HostGroup
) -> None:
    grant(operator, ["tasks.add_playbook"], [group])
    host = make_host(groups=[group])
    spec = RunSpec(kind=Work.Kind.MODULE, module="fetch", host_ids=(host.pk,))
    with pytest.raises(Forbidden) as refused:
        request_run(actor=operator, spec=spec)
    assert refused.value.code == "module_refused"
    assert not Run.objects.exists()
    grant(operator, ["tasks.add_playbook"])
    assert request_run(actor=operator, spec=spec).module == "fetch"


def test_a_schedule_asks_once_more_who_is_there(client_of: Signed, admin: User) -> None:
    client = client_of(admin)
    session = client.session
    session[PROVED_AT] = 0
    session.save()
    answer = send(client, API, body(make_host()))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "proof_needed")
    page = client.post(reverse("tasks:schedule_add"), body(make_host()))
    assert reverse("accounts:confirm") in page["Location"]
    assert not Schedule.objects.exists()
