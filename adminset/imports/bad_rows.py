"""The rows of a plan that cannot be taken, as a CSV file with a column that says why: mended there, it may be sent again."""

import csv
from collections.abc import Iterator

from django.utils.translation import gettext as _

from adminset.crud.export import Line, harmless
from adminset.import_models import ImportPlan, ImportRow
from adminset.imports.judging import sheet_of
from adminset.imports.sheet import ERROR_COLUMN


def as_csv(plan: ImportPlan) -> Iterator[str]:
    """Give the file line by line."""
    sheet = sheet_of(plan)
    kinds = (ImportRow.Kind.ERROR, ImportRow.Kind.CONFLICT)
    bad = dict(plan.rows.filter(kind__in=kinds).values_list("line", "errors"))
    keep = [n for n, name in enumerate(sheet.names) if name]
    writer = csv.writer(Line())
    # Spreadsheets read UTF-8 only behind a byte order mark.
    yield "\ufeff" + writer.writerow([*(sheet.header[n] for n in keep), ERROR_COLUMN])
    for row in sheet.rows:
        if row.line in bad:
            cells = [row.cells[n] if n < len(row.cells) else "" for n in keep]
            said = "; ".join(_sentence(row.line, each) for each in bad[row.line])
            yield writer.writerow([harmless(cell) for cell in (*cells, said)])


def _sentence(line: int, error: dict[str, str]) -> str:
    place = _("line %(line)s") % {"line": line}
    where = f"{place}, {error['column']}" if error["column"] else place
    return f"{where}: {error['message']}"
