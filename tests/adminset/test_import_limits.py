"""Files that are small and claim to be huge: refused at once, with the reason, whatever they would cost."""

import io
import re
import zipfile
from collections.abc import Callable

import pytest
from django.test import Client
from openpyxl import Workbook

from accounts.models import User
from adminset.import_models import ImportPlan
from cmdb.resources.hosts import HOST
from tests.adminset.importing import plan_of, send

Signed = Callable[[User], Client]
pytestmark = pytest.mark.django_db


def _with_row_number(number: int) -> bytes:
    book = Workbook()
    book.active.append(["hostname"])
    book.active.append(["web1"])
    plain, made = io.BytesIO(), io.BytesIO()
    book.save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(made, "w") as new:
        for part in old.infolist():
            content = old.read(part)
            if part.filename.endswith("sheet1.xml"):
                text = content.decode().replace('r="2"', f'r="{number}"')
                content = re.sub(r'r="A2"', f'r="A{number}"', text).encode()
            new.writestr(part, content)
    return made.getvalue()


@pytest.mark.parametrize("number", [300_000, 4_000_000_000])
def test_a_second_row_that_claims_to_be_the_millionth_is_refused(
    client_of: Signed, admin: User, number: int
) -> None:
    answer = send(client_of(admin), HOST, _with_row_number(number), name="rows.xlsx")
    assert answer.status_code == 422
    assert "blank lines" in answer.context["errors"][0].message
    assert not ImportPlan.objects.exists()


def test_a_few_blank_lines_are_no_harm(client_of: Signed, admin: User) -> None:
    plan = plan_of(client_of(admin), HOST, _with_row_number(30), name="rows.xlsx")
    assert list(plan.rows.values_list("line", flat=True)) == [30]


@pytest.mark.parametrize("column", ["hostname", "a"])
def test_a_header_of_too_many_columns_is_refused_before_they_are_named(
    client_of: Signed, admin: User, column: str
) -> None:
    content = ",".join([column] * 200_000) + "\nx\n"
    answer = send(client_of(admin), HOST, content)
    assert answer.status_code == 422
    [error] = answer.context["errors"]
    assert "200000 columns" in error.message
    assert not ImportPlan.objects.exists()
