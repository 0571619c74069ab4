"""The key of a heartbeat: made by the portal, shown to those who may change it, and to nobody else."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import HostGroup
from monitor.heartbeat_models import digest_of
from monitor.models import Heartbeat
from tests.factories import make_user
from tests.monitor.check_things import make_heartbeat

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


def test_the_key_is_made_shown_to_those_who_change_it_and_to_nobody_else(
    client_of: Signed, admin: User, auditor: User
) -> None:
    made = client_of(admin).post(
        "/api/v1/heartbeats/",
        {"name": "backup", "crontab": "30 2 * * *"},
        content_type="application/json",
    )
    assert made.status_code == 201, made.json()
    job = Heartbeat.objects.get()
    stored: Any = job.key
    key = stored.reveal()
    assert len(key) >= 43
    tab = f"{job.get_absolute_url()}?tab=address"
    assert f"http://testserver/hb/{key}" in client_of(admin).get(tab).content.decode()
    history = client_of(admin).get(f"/monitor/heartbeats/{job.pk}/history/")
    shown = [
        str(made.json()),
        client_of(auditor).get(tab).content.decode(),
        history.content.decode(),
        str([*AuditEntry.objects.values_list("changes", flat=True)]),
        client_of(admin)
        .get("/monitor/heartbeats/", {"export": "csv"})
        .getvalue()
        .decode(),
    ]
    for text in shown:
        assert key not in text
        assert digest_of(key) not in text


def test_who_may_change_another_one_does_not_see_the_key(
    client_of: Signed, group: HostGroup, other_group: HostGroup
) -> None:
    reader = make_user(perms=["monitor.view_heartbeat"])
    keeper = make_user(
        perms=["monitor.view_heartbeat", "monitor.change_heartbeat"], groups=[group]
    )
    hidden = make_heartbeat("k-other", host_group=other_group)
    for user, status in ((keeper, 404), (reader, 200)):
        answer = client_of(user).get(f"{hidden.get_absolute_url()}?tab=address")
        assert answer.status_code == status
        assert "k-other" not in answer.content.decode()
    address = f"/monitor/heartbeats/{hidden.pk}/rotate/"
    assert client_of(reader).post(address).status_code == 403
    assert client_of(keeper).post(address).status_code == 404


def test_a_new_key_ends_the_old_one(
    client: Client, client_of: Signed, admin: User
) -> None:
    job = make_heartbeat("k1")
    answer = client_of(admin).post(f"/monitor/heartbeats/{job.pk}/rotate/")
    assert answer.status_code == 302
    job.refresh_from_db()
    stored: Any = job.key
    assert client.get("/hb/k1").status_code == 404
    assert client.get(f"/hb/{stored.reveal()}").status_code == 200
    entry = AuditEntry.objects.get()
    assert entry.verb == "heartbeat.rotate"
    assert stored.reveal() not in str(entry.changes)


def test_one_that_is_brought_back_gets_a_new_key(
    client: Client, client_of: Signed, admin: User
) -> None:
    job = make_heartbeat("k1", name="backup")
    client_of(admin).post(f"/monitor/heartbeats/{job.pk}/delete/")
    assert client.get("/hb/k1").status_code == 404
    line = AuditEntry.objects.get(verb="heartbeat.delete")
    answer = client_of(admin).post(f"/changes/{line.pk}/revert/", {"apply": "1"})
    assert answer.status_code in {200, 302}, answer.content[-2000:]
    back = Heartbeat.objects.get(name="backup")
    stored: Any = back.key
    assert client.get("/hb/k1").status_code == 404
    assert client.get(f"/hb/{stored.reveal()}").status_code == 200
