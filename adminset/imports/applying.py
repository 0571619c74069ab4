"""Applies a plan: judges every row once more, writes all of them in one transaction, or none."""

import logging
import uuid
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit, context
from adminset.crud.resource import Resource
from adminset.errors import DomainError
from adminset.gathering import gathering
from adminset.import_models import ImportPlan, ImportRow
from adminset.imports import work
from adminset.imports.judging import Judge, Judged
from adminset.imports.plans import may_work, resource_of
from adminset.imports.rehearsal import outside, write
from adminset.imports.together import write_together

logger = logging.getLogger(__name__)
State = ImportPlan.State
Kind = ImportRow.Kind
# So many rows are named that stand in the way; the others are seen when the plan is made anew.
MOST_NAMED = 1000


class _Refused(Exception):
    """Rows stand in the way; nothing is kept."""

    def __init__(self, rows: list[ImportRow]) -> None:
        super().__init__(len(rows))
        self.rows = rows


@dataclass
class _Application:
    """One try to apply one plan."""

    job: work.Work
    resource: Resource
    user: Any
    hindrances: list[Judged] = field(default_factory=list)
    done: int = 0

    def run(self) -> None:
        """Write everything.

        Raises:
            _Refused: some rows are no longer as planned, or are refused by a rule.
        """
        self._lock()
        for chunk in Judge(self.job.plan, self.resource, self.user).chunks():
            self._compare(chunk)
            # Once something stands in the way the rest is only looked at, so that all of it is named.
            if not self.hindrances:
                self._write([judged for judged in chunk if judged.writes])
            self.done += len(chunk)
            self.job.say(self.done)
        if self.hindrances:
            raise _Refused([j.as_row(self.job.plan) for j in self.hindrances])

    def _lock(self) -> None:
        """Keep others from changing the objects between the look at them and the write."""
        if not connection.features.has_select_for_update:
            return
        rows = ImportRow.objects.filter(plan=self.job.plan, kind=Kind.UPDATE)
        ids = rows.order_by().values("target_id")
        held = self.resource.model._base_manager.select_for_update().filter(pk__in=ids)
        list(held.order_by("pk").values_list("pk"))

    def _compare(self, chunk: list[Judged]) -> None:
        """Hold each row against what the plan has shown: what differs has changed since."""
        rows = ImportRow.objects.filter(
            plan=self.job.plan,
            line__gte=chunk[0].row.line,
            line__lte=chunk[-1].row.line,
        )
        planned = {row.line: row for row in rows}
        for judged in chunk:
            now, then = judged.as_row(self.job.plan), planned.get(judged.row.line)
            if then is None or _outcome(now) != _outcome(then):
                if judged.kind != Kind.ERROR:
                    judged.fail(_drift(now, then), kind=Kind.CONFLICT)
                self.hindrances.append(judged)

    def _write(self, writing: list[Judged]) -> None:
        with gathering() as waiting:
            for judged in writing:
                try:
                    write(self.resource, self.user, judged, self.job.plan.file_name)
                except DatabaseError as error:
                    raise _Refused([judged.as_row(self.job.plan)]) from error
        if all(judged.writes for judged in writing):
            write_together(waiting)
            outside(self.resource, self.user, writing)
        self.hindrances += [judged for judged in writing if not judged.writes]


def _outcome(row: ImportRow) -> tuple[Any, ...]:
    return row.kind, row.target_id, row.changes


def _drift(now: ImportRow, then: ImportRow | None) -> str:
    if then is None or now.target_id != then.target_id or now.kind != then.kind:
        words = dict(Kind.choices)
        said = _("Changed since the plan was made: then %(then)s, now %(now)s.")
        shown = {"then": words[then.kind] if then else "-", "now": words[now.kind]}
        return said % shown
    was = {each["field"]: each for each in then.changes}
    fields = [e["field"] for e in now.changes if was.pop(e["field"], None) != e]
    said = _("Somebody has changed this object since the plan was made: %(fields)s.")
    return said % {"fields": ", ".join([*fields, *was])}


def apply_plan(*, pk: int) -> None:
    """Apply a plan that was asked for; every line of the trail bears one request id, so that all of it can be taken back."""
    job = work.take(pk, State.APPLYING, State.QUEUED)
    if job is None:
        return
    name = job.plan.file_name
    known = replace(
        context.current.get(), request_id=uuid.uuid4().hex, reason=f"import {name}"
    )
    token = context.current.set(known)
    try:
        with work.speaking_to_owner(job.plan):
            _try(job, known.request_id)
    finally:
        context.current.reset(token)


def _try(job: work.Work, request_id: str) -> None:
    try:
        with transaction.atomic():
            _apply(job, request_id)
    except _Refused as refused:
        _tell(job, refused.rows)
    except DomainError as error:
        job.end(State.REFUSED, message=f"{error.message} {error.hint}".strip())
    except Exception:
        logger.exception("import %s could not be applied", job.plan.pk)
        said = _("Something went wrong on our side; the log has the details.")
        job.end(State.FAILED, message=said)


def _apply(job: work.Work, request_id: str) -> None:
    plan = job.plan
    resource, user = resource_of(plan), may_work(plan)
    _Application(job, resource, user).run()
    told = {"rows": plan.row_count, **plan.counts}
    told |= {"file": plan.file_name, "sha256": plan.file_sha256}
    changes = [{"field": f, "old": None, "new": told[f]} for f in told if told[f]]
    audit.record(user, f"{resource.model_name}.import", resource.model, changes=changes)
    ended = job.end(
        State.APPLIED, applied_at=timezone.now(), request_id=request_id, message=""
    )
    if not ended:
        raise DomainError(_("Another worker has taken this import over."))


def _tell(job: work.Work, rows: list[ImportRow]) -> None:
    """Put into the plan why it was refused: the rows that stand in the way, counted anew."""
    plan = job.plan
    with transaction.atomic():
        for row in rows[:MOST_NAMED]:
            ImportRow.objects.filter(plan=plan, line=row.line).update(
                kind=row.kind, changes=row.changes, errors=row.errors
            )
        counts = {
            str(kind): ImportRow.objects.filter(plan=plan, kind=kind).count()
            for kind in Kind
        }
        said = _(
            "Nothing was changed: %(count)s rows are no longer as the plan has shown them, or were refused."
        )
        job.end(State.REFUSED, counts=counts, message=said % {"count": len(rows)})
