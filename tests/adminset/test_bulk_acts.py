"""Edit and delete many rows: the typed number, what depends on them, and work that a worker does."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from adminset import tasks
from adminset.crud import bulk_jobs
from adminset.models import AuditEntry, BulkJob
from cmdb.models import (
    Agent,
    AssetStatus,
    Contact,
    Host,
    HostGroup,
    ProductLine,
)
from tests.factories import make_host

pytestmark = pytest.mark.django_db
LIST = "/cmdb/hosts/"
EDIT, DELETE = f"{LIST}bulk-edit/", f"{LIST}bulk-delete/"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The jobs that a worker was called for."""
    called: list[int] = []
    monkeypatch.setattr(tasks.run_bulk, "delay", called.append)
    return called


@pytest.mark.parametrize("typed", ["", "1", "3", "two"])
def test_a_delete_asks_for_the_number_of_rows(
    client_of: Any, admin: User, typed: str
) -> None:
    hosts = [make_host(), make_host()]
    sent = {"pk": [h.pk for h in hosts], "confirm": "1", "count": typed}
    answer = client_of(admin).post(DELETE, sent)
    assert answer.status_code == 422
    assert "Type the number of rows, 2" in answer.content.decode()
    assert Host.objects.count() == 2


def test_a_delete_counts_what_depends_on_the_rows(client_of: Any, admin: User) -> None:
    hosts = [make_host(), make_host(), make_host()]
    for number, host in enumerate(hosts[:2]):
        Agent.objects.create(host=host, secret_hash=f"{number:064d}")
    page = client_of(admin).post(DELETE, {"pk": [h.pk for h in hosts]})
    told = {str(row["label"]): row["count"] for row in page.context["dependents"]}
    assert told["agents"] == 2
    assert Host.objects.count() == 3


def test_many_rows_are_a_workers_work(
    client_of: Any, admin: User, settings: Any, calls: list[int]
) -> None:
    settings.BULK_INLINE_ROWS = 2
    hosts = [make_host(owner="ann") for _ in range(3)]
    client = client_of(admin)
    sent = {"pk": [h.pk for h in hosts], "change_owner": "1", "owner": "bob"}
    answer = client.post(EDIT, {**sent, "apply": "1"})
    job = BulkJob.objects.get()
    assert answer["Location"] == f"/bulk/{job.pk}/"
    assert calls == [job.pk]
    assert not Host.objects.filter(owner="bob").exists()
    assert "0 of 3 rows" in client.get(f"/bulk/{job.pk}/").content.decode()
    tasks.run_bulk(job.pk)
    assert Host.objects.filter(owner="bob").count() == 3
    lines = AuditEntry.objects.filter(verb="host.update")
    assert {line.request_id for line in lines} == {answer["X-Request-ID"]}
    assert {line.actor_name for line in lines} == {"admin"}
    page = client.get(f"/bulk/{job.pk}/", headers={"HX-Request": "true"})
    assert "3 rows are changed." in page.content.decode()
    assert "hx-get" not in page.content.decode()


def test_a_job_is_nobody_elses(client_of: Any, admin: User, stranger: User) -> None:
    job = BulkJob.objects.create(owner=admin, resource="hosts", kind="edit")
    assert client_of(stranger).get(f"/bulk/{job.pk}/").status_code == 404
    assert Client().get(f"/bulk/{job.pk}/").status_code == 302


def test_a_worker_refuses_what_the_user_may_not_do_any_more(
    client_of: Any, operator: User, group: HostGroup, settings: Any, calls: list[int]
) -> None:
    settings.BULK_INLINE_ROWS = 0
    host = make_host(owner="ann", groups=[group])
    sent = {"pk": [host.pk], "change_owner": "1", "owner": "bob", "apply": "1"}
    client_of(operator).post(EDIT, sent)
    operator.grants.all().delete()
    tasks.run_bulk(calls[0])
    job = BulkJob.objects.get()
    assert job.state == BulkJob.State.REFUSED
    assert "may not do this" in job.message
    host.refresh_from_db()
    assert host.owner == "ann"


def test_a_worker_refuses_a_selection_that_drifted(
    client_of: Any, admin: User, settings: Any, calls: list[int]
) -> None:
    settings.BULK_INLINE_ROWS = 0
    make_host(owner="ann")
    client = client_of(admin)
    page = client.get(f"{LIST}?f.owner.is=ann&freeze=1")
    sent = {"selection": page.context["selection"], "confirm": "1", "count": "1"}
    assert client.post(DELETE, sent).status_code == 302
    for _ in range(12):
        make_host(owner="ann")
    tasks.run_bulk(calls[0])
    job = BulkJob.objects.get()
    assert job.state == BulkJob.State.REFUSED
    assert job.message.startswith("12 rows more than you saw: look again.")
    assert Host.objects.count() == 13
    assert job.message in client.get(f"/bulk/{job.pk}/").content.decode()


