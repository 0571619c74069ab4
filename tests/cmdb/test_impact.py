"""The impact picture: how far it goes, in which direction, what it hides, and that it always ends."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from cmdb import impact
from cmdb.models import HostGroup, ProductLine, RelationKind
from tests.cmdb.test_relations import relate
from tests.factories import make_cabinet, make_host, make_idc, make_user

pytestmark = pytest.mark.django_db


def _kind(name: str, falls: str) -> RelationKind:
    return RelationKind.objects.create(name=name, reverse_name=f"~{name}", impact=falls)


@pytest.fixture
def depends(db: None) -> RelationKind:
    """The source falls with the target."""
    return _kind("depends on", "source")


def _levels(user: User, start: Any, direction: str = "down") -> dict[str, int]:
    found = impact.picture(user, start, direction)
    return {node.name: node.level for node in found.nodes.values()}


def test_edges_are_walked_from_the_idc_to_the_guest(admin: User) -> None:
    idc = make_idc("Bonn")
    cabinet = make_cabinet(idc, name="R1")
    line = ProductLine.objects.create(name="shop", code="shop")
    big = make_host("big", cabinet=cabinet, idc=idc)
    guest = make_host("guest", hypervisor=big, product_line=line)
    make_host("elsewhere")
    expected = {"Bonn": 0, "Bonn / R1": 1, "big": 2, "guest": 3, "shop": 4}
    assert _levels(admin, idc) == expected
    assert _levels(admin, guest, "up") == {
        "guest": 0,
        "big": 1,
        "Bonn / R1": 2,
        "Bonn": 3,
    }
    assert _levels(admin, line, "up") == {
        "shop": 0,
        "guest": 1,
        "big": 2,
        "Bonn / R1": 3,
        "Bonn": 4,
    }
    steps = impact.as_json(impact.picture(admin, idc))["links"]
    assert [s["words"] for s in steps] == ["holds", "holds", "carries", "works for"]


@pytest.mark.parametrize(
    ("falls", "from_source", "from_target"),
    [
        ("target", True, False),
        ("source", False, True),
        ("both", True, True),
        ("none", False, False),
    ],
)
def test_the_kind_says_who_falls(
    admin: User, falls: str, from_source: bool, from_target: bool
) -> None:
    source, target = make_host("s"), make_host("t")
    relate(_kind("k", falls), source, target)
    assert ("t" in _levels(admin, source)) is from_source
    assert ("s" in _levels(admin, target)) is from_target
    # What falls with one stands on it, seen from the other end.
    assert ("s" in _levels(admin, target, "up")) is from_source
    assert ("t" in _levels(admin, source, "up")) is from_target


def test_a_circle_ends(admin: User, depends: RelationKind) -> None:
    a, b, c = (make_host(name) for name in "abc")
    for source, target in ((a, b), (b, c), (c, a), (a, c)):
        relate(depends, source, target)
    found = impact.picture(admin, a)
    assert {n.name: n.level for n in found.nodes.values()} == {"a": 0, "c": 1, "b": 2}
    assert not found.deep
    made = make_host("self")
    made.hypervisor = made
    made.save()
    assert _levels(admin, made) == {"self": 0}


def test_it_stops_at_the_depth_and_says_so(
    admin: User, depends: RelationKind, settings: Any, client_of: Any
) -> None:
    settings.IMPACT_MAX_DEPTH = 2
    chain = [make_host(f"h{n}") for n in range(4)]
    for source, target in zip(chain[1:], chain, strict=False):
        relate(depends, source, target)
    assert _levels(admin, chain[0]) == {"h0": 0, "h1": 1, "h2": 2}
    page = client_of(admin).get(f"/cmdb/objects/hosts/{chain[0].pk}/impact/")
    assert "behind the last step" in page.content.decode()


def test_it_stops_at_the_number_of_objects_and_says_so(
    admin: User, settings: Any, client_of: Any
) -> None:
    settings.IMPACT_MAX_NODES = 5
    cabinet = make_cabinet()
    for _number in range(8):
        make_host(cabinet=cabinet, idc=cabinet.idc)
    found = impact.picture(admin, cabinet)
    assert (len(found.nodes), found.cut) == (5, True)
    page = client_of(admin).get(f"/cmdb/objects/cabinets/{cabinet.pk}/impact/")
    assert "stops at 5 objects" in page.content.decode()


def test_hidden_objects_are_counted_not_named_and_not_walked_through(
    client_of: Any, operator: User, group: HostGroup, depends: RelationKind
) -> None:
    idc = make_idc("Bonn")
    mine = make_host("mine", idc=idc, groups=[group])
    secret = make_host("secret-1", idc=idc)
    relate(depends, secret, mine)
    make_host("behind", hypervisor=secret, groups=[group])
    client = client_of(operator)
    for path, start in (("idcs", idc), ("hosts", mine)):
        url = f"/cmdb/objects/{path}/{start.pk}/impact/"
        for text in (client.get(url), client.get(f"{url}data/")):
            assert "secret-1" not in text.content.decode()
            assert "behind" not in text.content.decode()
        told = client.get(f"/api/v1/impact/{path}/{start.pk}/").json()
        assert told["hidden"] == 1
        assert {"mine"} <= {node["name"] for node in told["nodes"]}
    assert client.get(f"/cmdb/objects/hosts/{secret.pk}/impact/").status_code == 404
    assert client.get(f"/api/v1/impact/hosts/{secret.pk}/").status_code == 404


def test_a_relation_whose_end_is_gone_shows_nothing(
    admin: User, depends: RelationKind
) -> None:
    host, gone = make_host("a"), make_host("b")
    relate(depends, gone, host)
    type(gone).objects.filter(pk=gone.pk).delete()
    found = impact.picture(admin, host)
    assert (len(found.nodes), found.hidden) == (1, set())


def test_wider_levels_cost_no_more_queries(admin: User, depends: RelationKind) -> None:
    cabinet = make_cabinet()

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            impact.picture(admin, cabinet)
        return len(asked)

    relate(depends, make_idc(), make_host(cabinet=cabinet, idc=cabinet.idc))
    few = queries()
    for _number in range(10):
        relate(depends, make_idc(), make_host(cabinet=cabinet, idc=cabinet.idc))
    assert queries() == few


def test_pages_and_endpoints_refuse_what_they_do_not_know(
    client: Any, client_of: Any, admin: User, stranger: User
) -> None:
    host = make_host("<img src=x onerror=alert(1)>")
    url = f"/cmdb/objects/hosts/{host.pk}/impact/"
    assert client.get(url).status_code == 302
    assert client.get(f"/api/v1/impact/hosts/{host.pk}/").status_code == 401
    assert client_of(stranger).get(url).status_code == 404
    inside = client_of(admin)
    assert "<img src=x" not in inside.get(url).content.decode()
    assert inside.get(f"{url}?direction=sideways").status_code == 200
    for path in ("users", "relation-kinds", "nothing", "credentials%00"):
        assert inside.get(f"/cmdb/objects/{path}/1/impact/").status_code == 404
    api = f"/api/v1/impact/hosts/{host.pk}/?direction=sideways"
    assert inside.get(api).status_code == 422
    only_idc = make_user(perms=["cmdb.view_idc"])
    assert client_of(only_idc).get(url).status_code == 404
