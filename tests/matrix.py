"""Who gets what from every url, API method and web socket: asked for real, for tests/test_matrix.py and docs/permissions.md."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.utils import timezone

from accounts import access
from accounts.models import (
    ApiToken,
    Grant,
    GroupMapping,
    PortalSession,
    Role,
    User,
)
from accounts.services.setup import ensure_shipped_roles
from adminset import audit, refusals
from adminset.crypto import digest
from adminset.models import BulkJob, ImportPlan, SavedView, WebHook
from adminset.querysets import Scope
from appconf.models import Environment
from cmdb.models import (
    HOST_GROUP_SCOPE,
    Agent,
    AssetStatus,
    Credential,
    EnrolmentToken,
    Host,
    HostGroup,
    IdentityConflict,
    Relation,
    RelationKind,
)
from monitor.models import CollectionPolicy, Dashboard
from tasks.models import Run, RunHost, Schedule
from tests.app_factories import make_application
from tests.cmdb.things import make_thing
from tests.delivery.configs.push_things import make_pushed
from tests.delivery.factories import make_delivery, make_pipeline_template
from tests.factories import (
    make_cabinet,
    make_group,
    make_host,
    make_idc,
    make_installation,
    make_money,
    make_network,
    make_parts,
    make_user,
)
from tests.matrix_page import Statuses
from tests.matrix_urls import address_of
from tests.monitor.check_things import make_check, make_heartbeat, make_status_parts
from tests.tasks.guard.things import make_guard_rule
from tests.tasks.hooks.hook_things import make_hook
from tests.tasks.launch_things import make_template
from tests.tasks.library_things import make_library
from tests.tasks.module_things import make_module
from tests.tasks.schedule_things import make_calendar
from tests.tasks.site_things import make_site
from tests.tasks.terminal_pages.session_things import make_session
from tests.tasks.workflow_things import make_task_parts

# Kinds of the CMDB of which any object will do: they lie in no group.
ALIKE = (
    "branch",
    "cabinetreservation",
    "cluster",
    "contact",
    "customfield",
    "productline",
    "region",
    "supplier",
    "tag",
)


@dataclass
class Stage:
    """The people and the objects of the matrix: of each kind one in the operator's group, and one that is not."""

    people: dict[str, User]
    browser_of: Callable[[User | None], Client]
    inside: dict[str, int] = field(default_factory=dict)
    outside: dict[str, int] = field(default_factory=dict)


def set_stage(browser_of: Callable[[User | None], Client]) -> Stage:
    """Make them."""
    ensure_shipped_roles()
    people = {
        "stranger": make_user("stranger"),
        "auditor": make_user("auditor"),
        "operator": make_user("operator"),
        "administrator": make_user("administrator", is_superuser=True),
    }
    group, other = make_group("inside"), make_group("outside")
    _give(people["auditor"], "auditor")
    _give(people["operator"], "operator", group)
    stage = Stage(people, browser_of)
    for place, found in ((stage.inside, group), (stage.outside, other)):
        _furnish(place, found, people["administrator"])
    _furnish_alike(stage, people["administrator"])
    return stage


