"""Relations by the API: who may, and what makes no sense."""

import json
from typing import Any

import pytest

from accounts.models import User
from cmdb.models import Relation, RelationKind
from tests.cmdb.test_relations import relate
from tests.factories import make_host, make_idc, make_user

pytestmark = pytest.mark.django_db
API = "/api/v1/relations/"
JSON = "application/json"


@pytest.fixture
def depends(db: None) -> RelationKind:
    """The source falls with the target."""
    return RelationKind.objects.create(
        name="depends on", reverse_name="is needed by", impact="source"
    )


def test_the_api_relates_lists_and_takes_away(
    client_of: Any, admin: User, depends: RelationKind
) -> None:
    host, idc = make_host(), make_idc()
    relate(depends, make_host(), idc)
    client = client_of(admin)
    body = {
        "kind": depends.pk,
        "source_type": "hosts",
        "source": host.pk,
        "target_type": "idcs",
        "target": idc.pk,
        "note": "n",
    }
    made = client.post(API, json.dumps(body), content_type=JSON)
    assert made.status_code == 201, made.json()
    listed = client.get(f"{API}?type=hosts&id={host.pk}").json()["results"]
    assert listed == [made.json()]
    assert len(client.get(API).json()["results"]) == 2
    assert client.delete(f"{API}{made.json()['id']}/").status_code == 204
    assert Relation.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"source": 999}, 404),
        ({"source": "1 OR 1=1"}, 404),
        ({"source": {"a": 1}}, 404),
        ({"source_type": "users"}, 404),
        ({"target_type": "relation-kinds"}, 404),
        ({"target_type": None}, 404),
        ({"target": "x"}, 422),
        ({"target": [1, 2]}, 422),
        ({"kind": 99999}, 422),
        ({"note": "x" * 251}, 422),
        ({"note": "\x00"}, 422),
        ({"note": "half \ud800"}, 422),
        ({"source": "\ud800"}, 422),
        ({"target": "\ud800"}, 422),
        ({"more": 1}, 422),
    ],
)
def test_the_api_refuses_what_makes_no_sense(
    client_of: Any, admin: User, depends: RelationKind, changed: Any, status: int
) -> None:
    body = {
        "kind": depends.pk,
        "source_type": "hosts",
        "source": make_host().pk,
        "target_type": "hosts",
        "target": make_host().pk,
    } | changed
    answer = client_of(admin).post(API, json.dumps(body), content_type=JSON)
    assert answer.status_code == status, answer.content
    assert not Relation.objects.exists()
    assert client_of(admin).post(API, "[1]", content_type=JSON).status_code == 422


def test_the_api_asks_the_objects(
    client: Any, client_of: Any, stranger: User, depends: RelationKind
) -> None:
    made = relate(depends, make_host(), make_idc())
    assert client.get(API).status_code == 401
    assert client_of(stranger).get(API).json()["results"] == []
    assert client_of(stranger).delete(f"{API}{made.pk}/").status_code == 404
    looker = make_user(perms=["cmdb.view_host", "cmdb.view_idc"])
    assert client_of(looker).delete(f"{API}{made.pk}/").status_code == 403
    assert Relation.objects.exists()
