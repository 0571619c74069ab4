"""Making a web-hook: who may, what it can set, and trying it with a sample that starts nothing."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import Host, HostGroup
from tasks.hooks.forms import InHookForm
from tasks.launching.template_forms import TemplateForm
from tasks.models import InHook, Run, TaskModule
from tests.crud import ResourceTests
from tests.factories import grant, make_host
from tests.tasks.hooks.hook_things import SECRET, make_hook
from tests.tasks.launch_things import make_template
from tests.tasks.run_api.api_things import Api
from tests.tasks.workflow_things import make_workflow

pytestmark = pytest.mark.django_db
ADD = "/tasks/hooks-in/add/"


def filled(module: TaskModule, host: Host, **more: Any) -> dict[str, Any]:
    """Give what a person would send."""
    return {
        "name": "releases",
        "kind": "github",
        "header": "X-AdminSet-Signature",
        "secret": SECRET,
        "does": "task_module",
        "task_module": module.pk,
        "hosts": [host.pk],
        "events": "release\npush",
        "match-0-path": "action",
        "match-0-operator": "equals",
        "match-0-value": "published",
        "match-1-operator": "",
        "extract-0-field": "word",
        "extract-0-path": "release.tag_name",
        "extract-0-pattern": "v*",
        "active": "on",
    } | more


def test_a_hook_is_made_on_the_page(
    client_of: Any, admin: User, host: Host, module: TaskModule
) -> None:
    client = client_of(admin)
    assert client.get(ADD).status_code == 200
    answer = client.post(ADD, filled(module, host))
    assert answer.status_code == 302, answer.context["form"].errors
    made = InHook.objects.get()
    assert (made.run_as, made.events) == (admin, ["release", "push"])
    assert made.match == [
        {"path": "action", "operator": "equals", "value": "published"}
    ]
    assert made.extract == [
        {
            "field": "word",
            "optional": False,
            "pattern": "v*",
            "path": "release.tag_name",
        }
    ]
    assert made.secret.reveal() == SECRET
    line = AuditEntry.objects.get(verb="inhook.create")
    assert SECRET not in str(line.changes)
    for tab in ("", "?tab=address", "?tab=deliveries"):
        assert client.get(f"{made.get_absolute_url()}{tab}").status_code == 200
    edit = client.get(f"/tasks/hooks-in/{made.pk}/edit/").content.decode()
    assert 'value="release.tag_name"' in edit


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"secret": ""}, "secret"),
        ({"secret": "short"}, "secret"),
        ({"does": "template"}, "template"),
        ({"does": "workflow"}, "workflow"),
        ({"does": "rm"}, "does"),
        ({"hosts": []}, "hosts"),
        ({"extract-0-field": "other"}, "extract"),
        ({"extract-0-path": "a..b"}, "extract"),
        ({"match-0-path": ""}, "match"),
        ({"header": "a b"}, "header"),
        ({"events": "x" * 81}, "events"),
    ],
)
def test_what_cannot_be_is_said(
    client_of: Any,
    admin: User,
    host: Host,
    module: TaskModule,
    more: dict[str, Any],
    field: str,
) -> None:
    page = client_of(admin).post(ADD, filled(module, host, **more))
    assert page.status_code in {200, 422}
    assert field in page.context["form"].errors
    assert not InHook.objects.exists()


@pytest.mark.parametrize(
    "field", ["command", "script_text", "host_filter", "forks", "secret_answers"]
)
def test_no_message_sets_what_becomes_code(
    client_of: Any, admin: User, host: Host, module: TaskModule, field: str
) -> None:
    template = make_template(host, admin, ask=["command", "forks", "host_filter"])
    values = {"does": "template", "template": template.pk, "extract-0-field": field}
    page = client_of(admin).post(ADD, filled(module, host, **values))
    assert "extract" in page.context["form"].errors


def test_whoever_saves_is_whom_it_runs_as_and_must_be_able_to(
    client_of: Any, hook: InHook, operator: User, group: HostGroup, host: Host
) -> None:
    hooks = [f"tasks.{verb}_inhook" for verb in ("view", "add", "change")]
    grant(operator, [*hooks, "tasks.view_taskmodule"])
    client = client_of(operator)
    values = {"name": "mine", "match": [], "extract": []}
    address = f"/tasks/hooks-in/{hook.pk}/edit/"
    module = hook.task_module
    assert module is not None
    foreign = make_host("db1")
    assert client.post(address, filled(module, foreign, **values)).status_code != 302
    hook.refresh_from_db()
    assert hook.run_as != operator
    grant(operator, ["tasks.use_taskmodule", "cmdb.use_credential"])
    answer = client.post(address, filled(module, host, **values))
    assert answer.status_code == 302, answer.content.decode()[-2000:]
    hook.refresh_from_db()
    assert hook.run_as == operator


def test_who_works_in_one_group_keeps_the_hosts_of_a_row(
    operator: User, host: Host
) -> None:
    hook = make_hook(operator, does="task_module", hosts=[host])
    template = make_template(host, operator)
    for form in (
        InHookForm(user=operator, instance=hook),
        TemplateForm(user=operator, instance=template),
    ):
        assert form.initial["hosts"] == [host.pk]


def test_a_token_with_limits_makes_no_hook(
    admin: User, host: Host, module: TaskModule
) -> None:
    body = {
        "name": "h",
        "secret": SECRET,
        "does": "task_module",
        "task_module": module.name,
        "hosts": ["web1"],
        "extract": [{"field": "word", "constant": "x"}],
    }
    kind = "application/json"
    limited = Api(admin, permissions=["tasks.add_inhook", "tasks.add_run"])
    answer = limited.client.post("/api/v1/hooks-in/", body, content_type=kind)
    assert answer.status_code in {403, 422}
    assert not InHook.objects.exists()
    whole = Api(admin).client.post("/api/v1/hooks-in/", body, content_type=kind)
    assert whole.status_code == 201, whole.content
    assert SECRET not in whole.content.decode()


def test_a_sample_shows_what_it_would_do_and_does_nothing(
    client_of: Any, admin: User, hook: InHook
) -> None:
    InHook.objects.update(
        match=[{"path": "action", "operator": "equals", "value": "published"}]
    )
    client, address = client_of(admin), f"/tasks/hooks-in/{hook.pk}/try/"
    assert client.get(address).status_code == 200
    body = '{"action": "published", "release": {"tag_name": "<b>v1</b>"}}'
    page = client.post(address, {"body": body}).content.decode()
    assert "This message would start" in page
    assert "&lt;b&gt;v1&lt;/b&gt;" in page
    assert "web1" in page
    other = client.post(address, {"body": body.replace("published", "x")})
    assert "This message would start nothing." in other.content.decode()
    assert client.post(address, {"body": "{"}).status_code == 422
    assert not Run.objects.exists()
    assert not hook.deliveries.exists()


class TestInHooks(ResourceTests):
    """A web-hook as every resource."""

    model = InHook

    def make(self, number: int = 0, *, outside: bool = False) -> InHook:
        # Who saves it is whom it runs as: the same as in the tests, so that only what they change changes.
        owner = User.objects.filter(is_superuser=True).first()
        owner = owner or User.objects.create_superuser("owner", "x")
        flow = make_workflow(owner, {"a": {}})
        return make_hook(owner, name=f"h{number}", does="workflow", workflow=flow)

    def valid(self) -> dict[str, Any]:
        owner = User.objects.create_superuser("other", "x")
        flow = make_workflow(owner, {"a": {}})
        return {
            "name": "new",
            "kind": "generic",
            "header": "X-Signature",
            "secret": SECRET,
            "does": "workflow",
            "workflow": flow.pk,
            "active": "on",
        }
