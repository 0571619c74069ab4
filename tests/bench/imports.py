"""An import of 10,000 hosts as CSV: the plan and its carrying out, of new rows, of changed rows and of rows that change nothing.

Against PostgreSQL: `DATABASE_URL=postgres://... make bench imports`.
"""

import resource
import time
from pathlib import Path
from unittest import mock

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import (
    get_runner,
    setup_test_environment,
    teardown_test_environment,
)

from accounts.models import User
from adminset.http import PROVED_AT
from adminset.import_models import ImportPlan
from adminset.imports import applying, plans, views
from cmdb.models import AssetStatus
from cmdb.resources.hosts import HOST
from tests.bench.figures import Figure
from tests.factories import make_cabinet, make_group, make_idc

ROWS = 10_000
HEADER = "hostname,address,kind,status,idc,cabinet,groups,serial,asset_number,owner,purchased_on,notes"


def run(folder: Path) -> list[Figure]:
    """Send the file through the page and carry the plan out as the worker does."""
    setup_test_environment()
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        user = _fill()
        client = Client()
        client.force_login(user)
        session = client.session
        session[PROVED_AT] = time.time()
        session.save()
        # The worker's part is called below, in this process.
        with mock.patch.object(views, "send_import"):
            rounds = (("new", "ops"), ("changed", "dev"), ("unchanged", "dev"))
            figures = [_import(client, user, name, owner) for name, owner in rounds]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return [*figures, Figure(_name("memory"), round(peak, 1), "MiB")]
    finally:
        runner.teardown_databases(databases)
        teardown_test_environment()


def _fill() -> User:
    idc = make_idc("B1")
    for number in range(40):
        make_cabinet(idc, name=f"R{number}")
    make_group("web")
    make_group("db")
    AssetStatus.objects.create(name="in use")
    user: User = User.objects.create_superuser("bench", None)
    return user


def _import(client: Client, user: User, what: str, owner: str) -> Figure:
    lines = "\n".join([HEADER, *(_line(n, owner) for n in range(ROWS))])
    file = SimpleUploadedFile("hosts.csv", lines.encode())
    began = time.perf_counter()
    answer = client.post(HOST.url("import"), {"file": file, "key": "serial"})
    assert answer.status_code == 302, answer.context["errors"]
    plan = ImportPlan.objects.latest("pk")
    plans.look_through(pk=plan.pk)
    planned = time.perf_counter() - began
    plan.refresh_from_db()
    if what != "unchanged":
        plans.queue(actor=user, plan=plan)
        applying.apply_plan(pk=plan.pk)
        plan.refresh_from_db()
        assert plan.state == ImportPlan.State.APPLIED, plan.message
    took = time.perf_counter() - began
    context = f"of it {planned:.1f} s for the plan"
    return Figure(_name(f"{ROWS:,} {what} rows"), round(took, 1), "s", "60", context)


def _line(number: int, owner: str) -> str:
    address = f"10.{number // 62500 % 250}.{number // 250 % 250}.{number % 250 + 1}"
    return (
        f"h{number}.example.net,{address},physical,in use,B1,R{number % 40},web; db,SN{number:08d},A{number},{owner},"
        f"2024-01-0{number % 9 + 1},note {number}"
    )


def _name(what: str) -> str:
    return f"import ({connection.vendor}): {what}"
