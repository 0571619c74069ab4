"""Who gets what from every url, API method and web socket: asked for real, for tests/test_matrix.py and docs/permissions.md."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.test import Client
from django.urls import URLPattern
from django.utils import timezone

from accounts.models import (
    ApiToken,
    Grant,
    GroupMapping,
    PortalSession,
    Role,
    User,
)
from accounts.services.setup import ensure_shipped_roles
from adminset import audit
from adminset.crypto import digest
from cmdb.models import (
    HOST_GROUP_SCOPE,
    Agent,
    AssetStatus,
    Credential,
    EnrolmentToken,
    HostGroup,
)
from tasks.models import Playbook, Run, RunHost, Schedule
from tests.factories import make_cabinet, make_group, make_host, make_idc, make_user

PAGE = Path(__file__).resolve().parent.parent / "docs" / "permissions.md"
COLUMNS = (
    "anonymous",
    "stranger",
    "auditor",
    "operator, in scope",
    "operator, out of scope",
    "administrator",
)
Statuses = tuple[str, ...]
# What stands for the other parts of an address.
TAKEN = {"key": "cpu", "host": "1", "kind": "cmdb.hostgroup", "path": "hosts"}


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
    host = make_host(f"host-{group}", groups=[group], credential=credential)
    agent = Agent.objects.create(host=host, secret_hash=digest("x"))
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
    place |= {
        "hostgroup": group.pk,
        "credential": credential.pk,
        "host": host.pk,
        "agent": agent.pk,
        "enrolmenttoken": token.pk,
        "run": run.pk,
        "schedule": schedule.pk,
    }


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
        "assetstatus": AssetStatus.objects.create(name="some status").pk,
        "playbook": Playbook.objects.create(name="p", content="- hosts: all\n").pk,
        "audit": audit.record(owner, "host.create").pk,
    }
    stage.inside |= alike
    stage.outside |= alike


def kind_of(name: str) -> str:
    """Say which object a url needs, by its name: "api:cmdb-host-detail" and "tasks:host_key" a host."""
    plain = name.partition(":")[2]
    if name.startswith("api:"):
        return plain.split("-")[1]
    for stem in ("my_token", "my_session"):
        if plain.startswith(stem):
            return stem
    return plain.partition("_")[0]


def address_of(name: str, route: str, objects: dict[str, int]) -> str:
    """Fill a route with an object.

    Raises:
        AssertionError: there is no such object on the stage: the url has no row yet.
    """
    plain = route.replace("^", "").replace("$", "").replace("\\Z", "")
    plain = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", plain).replace("\\.", ".")
    for taken in re.findall(r"<(?:\w+:)?(\w+)>", plain):
        if taken in ("pk", "object_id"):
            kind = kind_of(name)
            assert kind in objects, (
                f"{name} needs a {kind}: make one in tests/matrix.py, so that it gets a row"
            )
            value = str(objects[kind])
        else:
            value = TAKEN.get(taken, "json")
        plain = re.sub(rf"<(?:\w+:)?{taken}>", value, plain, count=1)
    return "/" + plain.replace("/?", "/")


def is_scoped(name: str) -> bool:
    """Say whether a url is about an object that lies in a group or does not."""
    kinds = {"host", "agent", "hostgroup", "credential", "enrolmenttoken"}
    about_one = name.endswith("-detail") or not name.endswith(
        ("_list", "-list", "_add", "_import", "_edit", "_delete", "card", "fleet")
    )
    single = name.endswith(("_edit", "_delete")) and "_bulk_" not in name
    return kind_of(name) in kinds | {"run", "schedule"} and (about_one or single)


def socket_address(route: str, objects: dict[str, int]) -> str:
    """Fill the route of a web socket of a run."""
    run_host = RunHost.objects.get(run=objects["run"])
    plain = route.replace("<int:pk>", str(objects["run"]))
    return "/" + plain.replace("<int:host>", str(run_host.pk))


def methods_of(name: str, pattern: URLPattern) -> tuple[str, ...]:
    """Say which methods are asked: of an endpoint those that it offers, of a page GET and POST."""
    view: Any = pattern.callback
    actions = getattr(view, "actions", None)
    if actions is None:
        return ("GET", "POST")
    offered = set(view.cls.http_method_names)
    return tuple(
        m.upper()
        for m in ("get", "post", "put", "patch", "delete")
        if m in actions and m in offered
    )


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


def rows_of_page() -> Iterator[tuple[str, str, str, Statuses]]:
    """Read docs/permissions.md: (url name, method, permission, statuses)."""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            name, method, permission = (cell.strip("`") for cell in cells[:3])
            yield name, method, permission, tuple(cells[3:])


HEAD = """# Who gets what

Every url, API method and web socket, asked for real as six people; `make permissions` writes this page and tests/test_matrix.py asks again
at every `make test`. A url without a row fails the tests.

- **stranger** may sign in and holds nothing; **auditor** and **operator** hold the shipped roles of these names, the auditor everywhere,
  the operator on one host group; *in scope* asks for an object of that group, *out of scope* for one of another. Objects that belong to
  no group (users, roles, IDCs, statuses) are the same in both columns.
- Bodies are empty: what is let in answers 200, 201, 302 (done, on to the next page), 400 or 422 (let in, and the empty form refused),
  409 (let in, and something stands in the way), 503 (let in; tests/test_matrix.py runs without a metric store). *sign in* leads to the sign-in page; 401 says so to machines; 403: known, and may not;
  404: there is no such object, or not for you; 405: no such method here.

"""


def page(rows: dict[tuple[str, str], tuple[str, Statuses]]) -> str:
    """Write the page from (url name, method) -> (permission, statuses)."""
    lines = [
        f"| url | method | permission | {' | '.join(COLUMNS)} |",
        "|" + "---|" * (len(COLUMNS) + 3),
    ]
    for (name, method), (permission, statuses) in rows.items():
        shown = f"`{permission}`" if permission else "-"
        lines.append(f"| `{name}` | {method} | {shown} | {' | '.join(statuses)} |")
    return HEAD + "\n".join(lines) + "\n"
