"""Relations between objects: who may set them, what he sees of them, and that they go with their ends."""

from typing import Any, ClassVar

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.edges import DECLARED, all_edges
from cmdb.models import Host, HostGroup, IpAddress, Relation, RelationKind
from cmdb.related import key_of, relatable
from cmdb.services import relations
from cmdb.services.merging import merge, unmerge
from tests.cmdb.test_organisation import NamedTests
from tests.factories import make_cabinet, make_host, make_idc, make_user

pytestmark = pytest.mark.django_db
API = "/api/v1/relations/"
EVIL = "<script>alert(1)</script>{{ 7*7 }}"


class TestRelationKind(NamedTests):
    model = RelationKind
    edit = ("reverse_name", "changed")
    further: ClassVar[dict[str, Any]] = {"reverse_name": "back", "impact": "none"}


@pytest.fixture
def depends(db: None) -> RelationKind:
    """The source falls with the target."""
    return RelationKind.objects.create(
        name="depends on", reverse_name="is needed by", impact="source"
    )


def relate(kind: RelationKind, source: Any, target: Any, **fields: Any) -> Relation:
    """Relate two objects, whoever may."""
    (from_type, from_id), (to_type, to_id) = key_of(source), key_of(target)
    ends = {
        "from_type": from_type,
        "from_id": from_id,
        "to_type": to_type,
        "to_id": to_id,
    }
    return Relation.objects.create(kind=kind, **ends, **fields)


def _add(client: Any, source: Any, kind: RelationKind, target: Any, **more: Any) -> Any:
    path = relatable()[target._meta.label_lower].path
    at = relatable()[source._meta.label_lower].path
    sent = {"kind": kind.pk, "type": path, "target": target.pk} | more
    url = f"/cmdb/objects/{at}/{source.pk}/relations/add/"
    return client.post(url, sent, follow=True)


def test_objects_of_any_kinds_can_be_related(
    client_of: Any, admin: User, depends: RelationKind
) -> None:
    host, idc = make_host("web-1"), make_idc("Bonn")
    page = _add(client_of(admin), host, depends, idc, note=EVIL).content.decode()
    made = Relation.objects.get()
    assert (made.from_type, made.from_id) == ("cmdb.host", host.pk)
    assert (made.to_type, made.to_id) == ("cmdb.idc", idc.pk)
    assert "depends on" in page
    assert EVIL not in page
    assert "&lt;script&gt;" in page
    back = client_of(admin).get(f"/cmdb/idcs/{idc.pk}/?tab=relations").content.decode()
    assert "is needed by" in back
    assert "web-1" in back
    entry = AuditEntry.objects.get(verb="host.relate")
    assert entry.target_id == str(host.pk)
    assert entry.changes[0]["new"] == f"depends on idc #{idc.pk}"


def test_it_is_set_once_and_not_to_oneself(
    client_of: Any, admin: User, depends: RelationKind
) -> None:
    host, other = make_host(), make_host()
    client = client_of(admin)
    assert "related now" in _add(client, host, depends, other).content.decode()
    assert "related so already" in _add(client, host, depends, other).content.decode()
    assert "not related to itself" in _add(client, host, depends, host).content.decode()
    assert Relation.objects.count() == 1
    assert AuditEntry.objects.filter(verb="host.relate").count() == 1


def test_who_may_change_the_source_and_see_the_target_may_relate_them(
    client_of: Any,
    operator: User,
    group: HostGroup,
    other_group: HostGroup,
    depends: Any,
) -> None:
    mine, foreign = make_host(groups=[group]), make_host(groups=[other_group])
    idc, client = make_idc(), client_of(operator)
    assert "related now" in _add(client, mine, depends, idc).content.decode()
    # Seen, not changed; not seen at all.
    _add(client, idc, depends, mine)
    _add(client, mine, depends, foreign)
    assert _add(client, foreign, depends, mine).status_code == 404
    assert Relation.objects.count() == 1
    looker = client_of(make_user(perms=["cmdb.view_host", "cmdb.view_idc"]))
    assert "may not change" in _add(looker, mine, depends, foreign).content.decode()
    gone = looker.post(f"/cmdb/relations/{Relation.objects.get().pk}/delete/")
    assert gone.status_code == 404
    assert Relation.objects.count() == 1


