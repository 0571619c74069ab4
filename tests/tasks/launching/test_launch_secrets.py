"""Secrets on the way through the launch, templates and edits: sealed, never shown, kept until typed anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import Host
from tasks.launching import sealing
from tasks.models import Run, Schedule, Template
from tasks.services.specs import opened
from tests.tasks.launch_things import make_template
from tests.tasks.launching.conftest import ADD, carried, filled

pytestmark = pytest.mark.django_db
PLAIN = "hunter2-of-the-test"
ROWS = {
    "variables-0-name": "token",
    "variables-0-value": PLAIN,
    "variables-0-secret": "1",
    "variables-1-name": "colour",
    "variables-1-value": "blue",
}


def _work(host: Host, **more: Any) -> dict[str, Any]:
    return filled(host, kind="module", module="ping", **ROWS) | more


def test_a_secret_goes_through_the_preview_sealed(
    client_of: Any, admin: User, host: Host
) -> None:
    client = client_of(admin)
    page = client.post(ADD, _work(host, action="preview"))
    assert PLAIN not in page.content.decode()
    sent = carried(page)
    assert PLAIN not in str(sent)
    seal = page.context["preview"].seal
    client.post(ADD, sent | {"action": "launch", "seal": seal})
    run = Run.objects.get()
    assert opened(run) == {"token": PLAIN}
    assert run.variables == {"colour": "blue"}
    assert PLAIN not in str(list(AuditEntry.objects.values("changes")))


def test_back_and_a_form_that_fails_keep_the_secret_without_showing_it(
    client_of: Any, admin: User, host: Host
) -> None:
    client = client_of(admin)
    page = client.post(ADD, _work(host, module="no name", action="preview"))
    text = page.content.decode()
    assert page.status_code == 422
    assert PLAIN not in text
    assert "kept: type to replace it" in text
    token = page.context["form"].token()
    again = _work(host, kept_secrets=token, action="preview") | {
        "variables-0-value": ""
    }
    page = client.post(ADD, again)
    assert page.context["spec"].secret_answers == {"token": PLAIN}


def test_what_was_sealed_for_one_user_opens_for_no_other(
    client_of: Any, admin: User, operator: User, host: Host
) -> None:
    token = sealing.carry({"token": PLAIN}, admin)
    stolen = _work(host, kept_secrets=token, action="preview") | {
        "variables-0-value": ""
    }
    page = client_of(operator).post(ADD, stolen)
    assert page.status_code == 422
    assert PLAIN not in page.content.decode()


@pytest.fixture
def kept(client_of: Any, admin: User, host: Host) -> Template:
    """A template with a secret, made on the page."""
    values = _work(host, name="patch", ask=["variables"])
    answer = client_of(admin).post("/tasks/templates/add/", values)
    assert answer.status_code == 302, answer.context["form"].errors
    return Template.objects.get()


def test_secrets_survive_an_edit_and_are_replaced_only_when_typed_anew(
    client_of: Any, admin: User, host: Host, kept: Template
) -> None:
    client, url = client_of(admin), f"/tasks/templates/{kept.pk}/edit/"
    assert PLAIN not in client.get(url).content.decode()
    edit = _work(host, name="patch 2") | {"variables-0-value": ""}
    assert client.post(url, edit).status_code == 302
    kept.refresh_from_db()
    assert (kept.name, opened(kept)) == ("patch 2", {"token": PLAIN})
    client.post(url, edit | {"variables-0-value": "another-one"})
    kept.refresh_from_db()
    assert opened(kept) == {"token": "another-one"}
    entry = AuditEntry.objects.filter(verb="template.update").first()
    assert entry is not None
    assert [c["field"] for c in entry.changes] == ["sealed"]
    without = {k: v for k, v in edit.items() if not k.startswith("variables-0")}
    client.post(url, without)
    kept.refresh_from_db()
    assert opened(kept) == {}


def test_the_api_keeps_a_secret_that_is_not_given_and_forgets_one_that_is_null(
    client_of: Any, admin: User, kept: Template
) -> None:
    client, url = client_of(admin), f"/api/v1/templates/{kept.pk}/"
    shown = client.get(url).json()
    assert "sealed" not in shown
    assert shown["variables"] == {"colour": "blue"}
    send = {"content_type": "application/json"}
    answer = client.patch(url, {"variables": {"colour": "red", "n": 3}}, **send)
    assert answer.status_code == 200, answer.content
    kept.refresh_from_db()
    assert (kept.variables, opened(kept)) == (
        {"colour": "red", "n": 3},
        {"token": PLAIN},
    )
    client.patch(url, {"secret_answers": {"token": None, "pin": "4711-secret"}}, **send)
    kept.refresh_from_db()
    assert opened(kept) == {"pin": "4711-secret"}


def test_a_launched_template_has_its_secret_and_never_shows_it(
    launch: Callable[..., Run], host: Host, kept: Template, client_of: Any, admin: User
) -> None:
    url = f"/tasks/templates/{kept.pk}/launch/"
    assert PLAIN not in client_of(admin).get(url).content.decode()
    rows = ROWS | {"variables-0-value": "", "variables-1-value": "green"}
    run = launch(rows, url=url)
    assert (run.variables, opened(run)) == ({"colour": "green"}, {"token": PLAIN})
    assert run.title == "patch"


def test_answers_and_secrets_of_a_schedule_survive_an_edit(
    client_of: Any, admin: User, host: Host
) -> None:
    client = client_of(admin)
    page = client.get("/tasks/schedules/add/")
    start = {
        name: value
        for name in page.context["form"].fields
        if (value := page.context["form"][name].value()) not in (None, "", [], False)
    }
    values = start | _work(host, name="nightly", every_minutes=60)
    answer = client.post("/tasks/schedules/add/", values)
    assert answer.status_code == 302, answer.context["form"].errors
    schedule = Schedule.objects.get()
    assert opened(schedule) == {"token": PLAIN}
    url = f"/tasks/schedules/{schedule.pk}/edit/"
    assert PLAIN not in client.get(url).content.decode()
    edit = values | {"every_minutes": 30, "variables-0-value": ""}
    assert client.post(url, edit).status_code == 302
    schedule.refresh_from_db()
    assert (schedule.every_minutes, schedule.variables) == (30, {"colour": "blue"})
    assert opened(schedule) == {"token": PLAIN}


def test_pages_of_a_template_carry_nothing_of_its_secrets(
    client_of: Any, operator: User, admin: User, host: Host, kept: Template
) -> None:
    url, edit = (
        f"/tasks/templates/{kept.pk}/launch/",
        f"/tasks/templates/{kept.pk}/edit/",
    )
    Template.objects.update(ask=[])
    client = client_of(admin)
    shown = client.get(url)
    preview = client.post(url, {"action": "preview"})
    assert preview.status_code == 200
    tokens = [page.context["form"].token() for page in (shown, client.get(edit))]
    assert [*tokens, *carried(preview)["kept_secrets"]] == ["", "", ""]
    assert 'name="kept_secrets" value=""' in shown.content.decode()
    # What was typed anew on such a page goes along, the rest stays in the template.
    Template.objects.update(ask=["variables"], sealed=kept.sealed)
    typed = ROWS | {"variables-2-name": "pin", "variables-2-value": "4711-typed"}
    typed |= {"variables-0-value": "", "variables-2-secret": "1", "action": "preview"}
    page = client.post(url, typed)
    assert page.context["spec"].secret_answers == {"token": PLAIN, "pin": "4711-typed"}
    token = carried(page)["kept_secrets"][0]
    assert sealing.carried(token, admin) == {"pin": "4711-typed"}


def test_a_secret_of_a_template_is_replaced_for_one_launch(
    launch: Callable[..., Run], kept: Template
) -> None:
    rows = ROWS | {"variables-0-value": "typed-for-once"}
    run = launch(rows, url=f"/tasks/templates/{kept.pk}/launch/")
    kept.refresh_from_db()
    assert (opened(run), opened(kept)) == (
        {"token": "typed-for-once"},
        {"token": PLAIN},
    )


def test_what_a_template_fixes_is_not_replaced_by_a_secret_of_the_page(
    launch: Callable[..., Run], admin: User, kept: Template
) -> None:
    Template.objects.update(ask=["arguments"])
    token = sealing.carry({"token": "another-one", "colour": "evil-red"}, admin)
    url = f"/tasks/templates/{kept.pk}/launch/"
    run = launch({"arguments": "", "kept_secrets": token}, url=url)
    assert (run.variables, opened(run)) == ({"colour": "blue"}, {"token": PLAIN})


def test_again_with_changes_asks_for_secrets_anew(
    client_of: Any, admin: User, host: Host, launch: Callable[..., Run], kept: Template
) -> None:
    # They are the template's: who launched it need not know them.
    rows = ROWS | {"variables-0-value": ""}
    run = launch(rows, url=f"/tasks/templates/{kept.pk}/launch/")
    assert opened(run) == {"token": PLAIN}
    client = client_of(admin)
    page = client.get(f"/tasks/runs/{run.pk}/change/")
    text, form = page.content.decode(), page.context["form"]
    assert PLAIN not in text
    assert (form.secrets, form.token()) == ({}, "")
    assert 'placeholder="type it anew"' in text
    assert f'<option value="{host.pk}" selected' in text
    empty = _work(host, action="preview") | {"variables-0-value": ""}
    page = client.post(ADD, empty)
    assert page.status_code == 422
    assert "Type the value of token." in page.content.decode()


def test_a_template_whose_secrets_do_not_open_can_be_mended(
    client_of: Any, admin: User, host: Host
) -> None:
    made = make_template(host, admin, kind="module", module="ping")
    Template.objects.filter(pk=made.pk).update(sealed="v1:gone:AAAA")
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("update tasks_template set sealed = 'v1:gone:AAAA'")
    client, url = client_of(admin), f"/tasks/templates/{made.pk}/edit/"
    assert client.get(url).status_code == 200
