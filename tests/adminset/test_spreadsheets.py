"""Files that leave and enter: exports start no formula and hold what is shown, imports name each fault by line and column."""

import csv
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from openpyxl import load_workbook

from accounts.models import User
from adminset.crud.export import harmless
from adminset.crud.lists import Listing
from adminset.imports.csv_file import read_csv
from adminset.imports.problems import Unreadable
from adminset.imports.sheet import Header, Sheet
from cmdb.resources.hosts import HOST
from tests.factories import make_group, make_host, make_idc

Signed = Callable[[User], Client]


# -- exports


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_text_becomes_a_formula(text: str) -> None:
    assert harmless(text) == f"'{text}"


def test_numbers_stay_numbers() -> None:
    assert harmless(-5) == "-5"
    assert harmless(None) == ""


@pytest.mark.django_db
def test_an_export_holds_the_shown_columns_of_the_matching_rows(
    client_of: Signed, admin: User
) -> None:
    make_host("web1", notes="x"), make_host("db1")
    answer = client_of(admin).get(
        "/cmdb/hosts/",
        {"export": "csv", "q": "web", "columns": ["hostname", "address"]},
    )
    lines = answer.getvalue().decode("utf-8-sig").splitlines()
    assert lines[0].count(",") == 1
    assert [line.partition(",")[0] for line in lines[1:]] == ["web1"]


@pytest.mark.django_db
def test_an_export_is_in_the_order_of_the_list(client_of: Signed, admin: User) -> None:
    make_host("b"), make_host("c"), make_host("a")
    asked = {"export": "csv", "sort": "-hostname", "columns": "hostname"}
    answer = client_of(admin).get("/cmdb/hosts/", asked)
    assert answer.getvalue().decode("utf-8-sig").split()[-3:] == ["c", "b", "a"]


@pytest.mark.django_db
def test_hostile_cells_of_an_export_are_harmless_in_both_formats(
    client_of: Signed, admin: User
) -> None:
    make_host("h", owner="=HYPERLINK(1)")
    for kind in ("csv", "xlsx"):
        asked = {"export": kind, "columns": ["hostname", "owner"]}
        answer = client_of(admin).get("/cmdb/hosts/", asked)
        content = answer.getvalue()
        if kind == "csv":
            assert "'=HYPERLINK(1)" in content.decode()
        else:
            assert cells_of(content)[1][1] == "'=HYPERLINK(1)"


def cells_of(content: bytes) -> list[tuple[Any, ...]]:
    """Read a workbook as a spreadsheet would."""
    return list(load_workbook(BytesIO(content)).active.values)


@pytest.mark.django_db
def test_too_large_an_export_is_refused_with_the_cure(
    client_of: Signed, admin: User, settings: Any
) -> None:
    settings.EXPORT_MAX_ROWS = 1
    make_host(), make_host()
    answer = client_of(admin).get("/cmdb/hosts/", {"export": "csv"})
    assert answer.status_code == 422
    assert "ADMINSET_EXPORT_MAX_ROWS" in answer.content.decode()


# -- CSV that comes in

HEADER = Header({"name": "Name", "code": "Short code", "notes": "Notes"})
FAULTS = [
    (b"", 1, "name the columns"),
    (b"name,code\n", 1, "no rows"),
    (b"name,colour\na,b\n", 1, "no such column"),
    (b"name,name\na,b\n", 1, "more than once (columns 1, 2)"),
    (b"name,Name\na,b\n", 1, "more than once"),
    (b"name,,code\na,b,c\n", 1, "Column 2 has no name"),
    (b"name,code\n\xff\xfe,b\n", 2, "not UTF-8"),
    (b"name,code\ra,b\rcaf\xe9,d\r", 3, "café"),
    (b"name,code\r\na,b\r\na\x00,d\r\n", 3, "zero byte"),
    (b'name,code\n"open,b\n', 2, "not CSV"),
    (b"name,code\na,b\nc,d\ne,f\ng,h\n", 5, "More than 3 rows"),
]


def read(content: bytes, encoding: str = "") -> Sheet:
    return read_csv(content, HEADER, encoding)


@pytest.mark.parametrize(("content", "line", "words"), FAULTS)
def test_a_bad_file_is_refused_with_its_line(
    content: bytes, line: int, words: str, settings: Any
) -> None:
    settings.IMPORT_MAX_ROWS = 3
    with pytest.raises(Unreadable) as refused:
        read(content)
    assert refused.value.problems[0].line == line
    assert words in refused.value.problems[0].message


@pytest.mark.parametrize(
    "content",
    [
        b"name,code\na,b\n",
        b"\xef\xbb\xbfname;code\r\na;b\r\n",
        b"name\tcode\na\tb\n\n",
        b"name,code\ra,b\r",
        b'"name","code",\r\n"a","b",\r\n',
        b"Name,short CODE\na,b",
        "name\tcode\na\tb\n".encode("utf-16"),
    ],
)
def test_the_usual_kinds_of_csv_are_read(content: bytes) -> None:
    sheet = read(content)
    assert [sheet.values(row) for row in sheet.rows] == [{"name": "a", "code": "b"}]


def test_chinese_of_old_windows_is_read_and_said() -> None:
    sheet = read("name,notes\n机房一,北京市朝阳区\n".encode("gb18030"))
    assert sheet.rows[0].cells == ["机房一", "北京市朝阳区"]
    assert "GB18030" in sheet.encoding


def test_latin_1_is_never_guessed_but_read_when_chosen() -> None:
    content = "name,notes\nÉcole,déjà vu\n".encode("latin-1")
    with pytest.raises(Unreadable) as refused:
        read(content)
    assert "Latin-1" in refused.value.problems[0].message
    assert read(content, "latin-1").rows[0].cells == ["École", "déjà vu"]


def test_a_quoted_line_break_does_not_shift_the_line_numbers() -> None:
    sheet = read(b'name,code,notes\na,b,"one\ntwo"\nc,d,e\n')
    assert [row.line for row in sheet.rows] == [2, 4]


def test_a_row_of_another_length_is_a_fault_of_that_row_only() -> None:
    sheet = read(b"name,code\na\nb,c\n")
    assert "1 cells, the header 2" in sheet.rows[0].faults[0].message
    assert sheet.rows[1].faults == []


def test_a_cell_that_is_too_long_is_a_fault(settings: Any) -> None:
    settings.IMPORT_MAX_CELL_CHARACTERS = 5
    fault = read(b"name,code\nabcdef,b\n").rows[0].faults[0]
    assert (fault.line, fault.column) == (2, "name")


def test_what_our_export_guards_comes_back_as_it_was() -> None:
    assert read(b"name\n'=1+1\n").rows[0].cells == ["=1+1"]
    assert read(b"name\n'quoted'\n").rows[0].cells == ["'quoted'"]


@pytest.mark.django_db
def test_every_column_of_an_export_says_what_the_table_says(
    client_of: Signed, admin: User, rf: Any
) -> None:
    host = make_host("web1", idc=make_idc("here"), owner="ann", memory_bytes=2**30)
    host.groups.add(make_group("web"))
    make_host("web2", address=None)
    request = rf.get("/cmdb/hosts/")
    request.user = admin
    listing = Listing(request, HOST)
    every = [name for name, _title in listing.table.choosable()]
    answer = client_of(admin).get("/cmdb/hosts/", {"export": "csv", "columns": every})
    rows = list(csv.reader(answer.getvalue().decode("utf-8-sig").splitlines()))
    wanted = listing.table.as_values(exclude_columns=["select", "actions"])
    assert rows == [["" if c is None else str(c) for c in row] for row in wanted]
