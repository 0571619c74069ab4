"""From a request to a deploy: what to bring where, the plan of it, and the yes. What asks a source is done by a worker while the page looks."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from adminset.errors import DomainError
from adminset.http import is_htmx, requires
from appconf.models import Environment
from delivery.asked import keeping
from delivery.asked.asking import ask
from delivery.deploy_forms import ConfirmForm, DeployForm
from delivery.models import Deploy, Pipeline
from delivery.pages.finding import environments_to, find
from delivery.pages.preflights import found_before
from delivery.pages.showing import of_pipeline
from delivery.planning import preflight
from delivery.planning.shown import shown_plan
from delivery.sources.uploads import uploads_of
from tasks.models import Run

PLAN, BEGIN, REFS = "plan", "begin", "refs"
# Artefacts and uploads that are offered.
OFFERED = 200
# Kinds of references that only the source knows; the others stand in the database.
OF_SOURCE = (Deploy.RefKind.BRANCH, Deploy.RefKind.TAG, Deploy.RefKind.COMMIT)


@requires("delivery.add_deploy")
@require_http_methods(["GET", "HEAD", "POST"])
def pipeline_deploy(request: Any, pk: int) -> HttpResponse:
    """Ask where and what; then have the plan made."""
    pipeline = find(Pipeline, request.user, pk)
    data = request.POST if request.method == "POST" else None
    initial = {
        name: request.GET.get(name) for name in ("environment", "ref_kind", "ref")
    }
    form = DeployForm(data, user=request.user, pipeline=pipeline, initial=initial)
    if request.method == "POST" and form.is_valid():
        question = ask(request.user, PLAN, form.about())
        return redirect("delivery:pipeline_plan", pk, question.key)
    context = of_pipeline(pipeline, _("Deploy")) | {
        "form": form,
        "refs": reverse("delivery:pipeline_refs", args=[pk]),
        "environments": environments_to(request.user, pipeline).exists(),
    }
    status = 422 if form.errors else 200
    return render(request, "delivery/pipeline_deploy.html", context, status=status)


@requires("delivery.add_deploy")
@require_safe
def pipeline_refs(request: Any, pk: int) -> HttpResponse:
    """Give what can be chosen: branches, tags, commits since live (asked of the source by a worker), or kept artefacts."""
    pipeline = find(Pipeline, request.user, pk)
    kind = request.GET.get("ref_kind", "")
    ref = request.GET.get("ref", "")[:200]
    context: dict[str, Any] = {"pipeline": pipeline, "ref_kind": kind, "ref": ref}
    if kind == Deploy.RefKind.ARTEFACT:
        form = DeployForm(user=request.user, pipeline=pipeline)
        context["artefacts"] = form.artefacts()[:OFFERED]
        return render(request, "delivery/_refs.html", context)
    if kind == Deploy.RefKind.UPLOAD:
        context["uploads"] = uploads_of(pipeline.project)[:OFFERED]
        return render(request, "delivery/_refs.html", context)
    if kind not in OF_SOURCE:
        return render(request, "delivery/_refs.html", context)
    key = request.GET.get("key", "")
    question = keeping.find_of(request.user, key, REFS) if key else None
    if question is None:
        question = ask(request.user, REFS, _about_refs(request, pipeline, kind))
    context |= {"question": question, "found": question.answer or {}}
    return render(request, "delivery/_refs.html", context)


def _about_refs(request: Any, pipeline: Pipeline, kind: str) -> dict[str, Any]:
    seen = environments_to(request.user, pipeline)
    asked = request.GET.get("environment", "")
    pk = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 16 else 0
    environment = seen.filter(pk=pk).first()
    about = {"pipeline": pipeline.pk, "ref_kind": kind}
    branch = request.GET.get("branch", "")[:200]
    return about | {
        "environment": environment.pk if environment else None,
        "branch": branch,
    }


@requires("delivery.add_deploy")
@require_http_methods(["GET", "HEAD", "POST"])
def pipeline_plan(request: Any, pk: int, key: str) -> HttpResponse:
    """Show the plan once it is made, and take the yes to it."""
    pipeline = find(Pipeline, request.user, pk)
    question = keeping.find_of(request.user, key, PLAN)
    if question is None or question.about["pipeline"] != pipeline.pk:
        messages.info(request, _("That plan is forgotten. Ask for it again."))
        return redirect("delivery:pipeline_deploy", pk)
    plan = shown_plan(request.user, question.answer or {})
    form = _confirm_form(request, question)
    if request.method == "POST" and plan is not None and form.is_valid():
        told = plan.told
        seen = {"plan_hash": told["hash"], "kind": told["kind"], "back": request.path}
        about = question.about | form.cleaned_data | seen
        begun = ask(request.user, BEGIN, about)
        return redirect("delivery:pipeline_begin", pk, begun.key)
    context = of_pipeline(pipeline, _("Before it is delivered")) | {
        "question": question,
        "plan": plan,
        "form": form,
        "back": _back_address(pipeline, question),
        "may_override": request.user.has_perm("delivery.emergency_deploy"),
    }
    template = "_plan_page" if is_htmx(request) else "pipeline_plan"
    status = 422 if form.errors else 200
    return render(request, f"delivery/{template}.html", context, status=status)


@requires("delivery.add_deploy")
@require_http_methods(["GET", "HEAD", "POST"])
def pipeline_checks(request: Any, pk: int, key: str) -> HttpResponse:
    """Have the hosts of a plan checked (POST), and tell what was found so far; nothing is changed on them."""
    pipeline = find(Pipeline, request.user, pk)
    question = keeping.find_of(request.user, key, PLAN)
    if question is None or question.about["pipeline"] != pipeline.pk:
        return render(request, "delivery/_preflight.html", {"forgotten": True})
    context: dict[str, Any] = {"pipeline": pipeline, "question": question}
    try:
        run = _preflight(request, question)
    except DomainError as error:
        return render(request, "delivery/_preflight.html", context | {"problem": error})
    plan = shown_plan(request.user, question.answer or {})
    if run is not None and plan is not None:
        context |= {"run": run} | found_before(run, plan)
    return render(request, "delivery/_preflight.html", context)


def _preflight(request: Any, question: keeping.Question) -> Run | None:
    """Give the run that checks the hosts of a plan, begun now by a POST; None where nobody asked for one."""
    if request.method == "POST" and question.answer:
        environments = Environment.objects.visible_to(request.user)
        environment = environments.filter(pk=question.about["environment"]).first()
        if environment is None:
            return None
        number = int(question.about.get("checks", 0)) + 1
        made = preflight.ask_checks(
            actor=request.user,
            environment=environment,
            plan=question.answer,
            key=f"{question.key}.{number}",
        )
        told = {"checks": number, "check_run": made.pk}
        keeping.keep(replace(question, about=question.about | told))
        return made
    return Run.objects.filter(pk=question.about.get("check_run", 0)).first()


def _confirm_form(request: Any, question: keeping.Question) -> ConfirmForm:
    closed = (question.answer or {}).get("closed", "")
    data = request.POST if request.method == "POST" else None
    return ConfirmForm(data, closed=bool(closed))


def _back_address(pipeline: Pipeline, question: keeping.Question) -> str:
    """Lead back to the form with what was asked."""
    kept = {
        name: question.about.get(name) or ""
        for name in ("environment", "ref_kind", "ref")
    }
    return (
        f"{reverse('delivery:pipeline_deploy', args=[pipeline.pk])}?{urlencode(kept)}"
    )


@requires("delivery.add_deploy")
@require_safe
def pipeline_begin(request: Any, pk: int, key: str) -> HttpResponse:
    """Wait until a worker has made the plan once more and written the deploy down; then lead there."""
    pipeline = find(Pipeline, request.user, pk)
    question = keeping.find_of(request.user, key, BEGIN)
    if question is None or question.about["pipeline"] != pipeline.pk:
        messages.info(
            request, _("That is forgotten. Look among the deploys whether it began.")
        )
        return redirect("delivery:deploy_list")
    if question.state == keeping.ANSWERED:
        return _there(
            request, reverse("delivery:deploy_detail", args=[question.answer])
        )
    context = of_pipeline(pipeline, _("It is asked for")) | {
        "question": question,
        "back": question.about.get("back", ""),
        "again": _back_address(pipeline, question),
    }
    template = "_begin" if is_htmx(request) else "pipeline_begin"
    return render(request, f"delivery/{template}.html", context)


def _there(request: Any, address: str) -> HttpResponse:
    if not is_htmx(request):
        return redirect(address)
    answer = HttpResponse(status=200)
    answer["HX-Redirect"] = address
    return answer
