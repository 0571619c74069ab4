"""Site map of a process that answers agents and nobody else (ADMINSET_ROLE=ingest)."""

from django.http import HttpRequest, JsonResponse
from django.urls import include, path

from adminset import views
from adminset.errors import DomainError
from adminset.http import error_response
from cmdb import legacy_views as machines
from monitor import legacy_views as measurements

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("api/agent/v1/", include("monitor.agent_urls")),
    path("", include("monitor.prometheus.ingest_urls")),
    # AdminSet's own addresses, to the letter; closed unless switched on.
    path("cmdb/collect", machines.collect, name="collect"),
    path("monitor/received/sys/info/", measurements.received_sys_info, name="received"),
]


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Answer what is no address of agents."""
    error = DomainError(
        "There is nothing here but what agents report to.",
        "The pages are answered by the portal itself.",
        code="not_found",
        status=404,
    )
    return error_response(error)


def broken(request: HttpRequest) -> JsonResponse:
    """Answer a fault of ours."""
    error = DomainError(
        "The portal could not take this report.",
        "Its log says why.",
        code="internal",
        status=500,
    )
    return error_response(error)


handler404, handler500 = "monitor.ingest_urls.not_found", "monitor.ingest_urls.broken"
