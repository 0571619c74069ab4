"""Files as they really come: dirty CSV that explains each of its problems, workbooks, and files made to do harm."""

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from django.test import Client
from openpyxl import Workbook

from accounts.models import User
from adminset.import_models import ImportPlan
from adminset.imports import workbook
from adminset.imports.problems import Unreadable
from adminset.imports.sheet import Header
from cmdb.models import Host
from cmdb.resources.hosts import HOST, IDC
from tests.adminset.importing import do, errors, kinds, plan_of, send

Signed = Callable[[User], Client]
pytestmark = pytest.mark.django_db


def test_a_really_dirty_file_explains_each_of_its_problems(
    client_of: Signed, admin: User
) -> None:
    client = client_of(admin)
    # What a spreadsheet of an old Mac leaves: CR line ends, Latin-1, a doubled header.
    rows = [
        "hostname;serial;asset_number;purchased_on;owner;serial",
        "web1;1.23E+11;A1;45292;Jos\xe9;x",
    ]
    first = send(client, HOST, "\r".join(rows).encode("latin-1"))
    assert first.status_code == 422
    [encoding] = first.context["errors"]
    assert (encoding.line, "Latin-1" in encoding.message) == (2, True)
    assert "José" in encoding.message
    second = send(client, HOST, "\r".join(rows).encode("latin-1"), encoding="latin-1")
    [doubled] = second.context["errors"]
    assert (doubled.line, doubled.column) == (1, "serial")
    assert "columns 2, 6" in doubled.message
    assert not ImportPlan.objects.exists()
    rows = [
        "hostname;serial;asset_number;purchased_on;owner;cpu_threads",
        "web1;1.23E+11;2.5E+3;45292;Jos\xe9;8",
        "web2;#N/A;######;01/02/2024;;many",
        "web3;ok;A3;2024/1/5;ops;16",
        'web4;ok;A4;2024-01-31;"two\rlines";1.2E+1',
        "web5;ok",
    ]
    content = "\r".join(rows).encode("latin-1")
    plan = plan_of(client, HOST, content, encoding="latin-1")
    found = errors(plan)
    assert kinds(plan) == dict.fromkeys((2, 3, 5, 7), "error") | {4: "create"}
    assert "shortened" in found[2, "serial"]
    assert "shortened" in found[2, "asset_number"]
    assert "2024-01-01" in found[2, "purchased_on"]
    assert "its error" in found[3, "serial"]
    assert "too narrow" in found[3, "asset_number"]
    assert "not certain which day" in found[3, "purchased_on"]
    assert "whole number" in found[3, "cpu_threads"]
    assert "shortened" in found[5, "cpu_threads"]
    assert "2 cells, the header 6" in found[7, ""]
    assert len(found) == 9
    page = client.get(f"/imports/{plan.pk}/").content.decode()
    assert "Latin-1" in page
    assert "semicolon" in page


# -- workbooks


def book(*rows: list[Any], title: str = "Hosts") -> bytes:
    made = Workbook()
    made.active.title = title
    for row in rows:
        made.active.append(row)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def test_a_workbook_is_read_value_by_value(client_of: Signed, admin: User) -> None:
    content = book(
        ["hostname", "serial", "purchased_on", "cpu_threads", "notes", None],
        ["a", 123456789012, datetime(2024, 1, 31), 8.0, True],
        [],
        ["b", 1234567890123456789, date(2024, 2, 1), 2.5, None],
        ["c", "007", 45292, 4, "'=1"],
    )
    client = client_of(admin)
    plan = plan_of(client, HOST, content, name="hosts.xlsx")
    assert plan.sheet == "Hosts"
    assert kinds(plan) == {2: "create", 4: "error", 5: "error"}
    assert {column for line, column in errors(plan) if line == 4} == {
        "serial",
        "cpu_threads",
    }
    assert "2024-01-01" in errors(plan)[5, "purchased_on"]
    good = plan_of(client, HOST, book(["hostname", "serial"], ["a", 123456789012]))
    do(client, good)
    assert Host.objects.get().serial == "123456789012"


def test_a_formula_counts_by_its_value_only(client_of: Signed, admin: User) -> None:
    content = book(["name", "code", "notes"], ["a", "a", "=1+1"])
    client = client_of(admin)
    do(client, plan_of(client, IDC, content))
    assert list(IDC.model._default_manager.values_list("notes", flat=True)) == [""]


def damaged() -> bytes:
    return book(["name"], ["x"])[:-40]


def repacked(extra: dict[str, bytes]) -> bytes:
    """Put parts into a workbook, in place of its own."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(book(["name"], ["x"]))) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            if name not in extra:
                new.writestr(name, old.read(name))
        for name, content in extra.items():
            new.writestr(name, content)
    return file.getvalue()


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><sst>&a;</sst>'
HARM = {
    "a bomb": (repacked({"xl/media/a": b"0" * 3 * 2**20}), "larger than 2 MiB"),
    "entities": (repacked({"xl/sharedStrings.xml": LAUGHS}), "entities"),
    "entities in UTF-16": (
        repacked({"xl/sharedStrings.xml": LAUGHS.decode().encode("utf-16")}),
        "entities",
    ),
    "many parts": (repacked({f"p{i}": b"" for i in range(600)}), "too many parts"),
    "a damaged one": (damaged(), "damaged"),
    "no workbook": (repacked({"xl/workbook.xml": b"<x/>"}), "cannot be read"),
    "an old one": (b"\xd0\xcf\x11\xe0rest", "XLS"),
}


@pytest.mark.parametrize("what", HARM)
def test_a_harmful_file_is_refused_in_words(
    client_of: Signed, admin: User, settings: Any, what: str
) -> None:
    settings.IMPORT_MAX_INFLATED_BYTES = 2 * 2**20
    content, words = HARM[what]
    answer = send(client_of(admin), IDC, content, name="x.xlsx")
    assert answer.status_code == 422
    assert words in answer.context["errors"][0].message
    assert not ImportPlan.objects.exists()


def test_a_sheet_that_claims_to_be_endless_costs_nothing() -> None:
    sheet = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row><row r="900000"><c r="A900000" t="inlineStr"><is><t>x</t></is></c></row></sheetData></worksheet>'
    content = repacked({"xl/worksheets/sheet1.xml": sheet})
    with pytest.raises(Unreadable, match="blank lines"):
        workbook.read_xlsx(content, Header({"name": "name"}))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("IMPORT_MAX_BYTES", 10, "larger than"),
        ("IMPORT_MAX_ROWS", 1, "More than 1 rows"),
    ],
)
def test_limits_are_settings(
    client_of: Signed, admin: User, settings: Any, name: str, value: int, words: str
) -> None:
    setattr(settings, name, value)
    answer = send(client_of(admin), IDC, "name,code\na,a\nb,b\n")
    assert answer.status_code == 422
    assert words in answer.context["errors"][0].message


def test_the_key_must_be_a_column_and_the_id_the_key(
    client_of: Signed, admin: User
) -> None:
    client = client_of(admin)
    for file, key in (("name\nx\n", "code"), ("id,name\n1,x\n", "name")):
        assert send(client, IDC, file, key=key).status_code == 422
    assert not ImportPlan.objects.exists()


def test_no_file_is_told(client_of: Signed, admin: User) -> None:
    answer = client_of(admin).post(IDC.url("import"), {})
    assert answer.status_code == 422
    assert "Choose a file" in answer.content.decode()


def test_unreadable_says_the_first_problem() -> None:
    assert str(Unreadable()) == ""
