"""History and revert through the API."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import Host
from tests.factories import make_group, make_host

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
HOSTILE = "<script>alert(1)</script>{{ 7*7 }}'\"&"
JSON = "application/json"


def edit(client: Client, host: Host, **values: Any) -> AuditEntry:
    """Change a host through the API, as one request, and give its line."""
    answer = client.patch(f"/api/v1/hosts/{host.pk}/", values, content_type=JSON)
    assert answer.status_code == 200, answer.json()
    return AuditEntry.objects.latest("pk")


def test_the_api_gives_the_history_and_takes_back(
    client_of: Signed, admin: User
) -> None:
    client, host = client_of(admin), make_host(owner="a", groups=[make_group("web")])
    entry = edit(client, host, owner="b")
    base = f"/api/v1/hosts/{host.pk}"
    lines = client.get(f"{base}/history/").json()["results"]
    assert [line["id"] for line in lines] == [entry.pk]
    assert lines[0]["changes"] == [{"field": "owner", "old": "a", "new": "b"}]
    answer = client.post(
        f"{base}/revert/",
        {"entry": entry.pk, "reason": "r", "whole_request": True},
        content_type=JSON,
    )
    assert answer.json() == {"changed": 1, "deleted": 0, "restored": 0}
    assert Host.objects.get().owner == "a"


@pytest.mark.parametrize(
    "body", [{}, {"entry": "1"}, {"entry": True}, {"entry": -1}, {"entry": 2**70}, []]
)
def test_the_api_explains_a_wrong_body(
    client_of: Signed, admin: User, body: Any
) -> None:
    host = make_host()
    answer = client_of(admin).post(
        f"/api/v1/hosts/{host.pk}/revert/", body, content_type=JSON
    )
    assert answer.status_code == 422


def test_the_api_asks_for_change_and_for_a_line_of_this_very_object(
    client_of: Signed, admin: User, auditor: User, operator: User
) -> None:
    host, other = make_host(owner="a"), make_host()
    entry = edit(client_of(admin), host, owner="b")
    body = {"entry": entry.pk}

    def post(user: User, pk: int) -> int:
        answer = client_of(user).post(
            f"/api/v1/hosts/{pk}/revert/", body, content_type=JSON
        )
        return answer.status_code

    assert post(auditor, host.pk) == 403
    assert post(operator, host.pk) == 404
    assert post(admin, other.pk) == 404
    assert (
        client_of(operator).get(f"/api/v1/hosts/{host.pk}/history/").status_code == 404
    )
    assert Host.objects.get(pk=host.pk).owner == "b"
