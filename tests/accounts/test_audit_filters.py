"""The audit trail at length: groups of actions, words within bounds, what changed line by line, files, seals, links."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts import audit_selectors
from accounts.models import Role, User
from adminset import audit, audit_chain
from adminset.audit import MASK
from adminset.crud import differences
from adminset.models import AuditEntry
from tests.factories import make_group, make_host, make_user

pytestmark = pytest.mark.django_db
LIST = "accounts:audit_list"


def shown(client: Client, **query: Any) -> list[int]:
    """Give the ids of the lines that the page shows."""
    page = client.get(reverse(LIST), query).context["page"]
    return [entry.pk for entry in page.entries]


def test_a_group_of_actions_is_paged_in_the_order_of_time(
    client_of, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_selectors, "ROWS_A_PAGE", 5)
    verbs = ["host.update", "host.create", "role.update", "host.delete"]
    made = [audit.record(admin, verbs[n % 4]) for n in range(32)]
    hosts = [entry.pk for entry in made if entry.verb.startswith("host.")][::-1]
    client = client_of(admin)
    assert shown(client, verb="host.") == hosts[:5]
    assert shown(client, verb="host.", before=hosts[4]) == hosts[5:10]
    assert shown(client, verb="host.", after=hosts[10]) == hosts[5:10]
    assert shown(client, verb="host.", actor=admin.pk) == hosts[:5]
    assert shown(client, verb="host.", actor=make_user().pk) == []
    page = client.get(reverse(LIST), {"verb": "host."})
    assert page.context["total"] == len(hosts)
    assert "host.delete (deleted)" in page.content.decode()


def test_an_action_that_came_up_just_now_belongs_to_its_group(
    client_of, admin: User
) -> None:
    client = client_of(admin)
    audit.record(admin, "host.update")
    assert len(shown(client, verb="host.")) == 1
    audit.record(admin, "host.brand_new")
    assert len(shown(client, verb="host.")) == 2
    assert len(shown(client, verb="host.brand_new")) == 1


def test_words_are_looked_for_in_a_bounded_number_of_lines(
    client_of, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_selectors, "LOOKED_THROUGH", 10)
    needle = Role.objects.create(name="needle")
    found = audit.record(admin, "role.update", needle)
    for _number in range(24):
        audit.record(admin, "role.update", make_group())
    client = client_of(admin)
    page = client.get(reverse(LIST), {"q": "needle"})
    assert "Look further back" in page.content.decode()
    assert not page.context["page"].entries
    second = page.context["page"].older
    third = client.get(reverse(LIST), {"q": "needle", "before": second})
    last = third.context["page"].older
    assert shown(client, q="needle", before=last) == [found.pk]
    assert shown(client, target_name="NEED", target_type="accounts.role") == [found.pk]


def test_beyond_ten_thousand_lines_are_not_counted(
    client_of, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_selectors, "COUNTED", 20)
    for _number in range(30):
        audit.record(admin, "role.update")
    page = client_of(admin).get(reverse(LIST))
    assert page.context["total"] == 21
    assert "more than" in page.content.decode()


def test_lines_are_found_by_object_address_request_and_person(
    client_of, admin: User
) -> None:
    host, other = make_host("web1"), make_user("other")
    client = client_of(other)
    client.force_login(admin)
    audit.record(other, "host.update", host)
    audit.record(other, "host.update", make_host())
    about = {"target_type": "cmdb.host", "target_id": str(host.pk)}
    assert len(shown(client, **about)) == 1
    assert len(shown(client, actor=other.pk)) == 2
    assert shown(client, address="192.0.2.77") == []
    to_person = client.get(reverse("accounts:user_audit", args=[other.pk]))
    assert to_person["Location"] == f"{reverse(LIST)}?actor={other.pk}"
    detail = client.get(reverse("accounts:user_detail", args=[other.pk]))
    assert reverse("accounts:user_audit", args=[other.pk]) in detail.content.decode()
    history = client.get(reverse("cmdb:host_history", args=[host.pk])).content.decode()
    entry = AuditEntry.objects.get(**about)
    assert f"target_type=cmdb.host&amp;target_id={host.pk}" in history
    assert reverse("accounts:audit_detail", args=[entry.pk]) in history


def test_a_history_leads_nobody_into_the_trail_who_may_not_see_it(
    client_of, operator: User, group: Any
) -> None:
    host = make_host(groups=[group])
    audit.record(operator, "host.update", host)
    page = client_of(operator).get(reverse("cmdb:host_history", args=[host.pk]))
    assert reverse("accounts:audit_list") not in page.content.decode()


def test_the_page_of_a_line_says_its_seal(client_of, admin: User) -> None:
    entry = audit.record(admin, "role.update")
    client, address = client_of(admin), reverse("accounts:audit_detail", args=[1])
    address = reverse("accounts:audit_detail", args=[entry.pk])
    assert client.get(address).context["seal"] == "waiting"
    audit_chain.seal_pending()
    page = client.get(address)
    assert page.context["seal"] == "sealed"
    place = AuditEntry.objects.get(pk=entry.pk).position
    assert f"place {place}" in page.content.decode()
    AuditEntry._base_manager.filter(pk=entry.pk).update(seal="0" * 64)
    assert client.get(address).context["seal"] == "moved"
    AuditEntry._base_manager.filter(pk=entry.pk).update(reason="forged")
    page = client.get(address)
    assert page.context["seal"] == "changed"
    assert "verify_audit" in page.content.decode()


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("a", "b", "plain"),
        (None, 0, "plain"),
        (MASK, MASK, "secret"),
        ("", MASK, "secret"),
        ("one\ntwo", "one\nthree", "lines"),
        ("x" * 200, "y", "lines"),
        (["a"], ["a", "b"], "list"),
        (None, ["a"], "list"),
        (["a", "b"], ["b", "a"], "lines"),
        ({"a": 1}, {"a": [1, {"b": 2}]}, "lines"),
        ([{"a": 1}], [], "lines"),
        ("\n" * 3000, "x", "plain"),
    ],
)
def test_what_changed_is_drawn_by_its_kind(
    client_of, admin: User, old: Any, new: Any, kind: str
) -> None:
    change = {"field": "notes", "old": old, "new": new}
    assert differences.describe(change)["kind"] == kind
    entry = audit.record(admin, "role.update", changes=[change])
    page = client_of(admin).get(reverse("accounts:audit_detail", args=[entry.pk]))
    assert page.status_code == 200


def test_a_long_text_is_compared_line_by_line() -> None:
    old = "\n".join(f"line {n}" for n in range(40))
    new = old.replace("line 5\n", "line five\n").replace("line 30", "<b>30</b>")
    lines = differences.describe({"old": old, "new": new})["lines"]
    assert ("~", "line 5", "line five") in lines
    assert ("@", None, None) in lines
    assert (" ", "line 15", "line 15") not in lines


def test_the_trail_is_downloaded_as_json_lines_of_the_filter(
    client_of, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_selectors, "EXPORT_BATCH", 3)
    for number in range(10):
        audit.record(admin, "host.update", make_host(f"web{number}"))
    audit.record(admin, "role.update")
    query = {"export": "jsonl", "verb": "host.", "q": "web"}
    answer = client_of(admin).get(reverse(LIST), query)
    assert answer.streaming
    lines = [json.loads(line) for line in answer.getvalue().decode().splitlines()]
    assert [line["target"]["name"] for line in lines] == [
        f"web{number}" for number in reversed(range(10))
    ]
    told = AuditEntry.objects.get(verb="auditentry.export")
    assert (told.actor, told.target_type) == (admin, "adminset.auditentry")
    assert {each["field"]: each["new"] for each in told.changes} == {
        "rows": "all",
        "format": "jsonl",
        "filter": "verb=host.&q=web",
    }
    refused = client_of(admin).get(reverse(LIST), {"export": "exe"})
    assert refused.status_code == 422


def test_a_scoped_reader_takes_out_own_lines_only(client_of, admin: User) -> None:
    perms = ["adminset.view_auditentry"]
    scoped = make_user("scoped", perms=perms, groups=[make_group()])
    audit.record(admin, "host.update")
    answer = client_of(scoped).get(reverse(LIST), {"export": "jsonl"})
    assert {json.loads(line)["actor"]["name"] for line in answer} == {"scoped"}
