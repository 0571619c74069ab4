"""Every door of every object of the CMDB: without the permission, with it, and with it for one host group; and hostile text on every page."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from adminset.crud.resource import Resource, all_resources, resource_of
from adminset.import_models import ImportRow
from adminset.models import AuditEntry
from cmdb.models import HostGroup
from cmdb.scopes import GROUPS
from tests import matrix
from tests.cmdb.harmless import assert_harmless
from tests.cmdb.things import HOSTILE, make_thing, poison
from tests.factories import make_user
from tests.matrix import Stage

pytestmark = pytest.mark.django_db
# Asks for the site map, so that all resources are known when pytest collects.
assert resource_of("cmdb.host")
ROOM = [each for each in all_resources() if each.app_label == "cmdb"]
every = pytest.mark.parametrize("resource", ROOM, ids=lambda each: each.model_name)
READ = ("list", "detail", "history", "past")
WRITE = ("add", "import", "edit", "delete", "bulk_edit", "bulk_delete", "bulk_rename")
ABOUT_ONE = {"detail", "history", "past", "edit", "delete"}


# Those of which a grant on host groups opens some.
SCOPED = [each for each in ROOM if each.model._meta.label_lower in GROUPS.reaches]
held = pytest.mark.parametrize("resource", SCOPED, ids=lambda each: each.model_name)


@pytest.fixture(scope="module")
def standing(django_db_setup: None, django_db_blocker: Any) -> Iterator[Stage]:
    """One of each kind within a group, and one that is not."""
    with matrix.standing(django_db_blocker) as stage:
        yield stage


@pytest.fixture
def stage(standing: Stage, db: None, client_of: Any) -> Stage:
    """The standing one, for one test."""
    return matrix.entered(standing, lambda user: client_of(user) if user else Client())


def _one(stage: Stage, resource: Resource) -> Any:
    pk = stage.inside.get(resource.model_name)
    rows = resource.model._default_manager
    return rows.get(pk=pk) if pk else make_thing(resource.model)


def _offered(resource: Resource, verb: str) -> bool:
    needs = {"edit": "change", "bulk_edit": "change", "bulk_delete": "delete"}
    if verb == "bulk_rename":
        return bool(resource.rename_field)
    return verb in READ or needs.get(verb, verb) in resource.verbs


def _pages(resource: Resource, verbs: tuple[str, ...], pk: int) -> Iterator[str]:
    for verb in verbs:
        if _offered(resource, verb):
            yield resource.url(verb, pk if verb in ABOUT_ONE else None)


def _others(resource: Resource, pk: int) -> tuple[str, ...]:
    """Give the doors beside the pages: files, API, boxes that search."""
    return (
        f"{resource.url('list')}?export=csv",
        f"{resource.url('list')}?export=xlsx",
        f"/api/v1/{resource.path}/",
        f"/api/v1/{resource.path}/{pk}/",
    )


def _holder(resource: Resource, *actions: str, group: int | None = None) -> User:
    groups = [HostGroup.objects.get(pk=group)] if group else []
    return make_user(perms=[resource.permission(a) for a in actions], groups=groups)


def _state(resource: Resource) -> tuple[Any, int]:
    rows = list(resource.model._default_manager.order_by("pk").values())
    written = AuditEntry.objects.exclude(verb__contains="refuse").exclude(
        verb__contains="denied"
    )
    return rows, written.filter(target_type=resource.model._meta.label_lower).count()


def _choices(client: Client, resource: Resource, word: str) -> str:
    answer = client.get(f"/choices/{resource.path}/", {"q": word})
    return answer.content.decode() if answer.status_code == 200 else ""


@every
def test_without_the_permission_every_door_is_shut(
    resource: Resource, stage: Stage, client_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix.refuse_plainly(monkeypatch)
    one = _one(stage, resource)
    client = client_of(stage.people["stranger"])
    before = _state(resource)
    for url in (*_pages(resource, READ, one.pk), *_others(resource, one.pk)):
        assert client.get(url).status_code == 403, url
    for url in _pages(resource, WRITE, one.pk):
        assert client.get(url).status_code == 403, url
        data = {"pk": [one.pk], "confirm": "1", "count": "1"}
        assert client.post(url, data).status_code == 403, url
    for method in ("put", "patch", "delete"):
        answer = getattr(client, method)(f"/api/v1/{resource.path}/{one.pk}/")
        assert answer.status_code in {403, 405}, method
    assert client.post(f"/api/v1/{resource.path}/").status_code in {403, 405}
    assert str(one) not in _choices(client, resource, str(one)[:5])
    found = client.get("/search/", {"q": str(one)}).content.decode()
    assert one.get_absolute_url() not in found
    assert _state(resource) == before


@every
def test_who_may_only_look_sees_everything_and_changes_nothing(
    resource: Resource, stage: Stage, client_of: Any
) -> None:
    one = _one(stage, resource)
    client = client_of(_holder(resource, "view"))
    before = _state(resource)
    for url in (*_pages(resource, READ, one.pk), *_others(resource, one.pk)):
        assert client.get(url).status_code == 200, url
    assert one.get_absolute_url() in client.get(resource.url("list")).content.decode()
    for url in _pages(resource, WRITE, one.pk):
        data = {"pk": [one.pk], "confirm": "1", "count": "1"}
        assert client.post(url, data).status_code == 403, url
    answer = client.delete(f"/api/v1/{resource.path}/{one.pk}/")
    assert answer.status_code in {403, 405}
    assert _state(resource)[0] == before[0]


@held
def test_within_one_group_nothing_else_is_seen(
    resource: Resource, stage: Stage, client_of: Any
) -> None:
    kind = resource.model_name
    rows: Any = resource.model._default_manager
    mine, other = (rows.get(pk=place[kind]) for place in (stage.inside, stage.outside))
    client = client_of(_holder(resource, "view", group=stage.inside["hostgroup"]))
    for url in _pages(resource, READ[1:], other.pk):
        assert client.get(url).status_code == 404, url
    for url in (*_pages(resource, READ, mine.pk), *_others(resource, mine.pk)):
        assert client.get(url).status_code == 200, url
    listed = client.get(resource.url("list")).content.decode()
    assert mine.get_absolute_url() in listed
    assert other.get_absolute_url() not in listed
    assert client.get(f"/api/v1/{resource.path}/{other.pk}/").status_code == 404
    told = client.get(f"/api/v1/{resource.path}/").json()["results"]
    assert [row["id"] for row in told] == [mine.pk]
    file = client.get(f"{resource.url('list')}?export=csv").getvalue().decode()
    assert other.get_absolute_url() not in _choices(client, resource, str(other)[:5])
    # One line for the heads, one for the row.
    assert len(file.strip().splitlines()) == 2
    found = client.get("/search/", {"q": str(other)}).content.decode()
    assert other.get_absolute_url() not in found


@held
def test_within_one_group_nothing_else_is_changed(
    resource: Resource, stage: Stage, client_of: Any
) -> None:
    other = stage.outside[resource.model_name]
    user = _holder(
        resource, "view", "add", "change", "delete", group=stage.inside["hostgroup"]
    )
    client = client_of(user)
    before = _state(resource)
    for url in _pages(resource, ("edit", "delete"), other):
        assert client.post(url, {"confirm": "1"}).status_code == 404, url
    for url in _pages(resource, ("bulk_edit", "bulk_delete", "bulk_rename"), other):
        data = {"pk": [other], "confirm": "1", "count": "1", "owner": "me"}
        assert client.post(url, data).status_code < 500, url
    for method in ("put", "patch", "delete"):
        address = f"/api/v1/{resource.path}/{other}/"
        answer = getattr(client, method)(
            address, {"name": "x"}, content_type="application/json"
        )
        assert answer.status_code in {403, 404, 405}, method
    if "import" in resource.verbs:
        column = next(iter(resource.form.base_fields))
        file = SimpleUploadedFile("f.csv", f"id,{column}\n{other},mine\n".encode())
        answer = client.post(resource.url("import"), {"file": file}, follow=True)
        assert answer.status_code < 500
        assert not ImportRow.objects.filter(kind="update", target_id=other).exists()
    assert _state(resource) == before


# -- hostile text


@pytest.mark.parametrize(
    "text",
    [
        HOSTILE,
        "<p onclick='x'>",
        "<a href=' JavaScript:x'>y</a>",
        "<script type='application/json'>alert(1)</script>",
    ],
)
def test_what_runs_is_found(text: str) -> None:
    with pytest.raises(AssertionError):
        assert_harmless(text, "here")


@every
def test_hostile_text_is_text_on_every_page(
    resource: Resource, stage: Stage, client_of: Any, admin: User
) -> None:
    one = _one(stage, resource)
    poison(one)
    client = client_of(admin)
    tabs = [f"{resource.url('detail', one.pk)}?tab={p.key}" for p in resource.panels]
    pages = [*_pages(resource, (*READ, *WRITE[:4]), one.pk), *tabs]
    for url in [*pages, "/search/?q=alert", f"{resource.url('list')}?q={HOSTILE}"]:
        answer = client.get(url, follow=True)
        assert answer.status_code == 200, url
        assert_harmless(answer.content.decode(), url)
    answer = client.get(f"/choices/{resource.path}/", {"q": "alert"})
    expected = "application/json" if resource.search else "text/html; charset=utf-8"
    assert answer["Content-Type"] == expected
    assert answer["X-Content-Type-Options"] == "nosniff"
    for verb in ("bulk_edit", "bulk_delete"):
        if _offered(resource, verb):
            answer = client.post(resource.url(verb), {"pk": [one.pk]})
            assert_harmless(answer.content.decode(), verb)


@every
def test_hostile_text_runs_in_no_file(
    resource: Resource, stage: Stage, client_of: Any, admin: User
) -> None:
    one = _one(stage, resource)
    formula = "=cmd|'/c calc'!A0"
    written = poison(one)
    short = {name: formula for name in written if len(written[name]) >= len(formula)}
    resource.model._default_manager.filter(pk=one.pk).update(**short)
    client = client_of(admin)
    file = client.get(f"{resource.url('list')}?export=csv").getvalue().decode()
    assert not [cell for cell in file.split(",") if cell.strip('"').startswith("=")]
    answer = client.get(f"/api/v1/{resource.path}/{one.pk}/")
    assert answer["Content-Type"] == "application/json"
    assert answer["X-Content-Type-Options"] == "nosniff"
