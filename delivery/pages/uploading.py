"""Sending an archive that a project is delivered from."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from adminset.errors import DomainError
from adminset.http import form_refuses, requires
from delivery.deploy_forms import UploadForm
from delivery.models import Pipeline
from delivery.pages.finding import environments_to, find
from delivery.pages.showing import of_pipeline
from delivery.sources import uploads


@requires("delivery.add_deploy")
@require_http_methods(["GET", "HEAD", "POST"])
def pipeline_upload(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an archive, keep it under its SHA-256, and lead back to the deploy."""
    user: Any = request.user
    pipeline = find(Pipeline, user, pk)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and not environments_to(user, pipeline).exists():
        form.add_error(
            None, _("You may not deploy to any environment of this project.")
        )
    elif request.method == "POST" and form.is_valid():
        try:
            kept = _kept(user, pipeline, form)
        except DomainError as error:
            form_refuses(form, error)
        else:
            messages.success(request, _("%(name)s is kept.") % {"name": kept.name})
            address = reverse("delivery:pipeline_deploy", args=[pk])
            return redirect(f"{address}?ref_kind=upload&ref={kept.sha256}")
    context = of_pipeline(pipeline, _("Upload an archive")) | {
        "form": form,
        "cancel_url": reverse("delivery:pipeline_deploy", args=[pk]),
        "submit_title": _("Upload"),
    }
    status = 422 if form.errors else 200
    return render(request, "generic/form.html", context, status=status)


def _kept(user: Any, pipeline: Pipeline, form: UploadForm) -> uploads.Upload:
    sent = form.cleaned_data["archive"]
    return uploads.keep(
        actor=user,
        project=pipeline.project,
        name=sent.name,
        chunks=sent.chunks(),
        sha256=form.cleaned_data["sha256"],
    )
