"""Artefacts beside each other, the text of a file in both, and the mark that says that one is bad."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from adminset.errors import DomainError
from adminset.http import form_refuses, requires
from adminset.texts import number_of
from delivery.act_forms import ReasonForm
from delivery.artefacts import comparing, store
from delivery.history import texts
from delivery.history.commits import commits_of
from delivery.models import Artefact, Pipeline
from delivery.pages.finding import find
from delivery.pages.showing import of_artefact
from delivery.safety import marks

OTHERS = 100


@requires("delivery.view_artefact")
@require_safe
def artefact_diff(request: HttpRequest, pk: int) -> HttpResponse:
    """Compare an artefact with another of its project (`?with=`; else the one before): commits and files."""
    artefact = find(Artefact, request.user, pk)
    rows = Artefact.objects.visible_to(request.user).filter(project=artefact.project)
    others = rows.exclude(pk=pk).select_related("project").order_by("-number")
    other = _other(others, artefact, number_of(request.GET.get("with")))
    context = of_artefact(artefact, _("Compare")) | {
        "others": others[:OTHERS],
        "other": other,
        "side": request.GET.get("view") == "side",
        "path": request.GET.get("path", "")[:4096],
    }
    if other is not None:
        older, newer = sorted((other, artefact), key=lambda one: one.number)
        context |= {"older": older, "newer": newer} | _compared(older, newer, context)
    return render(request, "delivery/artefact_diff.html", context)


def _other(others: Any, artefact: Artefact, asked: int | None) -> Artefact | None:
    """Give the one that is asked for, else the one before, else the next."""
    if asked is not None:
        found: Artefact | None = others.filter(pk=asked).first()
        return found
    return others.filter(number__lt=artefact.number).first() or others.last()


def _compared(
    older: Artefact, newer: Artefact, context: dict[str, Any]
) -> dict[str, Any]:
    commits = commits_of(older, newer)
    try:
        was, now = store.manifest(older.sha256), store.manifest(newer.sha256)
    except DomainError as error:
        return {"commits": commits, "problem": error}
    path = context["path"]
    return {
        "commits": commits,
        "files": comparing.compare(was.entries, now.entries),
        "file": texts.diff_of(was, now, path) if path else None,
    }


@requires("delivery.add_deploy")
@require_safe
def artefact_deploy(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead to the form of a deploy with the artefact in it: the same files for another environment."""
    artefact = find(Artefact, request.user, pk)
    rows = Pipeline.objects.visible_to(request.user).filter(is_active=True)
    pipeline = rows.filter(project=artefact.project).order_by("name").first()
    if pipeline is None:
        messages.info(request, _("The project has no pipeline: add one first."))
        return redirect(artefact)
    address = reverse("delivery:pipeline_deploy", args=[pipeline.pk])
    return redirect(f"{address}?ref_kind=artefact&ref={artefact.pk}")


@requires("delivery.change_artefact")
@require_http_methods(["GET", "HEAD", "POST"])
def artefact_mark(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask why an artefact is bad, and mark it."""
    artefact = find(Artefact, request.user, pk, "change")

    def mark(reason: str) -> None:
        marks.mark_bad(actor=request.user, artefact=artefact, reason=reason)

    return _ask(request, artefact, _("Mark bad"), mark)


@requires("delivery.change_artefact")
@require_http_methods(["GET", "HEAD", "POST"])
def artefact_unmark(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask why an artefact is not bad after all, and take the mark away."""
    artefact = find(Artefact, request.user, pk, "change")

    def unmark(reason: str) -> None:
        marks.unmark_bad(actor=request.user, artefact=artefact, reason=reason)

    return _ask(request, artefact, _("Not bad after all"), unmark)


def _ask(request: HttpRequest, artefact: Artefact, verb: str, act: Any) -> HttpResponse:
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            act(form.cleaned_data["reason"])
        except DomainError as error:
            form_refuses(form, error)
        else:
            messages.success(request, _("Saved. Hosts that keep the release are told."))
            return redirect(artefact)
    context = of_artefact(artefact, verb) | {
        "form": form,
        "cancel_url": artefact.get_absolute_url(),
        "submit_title": verb,
    }
    status = 422 if form.errors else 200
    return render(request, "generic/form.html", context, status=status)