def test_the_other_end_is_named_only_to_who_may_see_it(
    client_of: Any,
    operator: User,
    group: HostGroup,
    depends: RelationKind,
    admin: User,
) -> None:
    mine, secret = make_host("mine", groups=[group]), make_host("secret-host")
    relations.add_relation(actor=admin, kind=depends, source=mine, target=secret)
    client = client_of(operator)
    for tab in ("?tab=relations", "history/"):
        page = client.get(f"/cmdb/hosts/{mine.pk}/{tab}").content.decode()
        assert "secret-host" not in page
    page = client.get(f"/cmdb/hosts/{mine.pk}/?tab=relations").content.decode()
    assert "1 related object is not for you to see" in page
    assert client.get(API).json()["results"] == []
    assert len(client_of(admin).get(API).json()["results"]) == 1


def test_a_relation_is_taken_away_with_a_line_in_the_trail(
    client_of: Any, admin: User, depends: RelationKind
) -> None:
    made = relate(depends, make_host(), make_idc())
    url, back = f"/cmdb/relations/{made.pk}/delete/", "/cmdb/idcs/"
    answer = client_of(admin).post(url, {"next": back})
    assert (answer.status_code, answer["Location"]) == (302, back)
    assert not Relation.objects.exists()
    assert AuditEntry.objects.get(verb="host.unrelate").changes[0]["new"] is None


def test_relations_go_with_their_ends(
    client_of: Any, admin: User, depends: RelationKind
) -> None:
    gone, stays = make_host("gone"), make_host("stays")
    address = IpAddress.objects.create(address="10.9.9.9", host=gone)
    relate(depends, gone, stays)
    relate(depends, stays, gone)
    relate(depends, stays, address)
    kept = relate(depends, stays, make_idc())
    client_of(admin).post(f"/cmdb/hosts/{gone.pk}/delete/")
    assert not Host.objects.filter(pk=gone.pk).exists()
    assert list(Relation.objects.all()) == [kept]
    told = AuditEntry.objects.filter(verb="host.unrelate")
    assert sorted(entry.target_name for entry in told) == ["gone", "stays", "stays"]


def test_relations_of_two_hosts_that_become_one_move_along_and_back(
    admin: User, depends: RelationKind
) -> None:
    kept, gone, other = make_host("kept"), make_host("gone"), make_host("other")
    relate(depends, gone, other)
    relate(depends, other, gone)
    relate(depends, gone, kept)
    undo = merge(actor=admin, kept=kept, gone=gone)
    ends = {(kept.pk, other.pk), (other.pk, kept.pk)}
    assert set(Relation.objects.values_list("from_id", "to_id")) == ends
    back = unmerge(actor=admin, undo=undo)
    assert set(Relation.objects.values_list("from_id", "to_id")) == {
        (back.pk, other.pk),
        (other.pk, back.pk),
        (back.pk, kept.pk),
    }


def test_a_kind_that_is_used_is_not_deleted(
    client_of: Any, admin: User, depends: RelationKind
) -> None:
    relate(depends, make_host(), make_idc())
    client_of(admin).post(f"/cmdb/relation-kinds/{depends.pk}/delete/")
    assert RelationKind.objects.filter(pk=depends.pk).exists()


def test_the_shipped_kinds_are_made_once() -> None:
    from adminset.audit import SystemActor  # noqa: PLC0415

    assert relations.ensure_kinds(actor=SystemActor("test")) == 5
    RelationKind.objects.filter(name="backs up").delete()
    assert relations.ensure_kinds(actor=SystemActor("test")) == 0


def test_what_is_there_by_itself_needs_no_row(client_of: Any, admin: User) -> None:
    cabinet = make_cabinet(make_idc("Bonn"), name="R1")
    big = make_host("big", cabinet=cabinet, idc=cabinet.idc)
    make_host("guest", hypervisor=big)
    page = client_of(admin).get(f"/cmdb/hosts/{big.pk}/?tab=relations").content.decode()
    for words in ("Stands in", "Bonn / R1", "Carries", "guest"):
        assert words in page
    page = client_of(admin).get(f"/cmdb/cabinets/{cabinet.pk}/?tab=relations")
    assert "big" in page.content.decode()


def test_every_declared_edge_is_there() -> None:
    assert len(all_edges()) == len(DECLARED)
    assert {e.source for e in all_edges()} | {e.target for e in all_edges()} <= set(
        relatable()
    )


def test_more_relations_cost_the_tab_no_more_queries(
    client_of: Any, admin: User, depends: RelationKind
) -> None:
    host, client = make_host(), client_of(admin)

    def queries() -> int:
        url = f"/cmdb/hosts/{host.pk}/?tab=relations"
        client.get(url)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(url).status_code == 200
        return len(asked)

    relate(depends, host, make_host())
    few = queries()
    for _number in range(10):
        relate(depends, host, make_host())
    assert queries() == few