@contextmanager
def standing(django_db_blocker: Any) -> Iterator[Stage]:
    """Keep a stage through many tests: each takes back what it changed itself, the end takes back the stage.

    For fixtures of a wider scope than a test; none of those tests may be `django_db(transaction=True)`.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield set_stage(_nobody)
        transaction.set_rollback(True)


def _nobody(_user: User | None) -> Client:
    return Client()


def entered(stage: Stage, browser_of: Callable[[User | None], Client]) -> Stage:
    """Give a standing stage to a test, with people of whom nothing is remembered."""
    found = User.objects.in_bulk([user.pk for user in stage.people.values()])
    people = {name: found[user.pk] for name, user in stage.people.items()}
    return replace(stage, people=people, browser_of=browser_of)


def _give(user: User, role: str, group: HostGroup | None = None) -> Grant:
    grant = Grant.objects.create(
        user=user, role=Role.objects.get(shipped=role), everything=group is None
    )
    if group is not None:
        grant.scopes.create(kind=HOST_GROUP_SCOPE, object_id=group.pk)
    return grant


def _furnish(place: dict[str, int], group: HostGroup, owner: User) -> None:
    """Make what lies in a group or does not."""
    credential = Credential.objects.create(name=f"root of {group}", username="root")
    host = make_host(
        f"host-{group}", groups=[group], credential=credential, owner="somebody"
    )
    agent = Agent.objects.create(host=host, secret_hash=digest("x"))
    conflict = IdentityConflict.objects.create(
        kind="clone_suspected", fingerprint=digest(str(group)), open_key=str(group)
    )
    conflict.hosts.add(host)
    token = EnrolmentToken.objects.create(
        name=f"for {group}",
        prefix=f"e{group.pk:011d}",
        secret_hash=digest("x"),
        group=group,
        expires_at=timezone.now() + timedelta(days=1),
    )
    run = Run.objects.create(command="id", title="id", requested_by=owner)
    RunHost.objects.create(run=run, host=host, host_name=str(host))
    schedule = Schedule.objects.create(
        name=f"every day on {group}", command="id", run_as=owner, crontab="0 3 * * *"
    )
    schedule.hosts.add(host)
    changed = [{"field": "owner", "old": "", "new": host.owner}]
    line = audit.record(owner, "host.update", host, changes=changed)
    application = make_application(host)
    environment = Environment.objects.get(pk=application["environment"])
    place |= {
        # Lines of the trail by the urls that take them back.
        "change": line.pk,
        "request": line.pk,
        "hostgroup": group.pk,
        "credential": credential.pk,
        "host": host.pk,
        "agent": agent.pk,
        "enrolmenttoken": token.pk,
        "identityconflict": conflict.pk,
        "run": run.pk,
        "schedule": schedule.pk,
        "template": make_template(host, owner).pk,
        "relation": _relation(host, group).pk,
        # What hangs together with a host is asked by the host's key.
        "related": host.pk,
        "impact": host.pk,
        "installation": make_installation(host).pk,
        "servicecheck": make_check(host_group=group).pk,
        "heartbeat": make_heartbeat(host_group=group).pk,
        **make_parts(host),
        **make_task_parts(host, owner),
        "site": make_site(host).pk,
        **application,
        **make_pushed(host, environment),
        **make_delivery(environment, host, owner),
        **dict.fromkeys(("terminal", "terminalsession"), make_session(owner, host).pk),
    }


def _relation(host: Host, group: HostGroup) -> Relation:
    kind, _made = RelationKind.objects.get_or_create(name="serves", reverse_name="by")
    ends = {"from_type": "cmdb.host", "from_id": host.pk}
    ends |= {"to_type": "cmdb.hostgroup", "to_id": group.pk}
    return Relation.objects.create(kind=kind, **ends)


def _furnish_alike(stage: Stage, owner: User) -> None:
    """Make what has no group: the same row for both columns of the operator."""
    role = Role.objects.create(name="some role")
    somebody = make_user("somebody")
    grant = _give(somebody, "guest", make_group("elsewhere"))
    token = ApiToken.objects.create(
        user=stage.people["administrator"],
        name="t",
        prefix="abcdef012345",
        secret_hash=digest("x"),
        expires_at=timezone.now() + timedelta(days=1),
    )
    session = PortalSession.objects.create(
        session_key=digest("of the stage"),
        user=owner,
        expire_date=timezone.now() + timedelta(days=1),
    )
    mapping = GroupMapping.objects.create(source="ldap", group="ops", role=role)
    idc = make_idc()
    alike = {
        "user": somebody.pk,
        "role": role.pk,
        "grant": grant.pk,
        "apitoken": token.pk,
        "my_token": token.pk,
        "portalsession": session.pk,
        "my_session": session.pk,
        "groupmapping": mapping.pk,
        "idc": idc.pk,
        "cabinet": make_cabinet(idc).pk,
        "relationkind": RelationKind.objects.create(
            name="feeds", reverse_name="fed"
        ).pk,
        "webhook": _web_hook().pk,
        "taskmodule": make_module().pk,
        "inhook": make_hook(owner).pk,
        "guardrule": make_guard_rule().pk,
        **make_status_parts(),
        "assetstatus": AssetStatus.objects.create(name="some status").pk,
        "calendar": make_calendar("sat,sun").pk,
        "pipelinetemplate": make_pipeline_template().pk,
        **make_library(role.pk),
        "audit": audit.record(owner, "host.create").pk,
        "saved": SavedView.objects.create(
            owner=owner, resource="hosts", name="v", is_shared=True
        ).pk,
        "import": _make_plan(owner).pk,
        "bulk": BulkJob.objects.create(owner=owner, resource="hosts", kind="edit").pk,
        "dashboard": _dashboard(owner).pk,
        "collectionpolicy": CollectionPolicy.objects.create(
            host_group=make_group("measured")
        ).pk,
        **make_network(),
        **make_money(),
        **{kind: make_thing(apps.get_model("cmdb", kind)).pk for kind in ALIKE},
    }
    stage.inside |= alike
    stage.outside |= alike


def _make_plan(owner: User) -> ImportPlan:
    plan = ImportPlan(owner=owner, resource="idcs", file_name="f.csv", state="planned")
    plan.content = {"header": ["name"], "names": ["name"], "rows": []}
    plan.save()
    return plan


def _dashboard(owner: User) -> Dashboard:
    """Make a shared one with the panel that TAKEN names."""
    panel = {"id": "p1", "kind": "stat", "metric": "load.1"}
    return Dashboard.objects.create(
        owner=owner, name="board", is_shared=True, panels=[panel]
    )


def _web_hook() -> WebHook:
    """Make one that leads where the portal may not go, with the delivery that TAKEN names."""
    hook = WebHook.objects.create(
        name="some", url="https://127.0.0.1/", secret="x" * 16
    )
    hook.deliveries.create(pk=1, event="host.update", body="{}")
    return hook


def refuse_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer 403 without drawing its page, or saying who could help: it costs as much as all other answers; test_permissions.py has it for every url."""

    def plain(request: HttpRequest, exception: Exception) -> HttpResponse:
        return HttpResponse(status=403)

    monkeypatch.setattr("adminset.urls.handler403", plain)
    monkeypatch.setattr(refusals, "about", lambda user, permission: {})


