"""How dashboards travel from portal to portal as files, and what is no such file."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminset.models import AuditEntry
from monitor.dashboard_models import Dashboard
from monitor.dashboard_panels import panels_of
from tests.factories import make_group, make_host
from tests.monitor.test_dashboards import LINE, address, make_board

Signed = Callable[[User], Client]


def test_a_dashboard_travels_as_a_file_by_the_names_of_hosts_and_groups(
    client_of: Signed, admin: User
) -> None:
    group, host = make_group("web"), make_host("web1")
    panels: list[Any] = [
        LINE | {"group": group.pk},
        LINE | {"id": "p2", "hosts": [host.pk]},
    ]
    board, client = make_board(admin, panels=panels), client_of(admin)
    file = client.get(address("export", board)).content
    document = json.loads(file)
    assert [p["group"] for p in document["panels"]] == ["web", None]
    assert document["panels"][1]["hosts"] == ["web1"]
    board.delete()
    sent = SimpleUploadedFile("board.json", file)
    answer = client.post(reverse("monitor:dashboard_take"), {"file": sent})
    assert answer.status_code == 302, answer.content.decode()
    taken = Dashboard.objects.get()
    assert panels_of(taken.panels) == panels_of(panels)
    assert not taken.is_shared
    assert AuditEntry.objects.filter(verb="dashboard.create").count() == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 50_000,
        "[]",
        "{}",
        json.dumps({"adminset_dashboard": 1, "name": "x", "panels": "y"}),
        json.dumps({"adminset_dashboard": 1, "name": ["x"], "panels": []}),
        json.dumps({"adminset_dashboard": 1, "name": "", "panels": []}),
        json.dumps(
            {"adminset_dashboard": 1, "name": "x", "panels": [LINE | {"group": {}}, 1]}
        ),
        json.dumps(
            {"adminset_dashboard": 1, "name": "x", "panels": [LINE | {"hosts": ["no"]}]}
        ),
        json.dumps(
            {"adminset_dashboard": 1, "name": "x", "panels": [LINE | {"group": [[1]]}]}
        ),
    ],
)
def test_a_file_that_is_no_dashboard_makes_none(
    client_of: Signed, admin: User, text: str
) -> None:
    answer = client_of(admin).post(reverse("monitor:dashboard_take"), {"text": text})
    assert answer.status_code == 422
    assert not Dashboard.objects.exists()
