"""The audit trail as pages: who sees which lines, how they are narrowed, what changed."""

import pytest
from django.urls import reverse

from accounts.models import Role, User
from adminset import audit
from adminset.models import AuditEntry
from tests.factories import make_group, make_user

pytestmark = pytest.mark.django_db
LIST = "accounts:audit_list"


def write(actor: User, number: int = 1, verb: str = "role.update") -> Role:
    """Write some lines about one role."""
    role = Role.objects.create(name=f"role of {actor}")
    change = {"field": "description", "old": "<b>old</b>", "new": "new & shiny"}
    for _number in range(number):
        audit.record(actor, verb, role, changes=[change], reason="because")
    return role


def test_the_auditor_sees_lines_and_what_changed(
    client_of, auditor: User, admin: User
) -> None:
    role = write(admin)
    client = client_of(auditor)
    page = client.get(reverse(LIST)).content.decode()
    entry = AuditEntry.objects.get()
    assert reverse("accounts:audit_detail", args=[entry.pk]) in page
    detail = client.get(
        reverse("accounts:audit_detail", args=[entry.pk])
    ).content.decode()
    assert "&lt;b&gt;old&lt;/b&gt;" in detail
    assert "new &amp; shiny" in detail
    assert "because" in detail
    assert role.get_absolute_url() in detail


@pytest.mark.parametrize("name", ["audit_list", "card"])
def test_the_trail_is_not_for_everybody(
    client_of, stranger: User, operator: User, name: str
) -> None:
    for user in (stranger, operator):
        assert client_of(user).get(reverse(f"accounts:{name}")).status_code == 403


def test_a_scoped_grant_shows_ones_own_acts_only(client_of, admin: User) -> None:
    scoped = make_user(
        "scoped", perms=["adminset.view_auditentry"], groups=[make_group()]
    )
    write(admin)
    write(scoped)
    theirs = AuditEntry.objects.get(actor=admin)
    client = client_of(scoped)
    assert client.get(reverse(LIST)).context["total"] == 1
    assert (
        client.get(reverse("accounts:audit_detail", args=[theirs.pk])).status_code
        == 404
    )
    assert "role of admin" not in client.get(reverse("accounts:card")).content.decode()


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ({"actor_name": "admin"}, 2),
        ({"actor_name": "adm"}, 0),
        ({"verb": "host."}, 1),
        ({"verb": "host.update"}, 1),
        ({"verb": "role."}, 3),
        ({"verb": "update"}, 0),
        ({"target_type": "accounts.role"}, 4),
        ({"target_type": "cmdb.host"}, 0),
        ({"target_name": "role of sec"}, 1),
        ({"since": "2001-01-01", "until": "2999-01-01T12:00"}, 4),
        ({"since": "2999-01-01T00:00"}, 0),
        ({"until": "2001-01-01"}, 0),
        ({"since": "nonsense"}, 4),
        ({"q": "second"}, 1),
        ({"q": "host.upd"}, 1),
    ],
)
def test_filters_narrow_the_trail(
    client_of, admin: User, query: dict[str, str], number: int
) -> None:
    write(admin, 2)
    write(make_user("second"), 1, "host.update")
    write(make_user("administrative"))
    assert client_of(admin).get(reverse(LIST), query).context["total"] == number


def test_the_trail_is_paged_at_a_constant_number_of_queries(
    client_of, admin: User, django_assert_max_num_queries
) -> None:
    write(admin, 120)
    client = client_of(admin)
    with django_assert_max_num_queries(9):
        page = client.get(reverse(LIST)).context["page"]
    first = [entry.pk for entry in page.entries]
    assert (len(first), page.newer, page.total) == (50, None, 120)
    page = client.get(reverse(LIST), {"before": page.older}).context["page"]
    second = [entry.pk for entry in page.entries]
    page = client.get(reverse(LIST), {"before": page.older}).context["page"]
    third = [entry.pk for entry in page.entries]
    assert first + second + third == sorted({*first, *second, *third}, reverse=True)
    assert (len(third), page.older) == (20, None)
    page = client.get(reverse(LIST), {"after": page.newer}).context["page"]
    assert [entry.pk for entry in page.entries] == second
    page = client.get(reverse(LIST), {"after": page.newer}).context["page"]
    assert ([entry.pk for entry in page.entries], page.newer) == (first, None)
    partial = client.get(reverse(LIST), headers={"HX-Request": "true"})
    assert b"<html" not in partial.content


@pytest.mark.parametrize("nonsense", ["x", "-1", "9" * 30, "999999", "٣"])
def test_a_place_that_is_none_shows_the_newest(
    client_of, admin: User, nonsense: str
) -> None:
    write(admin, 3)
    page = client_of(admin).get(reverse(LIST), {"before": nonsense}).context["page"]
    assert len(page.entries) == 3


def test_the_card_shows_the_latest_eight(client_of, admin: User) -> None:
    write(admin, 12)
    page = client_of(admin).get(reverse("accounts:card"))
    assert len(page.context["rows"]) == 8


def test_a_line_about_something_that_is_gone_still_opens(
    client_of, admin: User
) -> None:
    role = write(admin)
    role.delete()
    write(admin, 1, "session.end").delete()
    audit.record(admin, "portal.start")
    for entry in AuditEntry.objects.all():
        page = client_of(admin).get(reverse("accounts:audit_detail", args=[entry.pk]))
        assert page.status_code == 200
        assert page.context["target_url"] == ""