def test_a_worker_keeps_nothing_where_one_row_fails(
    client_of: Any, admin: User, settings: Any, calls: list[int]
) -> None:
    settings.BULK_INLINE_ROWS = 0
    people = [Contact.objects.create(name=name) for name in ("ann", "bob")]
    sent = {"pk": [p.pk for p in people], "find": "", "replace": "x", "apply": "1"}
    client_of(admin).post("/cmdb/contacts/bulk-rename/", sent)
    tasks.run_bulk(calls[0])
    assert BulkJob.objects.get().state == BulkJob.State.REFUSED
    assert sorted(Contact.objects.values_list("name", flat=True)) == ["ann", "bob"]


def test_a_job_is_done_once(admin: User) -> None:
    host = make_host(owner="ann")
    job = BulkJob.objects.create(
        owner=admin,
        resource="hosts",
        kind="edit",
        selection={"keys": [host.pk]},
        wanted={"owner": "bob"},
        total=1,
    )
    tasks.run_bulk(job.pk)
    Host.objects.update(owner="carl")
    tasks.run_bulk(job.pk)
    assert Host.objects.get().owner == "carl"


def test_a_value_that_is_wrong_is_told_before_a_worker_is_called(
    client_of: Any, admin: User, settings: Any, calls: list[int]
) -> None:
    settings.BULK_INLINE_ROWS = 0
    host = make_host()
    sent = {"pk": [host.pk], "change_warranty_until": "1", "warranty_until": "soon"}
    answer = client_of(admin).post(EDIT, {**sent, "apply": "1"})
    assert answer.status_code == 422
    assert calls == []


def test_without_a_worker_nothing_is_left_behind(
    client_of: Any, admin: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_pk: int) -> None:
        raise OSError("no Redis")

    settings.BULK_INLINE_ROWS = 0
    monkeypatch.setattr(tasks.run_bulk, "delay", away)
    host = make_host()
    sent = {"pk": [host.pk], "change_owner": "1", "owner": "bob", "apply": "1"}
    assert client_of(admin).post(EDIT, sent).status_code == 503
    assert not BulkJob.objects.exists()


def test_a_silent_worker_is_told(client_of: Any, admin: User) -> None:
    job = BulkJob.objects.create(owner=admin, resource="hosts", kind="edit", total=9)
    BulkJob.objects.update(created_at="2020-01-01T00:00:00Z")
    page = client_of(admin).get(f"/bulk/{job.pk}/").content.decode()
    assert "No worker has said anything" in page
    assert bulk_jobs.progress(BulkJob.objects.get())["lost"]


def test_rows_that_are_alike_are_written_together_and_checked_apart(
    client_of: Any, admin: User
) -> None:
    stock, used, broken = (AssetStatus.objects.create(name=n) for n in ("s", "u", "b"))
    stock.next_statuses.add(used)
    fine = [make_host(status=used), make_host(status=None)]
    kept = make_host(status=stock)
    sent = {"change_status": "1", "status": broken.pk, "apply": "1"}
    client = client_of(admin)
    every = [h.pk for h in [*fine, kept]]
    answer = client.post(EDIT, {**sent, "pk": every})
    assert answer.status_code == 422
    assert f"{kept.hostname}: Status: From s it may become: u." in str(
        answer.context["errors"]
    )
    assert not Host.objects.filter(status=broken).exists()
    client.post(EDIT, {**sent, "pk": [h.pk for h in fine]})
    assert Host.objects.filter(status=broken).count() == 2
    line = AuditEntry.objects.filter(verb="host.update").first()
    assert line is not None
    assert line.changes[0]["new_id"] == broken.pk


def test_a_choice_out_of_sight_that_one_row_has_is_none_for_others(
    client_of: Any, operator: User, group: HostGroup
) -> None:
    hidden = ProductLine.objects.create(name="secret", code="secret")
    first = make_host(groups=[group], product_line=hidden)
    second = make_host(groups=[group])
    sent = {
        "pk": [first.pk, second.pk],
        "change_product_line": "1",
        "product_line": hidden.pk,
        "apply": "1",
    }
    assert client_of(operator).post(EDIT, sent).status_code == 422
    second.refresh_from_db()
    assert second.product_line is None
