"""The global search: what is found by what, in which order, by whom; and that its terms follow the objects."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from adminset.crud import search, search_terms
from adminset.crud.resource import all_resources
from adminset.crud.search import find_everywhere
from adminset.models import SearchTerm
from cmdb.models import Credential, Host, HostGroup, IpAddress, Nic
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _urls_are_loaded(settings: Any) -> None:
    __import__(settings.ROOT_URLCONF)


def _names(user: User, q: str) -> list[str]:
    found = find_everywhere(user, q, all_resources())
    return [str(hit.row) for group in found for hit in group["rows"]]


@pytest.mark.parametrize(
    "q",
    [
        "WEB-01.bj",
        "bj.example",
        "10.9.8.7",
        "sn-4711",
        "4711",
        "A-0815",
        "zhang wei",
        "wei",
        "ＷＥＢ-01",
    ],
)
def test_a_host_is_found_by_what_stands_on_it(admin: User, q: str) -> None:
    make_host(
        "web-01.bj.example.com",
        address="10.9.8.7",
        serial="SN-4711",
        asset_number="A-0815",
        owner="Zhang Wei",
    )
    make_host("other")
    assert _names(admin, q) == ["web-01.bj.example.com"]


@pytest.mark.parametrize(
    "q",
    ["3c:ec:ef:00:11:22", "3C-EC-EF-00", "3cecef0011", "3cec.ef00.1122", "3c:ec:ef:0"],
)
def test_a_mac_address_is_found_however_it_is_written(admin: User, q: str) -> None:
    host = make_host("web")
    Nic.objects.create(host=host, name="eth0", mac="3c:ec:ef:00:11:22")
    Nic.objects.create(host=host, name="eth1", mac="3c:ec:ff:00:11:22")
    assert _names(admin, q) == ["web: eth0"]


@pytest.mark.parametrize("q", ["2001:DB8:0:0::1", "2001:db8::1", "2001:db8:"])
def test_an_address_is_found_in_any_of_its_forms(admin: User, q: str) -> None:
    IpAddress.objects.create(address="2001:db8::1")
    assert "2001:db8::1" in _names(admin, q)


def test_exact_comes_first_then_what_begins_so_then_parts(admin: User) -> None:
    for name in ("db-web", "web-2", "web", "cobweb"):
        make_host(name)
    assert _names(admin, "web") == ["web", "web-2", "db-web"]


def test_what_only_contains_the_text_is_found_where_nothing_begins_so(
    admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_host("cobweb")
    assert _names(admin, "obwe") == ["cobweb"]
    assert _names(admin, "o") == []
    monkeypatch.setattr(search, "_is_small", lambda resource: False)
    assert _names(admin, "obwe") == []


@pytest.mark.parametrize(
    "q",
    ["", " ", "\x00", "%", "_", "'; DROP TABLE x; --", "\\", "\U0010ffff", "\ud800"],
)
def test_no_text_is_a_wildcard_or_breaks_the_page(
    client_of: Any, admin: User, q: str
) -> None:
    make_host("web")
    assert _names(admin, q) == []
    assert (
        client_of(admin)
        .get("/search/", {"q": q.encode("utf-8", "replace")})
        .status_code
        == 200
    )


def test_hostile_names_stay_text_on_the_page(client_of: Any, admin: User) -> None:
    make_host("evil", owner="<script>alert(1)</script>")
    page = client_of(admin).get("/search/", {"q": "<script>alert(1)"}).content.decode()
    assert "evil" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page


def test_only_what_one_may_see_is_found(
    operator: User, stranger: User, group: HostGroup, other_group: HostGroup
) -> None:
    make_host("web-mine", groups=[group])
    make_host("web-theirs", groups=[other_group])
    assert _names(operator, "web-") == ["web-mine"]
    assert _names(operator, "theirs") == []
    assert _names(stranger, "web") == []


def test_others_objects_do_not_crowd_out_ones_own(
    operator: User, group: HostGroup
) -> None:
    for number in range(search.MOST_LOOKED_AT + 5):
        make_host(f"web-{number:04}")
    make_host("web-zzz", groups=[group])
    assert _names(operator, "web-") == ["web-zzz"]


def test_the_palette_says_by_what_it_was_found(client_of: Any, admin: User) -> None:
    make_host("web-1", serial="XYZ99")
    answer = client_of(admin).get("/search/?q=xyz", HTTP_HX_REQUEST="true")
    page = answer.content.decode()
    assert "<html" not in page
    assert 'class="hint">xyz99<' in page


def test_terms_follow_a_change_and_a_deletion(client_of: Any, admin: User) -> None:
    host = make_host("before")
    host.hostname = "afterwards"
    host.save()
    assert _names(admin, "before") == []
    assert _names(admin, "afterwards") == ["afterwards"]
    assert client_of(admin).post(f"/cmdb/hosts/{host.pk}/delete/").status_code == 302
    assert not SearchTerm.objects.filter(label="cmdb.host").exists()


def test_a_save_of_other_fields_asks_nothing_of_the_search() -> None:
    host = make_host("web")
    with CaptureQueriesContext(
        connection,
    ) as asked:
        host.save(update_fields=["notes"])
    assert not [each for each in asked if "searchterm" in each["sql"]]


def test_a_secret_is_no_term() -> None:
    Credential.objects.create(name="root", username="root", password="hush-hush-1")
    terms = SearchTerm.objects.filter(label="cmdb.credential")
    assert set(terms.values_list("term", flat=True)) == {"root"}


def test_rebuilding_mends_what_passed_the_search_by(admin: User, capsys: Any) -> None:
    host, gone = make_host("web"), make_host("gone")
    Host.objects.filter(pk=host.pk).update(hostname="renamed")
    Host.objects.filter(pk=gone.pk)._raw_delete(Host.objects.db)
    Host.objects.bulk_create([Host(hostname="unseen")])
    call_command("rebuild_search")
    told = capsys.readouterr().out
    assert "cmdb.host: " in told
    assert _names(admin, "unseen") == ["unseen"]
    assert _names(admin, "renamed") == ["renamed"]
    assert not SearchTerm.objects.filter(object_id=gone.pk, label="cmdb.host").exists()
    call_command("rebuild_search")
    assert "terms added" not in capsys.readouterr().out


def test_the_number_of_queries_does_not_grow(admin: User) -> None:
    user = make_user(is_superuser=True)
    counts = []
    for size in (2, 30):
        for number in range(size):
            make_host(f"same-{size}-{number}")
        with CaptureQueriesContext(connection) as asked:
            _names(user, "same-")
        counts.append(len(asked))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("prefix", "end"),
    [("web", "wec"), ("a\U0010ffff", "b"), ("\U0010ffff", ""), ("\ud7ff", "\ue000")],
)
def test_the_end_of_a_prefix(prefix: str, end: str) -> None:
    assert search.end_of_prefix(prefix) == end


def test_terms_are_bounded() -> None:
    host = make_host("a", owner="x" * 100)
    host.owner = "word " * 200
    resource = next(each for each in all_resources() if each.model is Host)
    found = search_terms.terms_of(resource, host)
    assert len(found) < 12
    assert max(map(len, found)) <= 100
