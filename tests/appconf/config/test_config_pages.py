"""The pages of configuration: variables without their secrets, precedence, texts, versions and what becomes of them."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from adminset.models import AuditEntry
from appconf.models import ConfigFile, ConfigVersion, Environment, Variable
from tests.app_factories import make_environment, make_project
from tests.appconf.config_things import make_file, make_variable, newest
from tests.factories import make_group, make_host, make_user

pytestmark = pytest.mark.django_db
SECRET = "s3cret-word"


@pytest.fixture
def environment() -> Environment:
    host = make_host("web1", groups=[make_group("alpha"), make_group("beta")])
    return make_environment(make_project("shop"), "live", hosts=[host])


def test_a_secret_is_typed_once_and_never_comes_out_again(
    admin: User, environment: Environment, client_of: Any
) -> None:
    page = client_of(admin)
    sent = {"name": "KEY", "level": "environment", "environment": environment.pk}
    wrong = page.post(
        "/appconf/variables/add/", sent | {"value": SECRET, "secret": SECRET}
    )
    assert wrong.status_code == 422
    made = page.post(
        "/appconf/variables/add/", sent | {"is_secret": "on", "secret": SECRET}
    )
    assert made.status_code == 302
    row = Variable.objects.get()
    assert (row.value, row.secret.reveal()) == ("", SECRET)  # type: ignore[union-attr]
    own = f"/appconf/variables/{row.pk}/"
    told = [
        page.get(address).getvalue().decode()
        for address in (
            own,
            f"{own}edit/",
            f"{own}history/",
            "/appconf/variables/",
            "/appconf/variables/?export=csv",
            "/appconf/variables/?export=json",
            f"/api/v1/variables/{row.pk}/",
            "/search/?q=KEY",
            f"/appconf/environments/{environment.pk}/?tab=variables",
        )
    ]
    assert not any(SECRET in each for each in told)
    assert SECRET not in str(list(AuditEntry.objects.values_list("changes", flat=True)))
    page.post(f"{own}edit/", sent | {"is_secret": "on", "secret": "", "notes": "kept"})
    row.refresh_from_db()
    assert row.secret.reveal() == SECRET  # type: ignore[union-attr]
    assert row.notes == "kept"


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"name": "ADMINSET_HOSTNAME"}, "name"),
        ({"name": "1A"}, "name"),
        ({"name": "A-B"}, "name"),
        ({"level": "host"}, "host"),
        ({"value": "a\x00b"}, "value"),
        ({"is_secret": "on", "value": ""}, "secret"),
        ({"is_secret": "on", "value": "", "secret": "abc"}, "secret"),
    ],
)
def test_what_is_no_variable_is_refused(
    admin: User, environment: Environment, client_of: Any, sent: Any, field: str
) -> None:
    good = {
        "name": "A",
        "level": "project",
        "project": environment.project_id,
        "value": "x",
    }
    answer = client_of(admin).post("/appconf/variables/add/", good | sent)
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not Variable.objects.exists()


def test_the_page_of_precedence_says_which_wins_and_why(
    admin: User, environment: Environment, client_of: Any
) -> None:
    host = environment.all_hosts().get()
    make_variable(environment.project, "PORT", "80")
    make_variable(environment, "PORT", "81")
    for name in ("alpha", "beta"):
        make_variable(host.groups.get(name=name), "ZONE", name)
    make_variable(environment, "KEY", secret=SECRET)
    address = f"/appconf/environments/{environment.pk}/?tab=variables"
    plain = client_of(admin).get(address).content.decode()
    assert "Environment counts more than Project." in plain
    assert "ZONE" not in plain
    of_host = client_of(admin).get(f"{address}&host={host.pk}").content.decode()
    assert "Groups disagree: beta is the last of them by name." in of_host
    assert "1 variable has other values in several groups" in of_host
    assert SECRET not in of_host


def test_a_reader_sees_no_value_that_is_not_for_him(
    environment: Environment, client_of: Any
) -> None:
    make_variable(environment.project, "PORT", "hidden-value")
    reader = make_user("reader2", perms=["appconf.view_environment"])
    address = f"/appconf/environments/{environment.pk}/?tab=variables"
    assert "hidden-value" not in client_of(reader).get(address).content.decode()


def test_a_file_is_written_changed_compared_and_brought_back_on_pages(
    admin: User, environment: Environment, client_of: Any
) -> None:
    page = client_of(admin)
    sent = {
        "project": environment.project_id,
        "name": "main",
        "path": "/etc/app.conf",
        "mode": "0644",
        "drift_minutes": 60,
        "text": "port = ${PORT:-80}\r\n",
        "why": "begin",
    }
    assert page.post("/appconf/config-files/add/", sent).status_code == 302
    file = ConfigFile.objects.get()
    assert newest(file).text == "port = ${PORT:-80}\n"
    own = f"/appconf/config-files/{file.pk}/"
    change = sent | {"text": "port = 81\n", "why": "more", "based_on": 1}
    assert page.post(f"{own}edit/", change).status_code == 302
    late = page.post(f"{own}edit/", sent | {"text": "port = 82\n", "based_on": 1})
    assert "meanwhile" in late.content.decode() or late.status_code in (302, 409, 422)
    assert newest(file).number == 2
    diff = page.get(f"{own}diff/").content.decode()
    assert "port = 81" in diff
    assert "port = ${PORT:-80}" in diff
    assert page.get(f"{own}diff/?view=side").status_code == 200
    for tab in ("content", "versions", "preview", "hosts"):
        assert page.get(f"{own}?tab={tab}").status_code == 200
    first = file.versions.get(number=1)
    act = f"/appconf/config-versions/{first.pk}/roll-back/"
    page.post(act, {"reason": ""})
    assert newest(file).number == 2
    page.post(act, {"reason": "it broke"})
    assert (newest(file).number, newest(file).text) == (3, first.text)
    shown = page.get(f"/appconf/config-versions/{first.pk}/?tab=content")
    assert shown.status_code == 200


def test_broken_braces_are_refused_where_they_are_typed(
    admin: User, environment: Environment, client_of: Any
) -> None:
    sent = {
        "project": environment.project_id,
        "name": "main",
        "path": "/etc/app.conf",
        "mode": "0644",
        "drift_minutes": 60,
        "text": "one\nport = ${PORT\n",
    }
    answer = client_of(admin).post("/appconf/config-files/add/", sent)
    assert answer.status_code == 422
    assert "Line 2" in str(answer.context["form"].errors["text"])


def test_need_for_approval_is_taken_off_by_who_may_approve_only(
    admin: User, environment: Environment, client_of: Any
) -> None:
    file = make_file(admin, environment.project, "a\n", approval=True)
    perms = [f"appconf.{act}_configfile" for act in ("view", "change")]
    writer = make_user("writer", perms=[*perms, "appconf.view_project"])
    sent = {
        "project": environment.project_id,
        "name": file.name,
        "path": file.path,
        "mode": file.mode,
        "backup": "on",
        "drift_minutes": 60,
        "text": "a\n",
        "based_on": 1,
    }
    page, own = client_of(writer), f"/appconf/config-files/{file.pk}/edit/"
    page.post(own, sent)
    page.post(own, sent | {"approval": "on", "reload_command": "touch /tmp/x"})
    file.refresh_from_db()
    assert (file.approval, file.reload_command) == (True, "")
    page.post(own, sent | {"approval": "on", "text": "b\n"})
    assert newest(file).status == "waiting"
    version = newest(file)
    refused = page.post(f"/appconf/config-versions/{version.pk}/approve/")
    assert refused.status_code == 403
    assert ConfigVersion.objects.get(pk=version.pk).status == "waiting"


def test_the_preview_names_line_and_name_of_what_is_missing(
    admin: User, environment: Environment, client_of: Any
) -> None:
    file = make_file(admin, environment.project, "x\nk=${GONE}\n")
    address = f"/appconf/config-files/{file.pk}/?tab=preview"
    shown = client_of(admin).get(address).content.decode()
    assert "Line 2: there is no variable GONE." in shown
    make_variable(environment, "GONE", "<script>alert(1)</script>")
    shown = client_of(admin).get(address).content.decode()
    assert "<script>alert(1)" not in shown
    assert "&lt;script&gt;alert(1)" in shown
