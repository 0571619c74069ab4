"""Environments with their hosts from a file: a dry run says what becomes of each row, and only hosts on which one may run work come in."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.test import Client

from accounts.models import User
from appconf.models import Environment
from appconf.resources import ENVIRONMENT
from appconf.vouching import hosts_of
from tests.adminset.importing import do, errors, kinds, plan_of, send
from tests.app_factories import (
    grant_on,
    make_environment,
    make_line,
    make_project,
)
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
HEADER = "project,name,code,kind,hosts"


def names(environment: Environment) -> list[str]:
    return sorted(host.hostname for host in environment.hosts.all())


def test_hosts_come_in_by_name_after_a_dry_run(client_of: Signed, admin: User) -> None:
    make_project("shop")
    for name in ("web1", "web2"):
        make_host(name)
    client = client_of(admin)
    file = (
        f"{HEADER}\nshop,live,live,production,web1;web2\nshop,test,test,test,nobody\n"
    )
    plan = plan_of(client, ENVIRONMENT, file)
    assert kinds(plan) == {2: "create", 3: "error"}
    assert "nobody" in errors(plan)[3, "hosts"]
    assert not Environment.objects.exists()
    plan = plan_of(client, ENVIRONMENT, "\n".join(file.splitlines()[:2]) + "\n")
    do(client, plan)
    made = Environment.objects.get()
    assert names(made) == ["web1", "web2"]
    # The one who brought the file may run work there: a deploy reaches them.
    assert sorted(host.hostname for host in hosts_of(made)) == ["web1", "web2"]


def test_a_workbook_says_which_hosts_an_environment_has_from_now_on(
    client_of: Signed, admin: User
) -> None:
    first, second = make_host("web1"), make_host("web2")
    made = make_environment(make_project("shop"), "live", hosts=[first], by=admin)
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(["id", "hosts"])
    sheet.append([made.pk, "web2"])
    content = io.BytesIO()
    book.save(content)
    client = client_of(admin)
    plan = plan_of(client, ENVIRONMENT, content.getvalue(), name="rows.xlsx", key="id")
    assert kinds(plan) == {2: "update"}
    do(client, plan)
    assert names(made) == [second.hostname]


def test_hosts_on_which_one_may_run_nothing_do_not_come_in_and_are_not_told(
    client_of: Signed, admin: User
) -> None:
    line, other = make_line(), make_line()
    project = make_project("shop", product_line=line)
    make_host("mine", product_line=line)
    foreign = make_host("theirs", product_line=other)
    made = make_environment(project, "live", hosts=[foreign], by=admin)
    user = make_user("dev")
    perms = [f"appconf.{verb}_environment" for verb in ("view", "add", "change")]
    grant_on(
        user, [*perms, "appconf.view_project", "cmdb.view_host", "cmdb.run_host"], line
    )
    client = client_of(user)
    refused = plan_of(
        client, ENVIRONMENT, f"id,hosts\n{made.pk},mine;theirs\n", key="id"
    )
    assert kinds(refused) == {2: "error"}
    plan = plan_of(client, ENVIRONMENT, f"id,hosts\n{made.pk},mine\n", key="id")
    do(client, plan)
    # What the user can neither add nor take out stays.
    assert names(made) == ["mine", "theirs"]


def test_a_reader_imports_nothing(client_of: Signed) -> None:
    reader = make_user("reader", perms=["appconf.view_environment"])
    assert send(client_of(reader), ENVIRONMENT, f"{HEADER}\n").status_code == 403
