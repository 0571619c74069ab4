"""What waits for somebody's word, what somebody waits for, what was decided; and one approval in full."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from adminset.errors import DomainError
from adminset.http import ask_for_proof, form_refuses, needs_proof, requires
from adminset.navigation import tabs_for
from adminset.texts import number_of
from tasks.approvals import beside
from tasks.approvals.deciding import why_not
from tasks.approvals.forms import VoteForm
from tasks.approvals.resources import TABS
from tasks.models import Approval, Run, WorkflowRun, WorkflowStepRun
from tasks.workflows import calls

# Permissions by which rows of the inbox are seen.
READS = (
    "tasks.view_approval",
    "delivery.view_deploy",
    "appconf.view_configversion",
)


def waiting_for(user: Any) -> Any:
    """Give what waits for a user's word, what expires first on top."""
    rows = Approval.objects.visible_to(user, "decide").open()
    return rows.exclude(votes__user=user).order_by("expires_at", "pk")


def _shelves(user: Any) -> dict[str, tuple[Any, str, dict[str, Any]]]:
    """Give the parts of the inbox: title, order, rows by kind."""
    seen = Approval.objects.visible_to(user)
    asked = seen.filter(requested_by=user).annotate(at=F("created_at"))
    decided = seen.exclude(status=Approval.Status.WAITING)
    decided = decided.annotate(at=Coalesce("decided_at", "created_at"))
    waiting = waiting_for(user).annotate(at=F("expires_at"))
    parts = {
        "waiting": (_("Waiting for me"), "at", waiting),
        "mine": (_("Asked by me"), "-at", asked),
        "decided": (_("Decided"), "-at", decided),
    }
    return {
        name: (title, order, beside.shelf(name, user, rows))
        for name, (title, order, rows) in parts.items()
    }


def _rows(keys: list[int]) -> dict[int, beside.Row]:
    rows = Approval.objects.filter(pk__in=keys).defer("detail", "seals")
    return {row.pk: _row(row) for row in rows}


def _row(approval: Approval) -> beside.Row:
    return beside.Row(
        title=approval.title,
        url=approval.get_absolute_url(),
        state=approval.state,
        status=str(approval.get_status_display()),
        asked_by=approval.requested_by_name,
        rule=approval.rule_name,
        asked_at=approval.created_at,
        expires_at=approval.expires_at,
    )


# Who asks for deploys or approves them, or versions of configuration, has a part of the inbox. Deciding asks for the fresh
# proof itself; whether reading does hangs on the permissions by which rows are seen, not on the one that let somebody in.
@requires(
    READS[0],
    "delivery.decide_deploy",
    "delivery.add_deploy",
    "appconf.approve_configversion",
    proof=False,
)
@require_safe
def approval_inbox(request: Any) -> HttpResponse:
    """Show what waits for the reader, what the reader asked for, what was decided."""
    held = [each for each in READS if request.user.has_perm(each)]
    if any(needs_proof(request, each) for each in held):
        return ask_for_proof(request)
    shelves = _shelves(request.user)
    chosen = request.GET.get("show", "waiting")
    chosen = chosen if chosen in shelves else "waiting"
    _title, order, rows = shelves[chosen]
    page = beside.sheet(rows, order, number_of(request.GET.get("page", "")) or 1)
    title = _("Approvals")
    context = {
        "page_title": title,
        "crumbs": [(title, None)],
        "tabs": tabs_for(request, TABS),
        "parts": _parts(shelves, chosen),
        "chosen": chosen,
        "page": page,
        "rows": beside.drawn(page.keys, _rows),
    }
    return render(request, "tasks/approvals/inbox.html", context)


def _parts(shelves: Mapping[str, Any], chosen: str) -> list[dict[str, Any]]:
    count = sum(rows.count() for rows in shelves["waiting"][2].values())
    return [
        {
            "title": f"{title} ({count})" if key == "waiting" else title,
            "url": f"?show={key}",
            "active": key == chosen,
        }
        for key, (title, _order, _listed) in shelves.items()
    ]


def _find(request: HttpRequest, pk: int) -> Approval:
    approval = Approval.objects.visible_to(request.user).filter(pk=pk).first()
    if approval is None:
        raise Http404(_("There is no such approval."))
    return approval


@requires("tasks.view_approval")
@require_safe
def approval_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show in full what will run, who has spoken, and the reader's buttons."""
    return _page(request, _find(request, pk), VoteForm())


def _page(request: Any, approval: Approval, form: VoteForm) -> HttpResponse:
    votes = list(approval.votes.all())
    spoken = any(vote.user_id == request.user.pk for vote in votes)
    open_yet = approval.status == Approval.Status.WAITING and not spoken
    why = why_not(request.user, approval) if open_yet else ""
    context = {
        "page_title": approval.title,
        "crumbs": [
            (_("Approvals"), reverse("tasks:approval_inbox")),
            (approval.title, None),
        ],
        "approval": approval,
        "votes": votes,
        "given": sum(vote.verdict == "approve" for vote in votes),
        "form": form,
        "subject": _subject(request.user, approval),
        "can_decide": open_yet and not why,
        "why": why,
    }
    status = 422 if form.errors else 200
    return render(request, "tasks/approvals/detail.html", context, status=status)


def _subject(user: Any, approval: Approval) -> Any:
    """Give what it is for, where the reader may see it."""
    if approval.kind == "run":
        return Run.objects.visible_to(user).filter(pk=approval.object_id).first()
    runs = WorkflowStepRun.objects.filter(pk=approval.object_id)
    seen = WorkflowRun.objects.visible_to(user)
    return seen.filter(pk__in=runs.values("workflow_run")).first()


@requires("tasks.decide_approval")
@require_POST
def approval_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the reader's word; a fresh proof of who is there is asked for before."""
    approval = _find(request, pk)
    # Words are given by people at the portal: a token is in a program's hands.
    if getattr(request.user, "token", None) is not None:
        raise PermissionDenied("tasks.decide_approval")
    form = VoteForm(request.POST)
    if not form.is_valid():
        return _page(request, approval, form)
    try:
        decided = calls.enqueue_vote(
            actor=request.user, approval=approval, **form.cleaned_data
        )
    except DomainError as error:
        approval.refresh_from_db()
        form_refuses(form, error)
        return _page(request, approval, form)
    words = _("%(name)s: %(status)s.")
    told = {"name": decided.title, "status": decided.get_status_display()}
    messages.success(request, words % told)
    return redirect("tasks:approval_inbox")
