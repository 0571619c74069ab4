"""Templates: kept from a launch, launched with what they leave open, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from accounts.models import User
from adminset.errors import DomainError, Forbidden
from adminset.models import AuditEntry
from cmdb.models import Host, HostGroup
from tasks.launching.template_services import launch_template
from tasks.models import Run, Template
from tests.crud import ResourceTests
from tests.factories import grant, make_host, make_user
from tests.tasks.launch_things import make_module, make_template
from tests.tasks.launching.conftest import ADD, filled

pytestmark = pytest.mark.django_db
Launch = Callable[..., Run]
USE = ["tasks.use_template", "tasks.view_template", "tasks.add_run", "cmdb.view_host"]
USE += ["cmdb.run_host", "cmdb.use_credential", "cmdb.view_hostgroup"]


def _url(template: Template) -> str:
    return f"/tasks/templates/{template.pk}/launch/"


def test_a_launch_is_kept_as_a_template(
    client_of: Any, admin: User, host: Host
) -> None:
    client = client_of(admin)
    page = client.post(ADD, filled(host, batches="2", title="Look", action="template"))
    form = page.context["form"]
    assert (form["name"].value(), form["command"].value()) == ("Look", "uptime")
    assert f'<option value="{host.pk}" selected' in page.content.decode()
    assert page.context["action_url"] == "/tasks/templates/add/"
    values = filled(host, name="look", batches="2", ask=["command", "options"])
    client.post("/tasks/templates/add/", values)
    kept = Template.objects.get()
    assert (kept.owner, kept.command, kept.batches) == (admin, "uptime", "2")
    # Options of Ansible are no part of a command.
    assert kept.ask == ["command"]
    assert list(kept.hosts.all()) == [host]
    assert AuditEntry.objects.filter(verb="template.create", actor=admin).exists()


def test_who_may_not_add_templates_is_not_offered_to_keep_one(
    client_of: Any, operator: User, host: Host
) -> None:
    client = client_of(operator)
    assert "Save as template" not in client.get(ADD).content.decode()
    assert client.post(ADD, filled(host, action="template")).status_code == 403


def test_a_template_without_hosts_asks_for_them(
    client_of: Any, admin: User, launch: Launch, host: Host
) -> None:
    client = client_of(admin)
    values = filled(name="anywhere")
    assert client.post("/tasks/templates/add/", values).status_code == 422
    client.post("/tasks/templates/add/", values | {"ask": ["hosts"]})
    kept = Template.objects.get()
    page = client.post(_url(kept), {"action": "preview"})
    assert page.status_code == 422
    run = launch({"hosts": [host.pk]}, url=_url(kept))
    assert [row.host for row in run.hosts.all()] == [host]
    assert (run.command, run.title) == ("uptime", "anywhere")


def test_only_what_is_asked_for_is_drawn_and_applied(
    client_of: Any, admin: User, launch: Launch, host: Host
) -> None:
    template = make_template(host, admin, ask=["command"], batches="1")
    page = client_of(admin).get(_url(template))
    assert set(page.context["form"].fields) == {"command", "title"}
    run = launch({"command": "df -h"}, url=_url(template))
    assert (run.command, run.batches) == ("df -h", "1")
    entry = AuditEntry.objects.get(verb="template.launch")
    assert entry.changes[0]["new"] == f"#{run.pk}"


@pytest.mark.parametrize(
    "given",
    [
        {"forks": 3},
        {"hosts": [1]},
        {"batches": ""},
        {"kind": "module"},
        {"host_list": "x"},
        {"secret_answers": '{"target": "/"}'},
    ],
)
def test_what_is_fixed_is_refused_when_it_is_given(
    client_of: Any, admin: User, host: Host, given: dict[str, Any]
) -> None:
    template = make_template(host, admin, ask=["command"])
    page = client_of(admin).post(
        _url(template), {"command": "id", "action": "preview"} | given
    )
    assert page.status_code == 422
    assert "is fixed by this template" in page.content.decode()
    with pytest.raises(DomainError) as caught:
        launch_template(actor=admin, template=template, values=given)
    assert set(caught.value.fields) == set(given)
    assert not Run.objects.exists()


def test_a_program_launches_with_what_is_asked_for(admin: User, host: Host) -> None:
    template = make_template(host, admin, ask=["command", "variables", "batches"])
    run = launch_template(
        actor=admin, template=template, values={"command": "date", "batches": "1"}
    )
    assert (run.command, run.batches, run.host_count) == ("date", "1", 1)
    with pytest.raises(DomainError) as caught:
        launch_template(actor=admin, template=template, values={"colour": 1})
    assert "colour" in caught.value.fields
    with pytest.raises(DomainError):
        launch_template(actor=admin, template=template, values={"batches": "many"})


def test_answers_of_a_task_module_are_kept_and_may_be_changed(
    client_of: Any, admin: User, launch: Launch, host: Host
) -> None:
    module = make_module({"name": "word"})
    values = filled(host, kind="task_module", task_module=module.pk, name="say")
    values |= {"answer-word": "hello", "ask": ["answers"]}
    answer = client_of(admin).post("/tasks/templates/add/", values)
    assert answer.status_code == 302, answer.context["form"].errors
    kept = Template.objects.get()
    assert kept.answers == {"word": "hello"}
    page = client_of(admin).get(_url(kept))
    assert 'value="hello"' in page.content.decode()
    assert launch({"answer-word": "bye"}, url=_url(kept)).answers["word"] == "bye"
    run = launch_template(actor=admin, template=kept, values={})
    assert run.answers["word"] == "hello"
    run = launch_template(actor=admin, template=kept, values={"answers": {"word": "x"}})
    assert run.answers["word"] == "x"


def test_who_launches_needs_use_and_runs_with_the_own_rights(
    group: HostGroup, other_group: HostGroup, host: Host, admin: User
) -> None:
    foreign = make_template(make_host("foreign", groups=[other_group]), admin)
    own, free = make_template(host, admin), make_template(None, admin, ask=["hosts"])
    user = make_user(perms=USE, groups=[group])
    assert set(Template.objects.visible_to(user, "use")) == {own, free}
    assert set(Template.objects.visible_to(user)) == {own, free}
    with pytest.raises(Forbidden):
        launch_template(actor=user, template=foreign, values={})
    assert launch_template(actor=user, template=own, values={}).requested_by == user
    looker = make_user(perms=["tasks.view_template", "tasks.add_run"])
    with pytest.raises(Forbidden):
        launch_template(actor=looker, template=own, values={})
    assert Run.objects.count() == 1


def test_who_may_use_it_but_not_run_there_is_refused(host: Host, admin: User) -> None:
    user = make_user(perms=["tasks.use_template", "tasks.add_run"])
    with pytest.raises(Forbidden):
        launch_template(actor=user, template=make_template(host, admin), values={})
    assert not AuditEntry.objects.filter(verb="template.launch").exists()


def test_a_free_template_is_changed_only_by_who_may_change_all(
    group: HostGroup, admin: User
) -> None:
    free = make_template(None, admin, ask=["hosts"])
    perms = ["tasks.view_template", "tasks.change_template"]
    scoped = make_user(perms=perms, groups=[group])
    assert not Template.objects.visible_to(scoped, "change").exists()
    assert free in Template.objects.visible_to(make_user(perms=perms), "change")


def test_the_page_of_a_template_says_where_and_what_may_be_changed(
    client_of: Any, admin: User, host: Host
) -> None:
    template = make_template(host, admin, ask=["command"], variables={"a": 1})
    page = client_of(admin).get(f"{template.get_absolute_url()}?tab=where")
    text = page.content.decode()
    assert "web1" in text
    assert "Command" in text
    assert _url(template) in text


class TestTemplates(ResourceTests):
    model = Template
    scoped = True
    edit: ClassVar[tuple[str, Any]] = ("description", "changed")

    @pytest.fixture(autouse=True)
    def _groups(self, group: HostGroup, other_group: HostGroup, operator: User) -> None:
        verbs = ("view", "add", "change", "delete")
        grant(operator, [f"tasks.{verb}_template" for verb in verbs], [group])
        self.inside, self.outside = group, other_group

    def make(self, number: int = 0, *, outside: bool = False) -> Template:
        there = self.outside if outside else self.inside
        made = Template.objects.create(
            name=f"template {number} {outside}", command="id"
        )
        made.groups.add(there)
        return made

    def valid(self) -> dict[str, Any]:
        return {
            "name": "typed",
            "kind": "command",
            "command": "id",
            "groups": [self.inside.pk],
            "timeout_seconds": 60,
            "forks": 5,
            "pause_after": "never",
            "together": "allow",
            "language": "sh",
        }
