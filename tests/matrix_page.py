"""The page docs/permissions.md: read for tests/test_matrix.py, and written by `make permissions`."""

from collections.abc import Iterator
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "permissions.md"
COLUMNS = (
    "anonymous",
    "stranger",
    "auditor",
    "operator, in scope",
    "operator, out of scope",
    "administrator",
)
Statuses = tuple[str, ...]


def rows_of_page() -> Iterator[tuple[str, str, str, Statuses]]:
    """Read docs/permissions.md: (url name, method, permission, statuses)."""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            name, method, permission = (cell.strip("`") for cell in cells[:3])
            yield name, method, permission, tuple(cells[3:])


HEAD = """# Who gets what

Every url, API method and web socket, asked for real as six people; `make permissions` writes this page and tests/test_matrix.py asks again
at every `make test`. A url without a row fails the tests.

- **stranger** may sign in and holds nothing; **auditor** and **operator** hold the shipped roles of these names, the auditor everywhere,
  the operator on one host group; *in scope* asks for an object of that group, *out of scope* for one of another. Objects that belong to
  no group (users, roles, IDCs, statuses) are the same in both columns.
- Bodies are empty: what is let in answers 200, 201, 302 (done, on to the next page), 400 or 422 (let in, and the empty form refused),
  409 (let in, and something stands in the way), 503 (let in; tests/test_matrix.py runs without a metric store). *sign in* leads to the sign-in page; 401 says so to machines; 403: known, and may not;
  404: there is no such object, or not for you; 405: no such method here.

"""


def page(rows: dict[tuple[str, str], tuple[str, Statuses]]) -> str:
    """Write the page from (url name, method) -> (permission, statuses)."""
    lines = [
        f"| url | method | permission | {' | '.join(COLUMNS)} |",
        "|" + "---|" * (len(COLUMNS) + 3),
    ]
    for (name, method), (permission, statuses) in rows.items():
        shown = f"`{permission}`" if permission else "-"
        lines.append(f"| `{name}` | {method} | {shown} | {' | '.join(statuses)} |")
    return HEAD + "\n".join(lines) + "\n"
