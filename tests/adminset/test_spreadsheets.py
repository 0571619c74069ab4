"""Files that leave and enter: exports start no formula and hold what is shown, imports name each fault by line and column."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from adminset.crud.export import harmless
from adminset.crud.spreadsheet import read_csv
from adminset.models import AuditEntry
from cmdb.models import Idc
from cmdb.resources import IDC
from tests.factories import make_host

Signed = Callable[[User], Client]
pytestmark = pytest.mark.django_db


# -- exports


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_text_becomes_a_formula(text: str) -> None:
    assert harmless(text) == f"'{text}"


def test_numbers_stay_numbers() -> None:
    assert harmless(-5) == "-5"
    assert harmless(None) == ""


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


def test_too_large_an_export_is_refused_with_the_cure(
    client_of: Signed, admin: User, settings: Any
) -> None:
    settings.EXPORT_MAX_ROWS = 1
    make_host(), make_host()
    answer = client_of(admin).get("/cmdb/hosts/", {"export": "csv"})
    assert answer.status_code == 422
    assert "ADMINSET_EXPORT_MAX_ROWS" in answer.content.decode()


# -- files that come in

NAMES = ("name", "code", "notes")
FAULTS = [
    (b"", 1, "name the columns"),
    (b"name,code\n", 1, "no rows"),
    (b"name,colour\na,b\n", 1, "no such column"),
    (b"name,name\na,b\n", 1, "twice"),
    (b"name,code\na\n", 2, "1 cells"),
    (b"name,code\n\xff\xfe,b\n", 2, "not UTF-8"),
    (b'name,code\n"open,b\n', 2, "not CSV"),
    (b"name,code\na,b\nc,d\ne,f\ng,h\n", 5, "More than 3 rows"),
]


@pytest.mark.parametrize(("content", "line", "words"), FAULTS)
def test_a_bad_file_is_refused_with_its_line(
    content: bytes, line: int, words: str
) -> None:
    _rows, errors = read_csv(content, NAMES, 3)
    assert errors[0].row == line
    assert words in errors[0].message


@pytest.mark.parametrize(
    "content",
    [b"name,code\na,b\n", b"\xef\xbb\xbfname;code\r\na;b\r\n", b"name\tcode\na\tb\n\n"],
)
def test_the_usual_kinds_of_csv_are_read(content: bytes) -> None:
    rows, errors = read_csv(content, NAMES, 3)
    assert errors == []
    assert [row for _line, row in rows] == [{"name": "a", "code": "b"}]


def test_a_quoted_line_break_does_not_shift_the_line_numbers() -> None:
    rows, _errors = read_csv(b'name,code,notes\na,b,"one\ntwo"\nc,d,e\n', NAMES, 9)
    assert [line for line, _row in rows] == [2, 4]


def test_one_bad_row_keeps_all_out_and_every_fault_is_shown(
    client_of: Signed, admin: User
) -> None:
    content = b"name,code\ngood,good\nbad,not a slug!\n,empty\n"
    file = SimpleUploadedFile("idcs.csv", content, "text/csv")
    answer = client_of(admin).post(IDC.url("import"), {"file": file})
    assert answer.status_code == 422
    assert {(error.row, error.column) for error in answer.context["errors"]} == {
        (3, "code"),
        (4, "name"),
    }
    assert not Idc.objects.exists()
    assert not AuditEntry.objects.filter(verb="idc.create").exists()
