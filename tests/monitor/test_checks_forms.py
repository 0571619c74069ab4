"""What people may write into a check: aims that take a permission of their own, secrets, times; and acts on checks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import HostGroup
from monitor.checks import rounds
from monitor.checks.verdicts import Outcome
from monitor.models import CheckFlip, ServiceCheck
from tests.cmdb.things import HOSTILE
from tests.factories import grant, make_host, make_user
from tests.monitor.check_things import make_check

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
API = "/api/v1/service-checks/"
PERMS = [f"monitor.{verb}_servicecheck" for verb in ("view", "add", "change")]


@pytest.fixture
def keeper(group: HostGroup) -> User:
    """May look after the checks of one group."""
    return make_user(
        "keeper",
        perms=[*PERMS, "cmdb.view_host", "cmdb.view_hostgroup"],
        groups=[group],
    )


def send(client: Client, pk: int | None = None, **values: Any) -> Any:
    if pk is None:
        values = {"name": "c", "kind": "tcp", "port": 22, **values}
        return client.post(API, values, content_type="application/json")
    return client.patch(f"{API}{pk}/", values, content_type="application/json")


def fields(answer: Any) -> set[str]:
    return set(answer.json()["error"]["fields"])


def test_a_keeper_checks_hosts_of_the_group_by_address_or_name(
    client_of: Signed, keeper: User, group: HostGroup
) -> None:
    client, host = client_of(keeper), make_host("web1", groups=[group])
    for number, target in enumerate(["", "WEB1", str(host.address)]):
        answer = send(client, name=f"c{number}", host=host.pk, target=target)
        assert answer.status_code == 201, answer.json()
    url = "http://{address}:8080/health"
    assert send(client, kind="http", host=host.pk, target=url).status_code == 201


@pytest.mark.parametrize(
    "target", ["10.9.9.9", "other.example.com", "169.254.169.254", "web1.evil.example"]
)
def test_any_other_address_takes_a_permission_of_its_own(
    client_of: Signed, keeper: User, group: HostGroup, target: str
) -> None:
    host = make_host("web1", groups=[group])
    answer = send(client_of(keeper), host=host.pk, target=target)
    assert fields(answer) == {"target"}
    # A grant on one group is none on addresses that lie in no group.
    grant(keeper, ["monitor.anywhere_servicecheck"], [group])
    assert send(client_of(keeper), host=host.pk, target=target).status_code == 422
    grant(keeper, ["monitor.anywhere_servicecheck"])
    made = send(client_of(keeper), host=host.pk, target=target)
    assert made.status_code == 201
    assert AuditEntry.objects.filter(verb="servicecheck.create").count() == 1


def test_a_keeper_may_not_reaim_what_another_has_aimed(
    client_of: Signed, keeper: User, group: HostGroup
) -> None:
    check = make_check(host_group=group, target="10.9.9.9")
    client = client_of(keeper)
    assert send(client, check.pk, every_seconds=120).status_code == 200
    assert fields(send(client, check.pk, port=25)) == {"target"}
    assert fields(send(client, check.pk, target="10.9.9.8")) == {"target"}
    check.refresh_from_db()
    assert (check.target, check.port, check.every_seconds) == ("10.9.9.9", 9, 120)


def test_a_keeper_cannot_put_a_check_outside_of_the_group(
    client_of: Signed, keeper: User, other_group: HostGroup
) -> None:
    client = client_of(keeper)
    hidden = make_host("db1", groups=[other_group])
    assert send(client, host=hidden.pk).status_code == 422
    # The portal's own resolver is nobody's host.
    asked = {"kind": "dns", "port": None, "query_name": "db.internal"}
    assert send(client, **asked).status_code == 422
    grant(keeper, ["monitor.anywhere_servicecheck"])
    assert send(client_of(keeper), **asked).status_code == 403
    assert ServiceCheck.objects.count() == 0


def test_a_check_that_lies_in_two_groups_is_changed_by_those_who_hold_both(
    client_of: Signed, keeper: User, group: HostGroup, other_group: HostGroup
) -> None:
    host = make_host("web1", groups=[group])
    check = make_check(host=host, host_group=other_group, target="")
    client = client_of(keeper)
    assert client.get(f"{API}{check.pk}/").status_code == 200
    assert send(client, check.pk, retries=5).status_code == 403


def test_the_secret_header_is_never_shown_and_is_asked_again_when_the_aim_moves(
    client_of: Signed, admin: User
) -> None:
    client = client_of(admin)
    secret = "Authorization: Bearer s3cr3t-value"
    values = {"kind": "http", "target": "http://10.1.1.1/", "port": None}
    made = send(client, **values, secret_header=secret)
    assert made.status_code == 201, made.json()
    check = ServiceCheck.objects.get()
    page = client.get(check.get_absolute_url()).content.decode()
    edit = client.get(f"/monitor/service-checks/{check.pk}/edit/").content.decode()
    trail = str([*AuditEntry.objects.values_list("changes", flat=True)])
    export = client.get("/monitor/service-checks/", {"export": "csv"}).getvalue()
    for text in (str(made.json()), page, edit, trail, export.decode()):
        assert "s3cr3t" not in text
    moved = send(client, check.pk, target="http://10.2.2.2/")
    assert fields(moved) == {"secret_header"}
    assert fields(send(client, check.pk, verify_tls=False)) == {"secret_header"}
    again = send(client, check.pk, target="http://10.2.2.2/", secret_header=secret)
    assert again.status_code == 200


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"port": None}, "port"),
        ({"target": "10.0.0.1:22"}, "target"),
        ({"target": HOSTILE}, "target"),
        ({"every_seconds": 6}, "every_seconds"),
        ({"every_seconds": 20, "timeout_seconds": 30}, "timeout_seconds"),
        ({"kind": "http", "target": "file:///etc/passwd"}, "target"),
        ({"kind": "http", "target": "http://a b/"}, "target"),
        ({"kind": "http", "target": "http://{address}/"}, "target"),
        ({"kind": "http", "target": "http://u:p@10.0.0.1/"}, "target"),
        ({"statuses": "99"}, "statuses"),
        ({"statuses": "300-200"}, "statuses"),
        ({"headers": "X: 1\nHost: evil"}, "headers"),
        ({"headers": "Authorization: Bearer x"}, "headers"),
        ({"headers": "X-Api-Key: x"}, "headers"),
        ({"secret_header": "A: 1\nB: 2"}, "secret_header"),
        ({"kind": "process"}, "process"),
        ({"kind": "port"}, "host"),
        ({"kind": "dns"}, "query_name"),
        ({"bad_days": 30, "warn_days": 7}, "bad_days"),
        ({"site": "nowhere"}, "site"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_field(
    client_of: Signed, admin: User, values: dict[str, Any], wrong: str
) -> None:
    answer = send(client_of(admin), **{"target": "10.0.0.1", **values})
    assert answer.status_code == 422
    assert wrong in fields(answer)
    assert ServiceCheck.objects.count() == 0


def test_hostile_names_and_sentences_are_drawn_as_text(
    client_of: Signed, admin: User
) -> None:
    check = make_check(name=HOSTILE, sentence=HOSTILE, state="down", notes=HOSTILE)
    now = timezone.now()
    CheckFlip.objects.create(
        check_row=check, old="up", new="down", at=now, sentence=HOSTILE
    )
    client = client_of(admin)
    for address in (
        "/monitor/service-checks/",
        check.get_absolute_url(),
        f"{check.get_absolute_url()}?tab=results",
    ):
        page = client.get(address).content.decode()
        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;" in page


def test_a_save_leaves_alone_what_a_worker_found_meanwhile(
    client_of: Signed, admin: User
) -> None:
    check = make_check(state="up", retries=0)
    stale = ServiceCheck.objects.get(pk=check.pk)
    [job] = rounds.claim("", 1)
    rounds.settle([(job, Outcome("down", "broken"))])
    stale.notes = "written on an old page"
    stale.save()
    check.refresh_from_db()
    assert (check.state, check.notes) == ("down", "written on an old page")


def test_pausing_and_going_on_is_a_change_and_a_line_of_the_trail(
    client_of: Signed, keeper: User, group: HostGroup
) -> None:
    check = make_check(host_group=group, state="down")
    client, base = client_of(keeper), f"/monitor/service-checks/{check.pk}"
    assert client.get(f"{base}/pause/").status_code == 405
    assert client.post(f"{base}/pause/").status_code == 302
    check.refresh_from_db()
    assert (check.state, check.enabled, check.next_at) == ("paused", False, None)
    client.post(f"{base}/pause/")
    client.post(f"{base}/ask/")
    assert rounds.claim("", 10) == []
    client.post(f"{base}/resume/")
    check.refresh_from_db()
    assert (check.state, check.enabled) == ("unknown", True)
    assert check.next_at <= timezone.now()
    verbs = AuditEntry.objects.order_by("pk").values_list("verb", flat=True)
    assert [*verbs] == ["servicecheck.pause", "servicecheck.resume"]
    moves = [*check.flips.order_by("pk").values_list("old", "new")]
    assert moves == [("down", "paused"), ("paused", "unknown")]


def test_the_form_pauses_too(client_of: Signed, admin: User) -> None:
    check = make_check(state="up", target="10.0.0.1")
    assert send(client_of(admin), check.pk, enabled=False).status_code == 200
    check.refresh_from_db()
    assert (check.state, check.next_at) == ("paused", None)


def test_ask_now_makes_it_due_and_is_told_to_the_trail(
    client_of: Signed, keeper: User, group: HostGroup, other_group: HostGroup
) -> None:
    later = timezone.now() + timedelta(hours=1)
    check = make_check(host_group=group, next_at=later)
    hidden = make_check(host_group=other_group, next_at=later)
    client = client_of(keeper)
    assert client.post(f"/monitor/service-checks/{check.pk}/ask/").status_code == 302
    assert client.post(f"/monitor/service-checks/{hidden.pk}/ask/").status_code == 404
    check.refresh_from_db()
    hidden.refresh_from_db()
    assert check.next_at <= timezone.now()
    assert hidden.next_at == later
    assert AuditEntry.objects.get().verb == "servicecheck.ask"


def test_one_who_only_looks_may_not_act(client_of: Signed, auditor: User) -> None:
    check = make_check()
    for word in ("ask", "pause", "resume"):
        answer = client_of(auditor).post(f"/monitor/service-checks/{check.pk}/{word}/")
        assert answer.status_code == 403
    assert CheckFlip.objects.count() == 0
