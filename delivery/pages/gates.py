"""The metrics that a gate may ask: those that the hosts of a project send, for the form of a pipeline."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from adminset.http import requires
from adminset.texts import number_of
from delivery.safety.metrics_sent import offered


@requires(
    "delivery.add_pipeline",
    "delivery.change_pipeline",
    "delivery.add_pipelinetemplate",
    "delivery.change_pipelinetemplate",
)
@require_safe
def gate_metrics(request: HttpRequest) -> HttpResponse:
    """Draw what hosts send: those of the chosen project; of all, where the form has no project."""
    project = number_of(request.GET.get("project"))
    has_project = "project" in request.GET
    names = [] if has_project and not project else offered(request.user, project)
    return render(request, "delivery/_metrics.html", {"names": names})
