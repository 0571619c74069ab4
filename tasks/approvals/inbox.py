"""What waits for somebody's word, what somebody waits for, what was decided; and one approval in full."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from adminset.errors import DomainError
from adminset.http import requires
from adminset.navigation import tabs_for
from tasks.approvals.deciding import why_not
from tasks.approvals.forms import VoteForm
from tasks.approvals.resources import TABS
from tasks.models import Approval, Run, WorkflowRun, WorkflowStepRun
from tasks.workflows import calls

PAGE = 50


def waiting_for(user: Any) -> Any:
    """Give what waits for a user's word, what expires first on top."""
    rows = Approval.objects.visible_to(user, "decide").open()
    return rows.exclude(votes__user=user).order_by("expires_at", "pk")


def _shelves(user: Any) -> dict[str, tuple[Any, Any]]:
    seen = Approval.objects.visible_to(user)
    decided = seen.exclude(status=Approval.Status.WAITING)
    return {
        "waiting": (_("Waiting for me"), waiting_for(user)),
        "mine": (_("Asked by me"), seen.filter(requested_by=user)),
        "decided": (_("Decided"), decided.order_by("-decided_at", "-pk")),
    }


@requires("tasks.view_approval")
@require_safe
def approval_inbox(request: Any) -> HttpResponse:
    """Show what waits for the reader, what the reader asked for, what was decided."""
    shelves = _shelves(request.user)
    chosen = request.GET.get("show", "waiting")
    chosen = chosen if chosen in shelves else "waiting"
    count = shelves["waiting"][1].count()
    parts = [
        {
            "title": f"{title} ({count})" if key == "waiting" else title,
            "url": f"?show={key}",
            "active": key == chosen,
        }
        for key, (title, _rows) in shelves.items()
    ]
    page = Paginator(shelves[chosen][1].defer("detail"), PAGE).get_page(
        request.GET.get("page")
    )
    title = _("Approvals")
    context = {
        "page_title": title,
        "crumbs": [(title, None)],
        "tabs": tabs_for(request, TABS),
        "parts": parts,
        "chosen": chosen,
        "page": page,
    }
    return render(request, "tasks/approvals/inbox.html", context)


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
        form.add_error(None, f"{error.message} {error.hint}".strip())
        return _page(request, approval, form)
    words = _("%(name)s: %(status)s.")
    told = {"name": decided.title, "status": decided.get_status_display()}
    messages.success(request, words % told)
    return redirect("tasks:approval_inbox")
