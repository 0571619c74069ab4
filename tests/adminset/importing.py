"""Sends a file to the import page of a resource and looks at the plan, as a browser would."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from adminset.crud.resource import Resource
from adminset.import_models import ImportPlan, ImportRow


def send(client: Client, resource: Resource, content: bytes | str, **sent: str) -> Any:
    """Send a file; `key`, `encoding` and `name` as in the form."""
    raw = content.encode() if isinstance(content, str) else content
    file = SimpleUploadedFile(sent.pop("name", "rows.csv"), raw)
    return client.post(resource.url("import"), {"file": file, **sent})


def plan_of(
    client: Client, resource: Resource, content: bytes | str, **sent: str
) -> ImportPlan:
    """Send a file that can be read, and give its plan."""
    answer = send(client, resource, content, **sent)
    assert answer.status_code == 302, [e.message for e in answer.context["errors"]]
    return ImportPlan.objects.get(pk=int(answer["Location"].strip("/").split("/")[-1]))


def kinds(plan: ImportPlan) -> dict[int, str]:
    """Give line -> what becomes of it."""
    return dict(plan.rows.values_list("line", "kind"))


def errors(plan: ImportPlan) -> dict[tuple[int, str], str]:
    """Give (line, column) -> what is wrong."""
    rows = ImportRow.objects.filter(plan=plan)
    return {
        (row.line, each["column"]): each["message"]
        for row in rows
        for each in row.errors
    }


def do(client: Client, plan: ImportPlan, what: str = "apply") -> Any:
    """Press a button of the plan's page; the plan is then as it stands."""
    answer = client.post(f"/imports/{plan.pk}/", {"do": what})
    if what != "discard":
        plan.refresh_from_db()
    return answer