def remember_grants(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work out what each person holds once in a test, not at each request: every answer is taken back before the next."""
    known: dict[tuple[int, bool], Mapping[str, Scope]] = {}
    work_out = access.permissions_of

    def remembered(user: User, *, later_too: bool = False) -> Mapping[str, Scope]:
        key = (user.pk, later_too)
        if key not in known:
            known[key] = work_out(user, later_too=later_too)
        return known[key]

    monkeypatch.setattr(access, "permissions_of", remembered)


def ask(stage: Stage, name: str, route: str, method: str) -> Statuses:
    """Ask as each person; what an answer changed is undone before the next."""
    inside = address_of(name, route, stage.inside)
    outside = address_of(name, route, stage.outside)
    people = stage.people
    asked: list[tuple[User | None, str]] = [
        (None, inside),
        (people["stranger"], inside),
        (people["auditor"], inside),
        (people["operator"], inside),
        (people["operator"], outside),
        (people["administrator"], inside),
    ]
    return tuple(
        _status(stage.browser_of(user), user, method, address)
        for user, address in asked
    )


def _status(browser: Client, user: User | None, method: str, address: str) -> str:
    with transaction.atomic():
        answer = browser.generic(method, address, content_type=_content_type(address))
        transaction.set_rollback(True)
    if answer.status_code == 302:
        place = answer["Location"]
        return "sign in" if "/sign-in/" in place and user is None else "302"
    return str(answer.status_code)


def _content_type(address: str) -> str:
    api = address.startswith("/api/")
    return "application/json" if api else "application/x-www-form-urlencoded"
