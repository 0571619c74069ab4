"""Every write of a plan: made of a file, looked through, applied as a whole or not at all, thrown away."""

import hashlib
import logging
from dataclasses import astuple
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from adminset.audit_seal import clean
from adminset.crud.resource import Resource, all_resources
from adminset.errors import Conflict, DomainError, Forbidden
from adminset.import_models import ImportPlan, ImportRow
from adminset.imports import work
from adminset.imports.csv_file import read_csv
from adminset.imports.judging import Judge
from adminset.imports.keys import ID
from adminset.imports.problems import whole
from adminset.imports.rehearsal import is_worth_it, rehearse
from adminset.imports.sheet import Header, Sheet
from adminset.imports.workbook import MAGIC, OLD_MAGIC, read_xlsx

logger = logging.getLogger(__name__)
State = ImportPlan.State
Kind = ImportRow.Kind
BATCH = 500


def resource_of(plan: ImportPlan) -> Resource:
    """Give the resource whose objects a plan makes and changes.

    Raises:
        Conflict: there is none any more that may be imported.
    """
    for each in all_resources():
        if each.path == plan.resource and "import" in each.verbs:
            return each
    raise Conflict(_("Such objects can no longer be imported."), code="gone")


def read_file(content: bytes, header: Header, encoding: str, key: str) -> Sheet:
    """Read an uploaded file, CSV or XLSX by what is in it.

    Raises:
        Unreadable: says where and why.
    """
    if len(content) > settings.IMPORT_MAX_BYTES:
        most = settings.IMPORT_MAX_BYTES // 1024
        said = _("The file is larger than %(most)s KiB: split it.") % {"most": most}
        raise whole(said)
    if content.startswith(OLD_MAGIC):
        raise whole(
            _(
                "This is an Excel file of the old kind (XLS), or one with a password. Save it as XLSX without a password."
            )
        )
    if content.startswith(MAGIC):
        sheet = read_xlsx(content, header)
    else:
        sheet = read_csv(content, header, encoding)
    wanted = key.split(",") if key else []
    missing = [name for name in wanted if name not in sheet.names]
    if missing:
        said = _("The file has no column %(names)s, by which its rows are to be known.")
        raise whole(said % {"names": ", ".join(missing)}, 1)
    if ID in sheet.names and key != ID:
        raise whole(
            _(
                "The column id counts only where it is chosen as the key: choose it, or take the column out."
            ),
            1,
        )
    return sheet


def make_plan(
    *, actor: Any, resource: Resource, sheet: Sheet, file: Any, key: str
) -> ImportPlan:
    """Keep what a file holds, to be looked through.

    Args:
        file: the upload (name, bytes are read again for their hash).
    """
    file.seek(0)
    plan = ImportPlan(
        owner=actor,
        resource=resource.path,
        file_name=clean(str(file.name))[-150:],
        file_sha256=hashlib.sha256(file.read()).hexdigest(),
        encoding=sheet.encoding,
        separator=sheet.separator,
        sheet=sheet.title,
        key=key,
        row_count=len(sheet.rows),
        language=get_language() or "",
    )
    rows = [[r.line, r.cells, [astuple(f) for f in r.faults]] for r in sheet.rows]
    plan.content = {"header": sheet.header, "names": sheet.names, "rows": rows}
    plan.save()
    return plan


def look_through(*, pk: int) -> None:
    """Work out what each row would do and keep it; nothing else is written."""
    job = work.take(pk, State.PLANNING, State.WAITING)
    if job is None:
        return
    with work.speaking_to_owner(job.plan):
        try:
            counts = _keep_judged(job)
        except DomainError as error:
            job.end(State.FAILED, message=f"{error.message} {error.hint}".strip())
        except Exception:
            logger.exception("import %s could not be planned", pk)
            job.end(
                State.FAILED,
                message=_("Something went wrong on our side; the log has the details."),
            )
        else:
            job.end(State.PLANNED, counts=counts)


def _keep_judged(job: work.Work) -> dict[str, int]:
    plan = job.plan
    user = may_work(plan)
    resource = resource_of(plan)
    ImportRow.objects.filter(plan=plan).delete()
    counts = {str(kind): 0 for kind in Kind}
    done = 0
    trying = is_worth_it(resource, user, plan.row_count)
    for judged in Judge(plan, resource, user).chunks():
        if trying:
            rehearse(resource, user, judged, plan.file_name)
        rows = [each.as_row(plan) for each in judged]
        ImportRow.objects.bulk_create(rows, BATCH)
        for row in rows:
            counts[str(row.kind)] += 1
        done += len(rows)
        job.say(done)
    return counts


def may_work(plan: ImportPlan) -> Any:
    """Give the owner, who may have lost his or her rights since.

    Raises:
        Forbidden: so it is.
    """
    user, resource = plan.owner, resource_of(plan)
    held = [a for a in ("add", "change") if user.has_perm(resource.permission(a))]
    if not user.is_active or not held:
        raise Forbidden(_("You may not import this any more."))
    return user


def again(*, actor: Any, plan: ImportPlan) -> None:
    """Have a plan looked through once more, after a refusal or when its worker is lost.

    Raises:
        Conflict: somebody works at it, or it is applied.
    """
    lost = [plan.state] if work.is_lost(plan) else []
    open_again = [State.PLANNED, State.REFUSED, State.FAILED, *lost]
    changed = ImportPlan.objects.of(actor).filter(pk=plan.pk, state__in=open_again)
    if not changed.update(state=State.WAITING, claim="", claimed_at=timezone.now()):
        raise _busy()
    plan.refresh_from_db()


def queue(*, actor: Any, plan: ImportPlan) -> None:
    """Ask for a plan to be applied.

    Raises:
        Conflict: it holds rows that cannot be applied, or is not ready.
    """
    if plan.state == State.PLANNED and not plan.can_apply:
        raise Conflict(
            _("This plan cannot be applied: all of its rows, or none."),
            _("Mend the rows that are marked, then send the file again."),
            code="has_errors",
        )
    rows = ImportPlan.objects.of(actor).filter(pk=plan.pk, state=State.PLANNED)
    if not rows.update(state=State.QUEUED, claim="", claimed_at=timezone.now()):
        raise _busy()
    plan.refresh_from_db()


def _busy() -> Conflict:
    return Conflict(
        _("This import is being worked at, or is done."),
        _("Look at how it stands first."),
        code="busy",
    )


def discard(*, actor: Any, plan: ImportPlan) -> None:
    """Throw a plan away; what was applied stays.

    Raises:
        Conflict: a worker is at it.
    """
    with transaction.atomic():
        rows = ImportPlan.objects.of(actor).select_for_update().filter(pk=plan.pk)
        found = rows.first()
        if found is None or (found.is_open and not work.is_lost(found)):
            raise _busy()
        found.delete()


def purge_old() -> None:
    """Forget files and plans that are older than ADMINSET_IMPORT_KEEP_DAYS; the trail keeps what they did."""
    before = timezone.now() - timedelta(days=settings.IMPORT_KEEP_DAYS)
    for plan in ImportPlan.objects.filter(created_at__lt=before).defer("packed"):
        plan.delete()
