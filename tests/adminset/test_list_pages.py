"""Pages of a list: each row once, whatever the order; the same cost at both ends; columns in the order that was asked for."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tests.factories import make_group, make_host, make_idc

pytestmark = pytest.mark.django_db
LIST = "/cmdb/hosts/"


@pytest.fixture
def _small_pages(settings: Any) -> None:
    settings.LIST_PAGE_SIZES = [3, 3]


def _rows(client: Any, query: str) -> list[str]:
    page = client.get(LIST + query)
    assert page.status_code == 200
    return [row.record.hostname for row in page.context["table"].paginated_rows]


@pytest.mark.usefixtures("_small_pages")
@pytest.mark.parametrize(
    "sort", ["", "hostname", "-hostname", "idc", "-idc", "owner", "-last_seen"]
)
@pytest.mark.parametrize("q", ["", "h"])
def test_every_row_stands_on_one_page(
    client_of: Any, admin: User, sort: str, q: str
) -> None:
    idcs = [make_idc(), None]
    names = sorted(
        make_host(f"h{n}", idc=idcs[n % 2], owner="same").hostname for n in range(11)
    )
    client = client_of(admin)
    pages = [_rows(client, f"?sort={sort}&q={q}&page={n}") for n in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [3, 3, 3, 2]
    found = [name for page in pages for name in page]
    assert sorted(found) == names
    if sort in {"", "hostname"}:
        assert found == names
    if sort == "-hostname":
        assert found == names[::-1]


@pytest.mark.usefixtures("_small_pages")
def test_a_page_beyond_the_last_is_the_last(client_of: Any, admin: User) -> None:
    for n in range(4):
        make_host(f"h{n}")
    client = client_of(admin)
    assert _rows(client, "?page=99") == ["h3"]
    assert len(_rows(client, "?page=x")) == 3


@pytest.mark.usefixtures("_small_pages")
def test_a_counted_column_sorts_by_what_it_counts(client_of: Any, admin: User) -> None:
    groups = [make_group(name) for name in ("a", "b", "c", "d")]
    make_host(groups=groups[1:])
    make_host(groups=groups[2:3])
    pages = [
        client_of(admin).get(f"/cmdb/host-groups/?sort=-host_count&page={n}")
        for n in (1, 2)
    ]
    found = [
        row.record.name for p in pages for row in p.context["table"].paginated_rows
    ]
    assert found[0] == "c"
    assert found[-1] == "a"


def test_the_last_page_costs_as_many_queries_as_the_first(
    client_of: Any, admin: User, settings: Any
) -> None:
    settings.LIST_PAGE_SIZES = [2, 2]
    for _ in range(12):
        make_host()
    client = client_of(admin)
    client.get(LIST)
    asked = []
    for query in ("?page=1", "?page=6", "?page=3&sort=-address"):
        with CaptureQueriesContext(connection) as queries:
            client.get(LIST + query)
        asked.append(len(queries))
    assert len(set(asked)) == 1
    assert asked[0] <= 15


def test_columns_stand_in_the_order_that_was_asked_for(
    client_of: Any, admin: User
) -> None:
    make_host("web-1", owner="ann", serial="S1")
    query = "?columns=serial&columns=hostname&columns=owner&columns=nonsense"
    client = client_of(admin)
    page = client.get(LIST + query).content.decode()
    row = page.split("data-row>")[1].split("</tr>")[0]
    assert row.index(">S1<") < row.index(">web-1<") < row.index(">ann<")
    file = client.get(f"{LIST}{query}&export=csv").getvalue().decode("utf-8-sig")
    assert file.splitlines()[1] == "S1,web-1,ann"
