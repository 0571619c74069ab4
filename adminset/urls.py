"""The site map: rooms are named as strings; the REST endpoints follow from their resources."""

from django.urls import include, path
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView

from adminset import csp, views
from adminset.crud import api, bulk, choices, revert_views, view_pages
from adminset.imports import views as imports

urlpatterns = [
    path("", views.home, name="home"),
    path("search/", views.search, name="search"),
    path("system/state/", views.system_state, name="system_state"),
    path("system/maintenance/", views.maintenance_switch, name="maintenance"),
    path("csp-report/", csp.csp_report, name="csp_report"),
    path("choices/<slug:path>/", choices.choices, name="choices"),
    path("bulk/<int:pk>/", bulk.job_page, name="bulk_job"),
    path("views/<slug:path>/", view_pages.views_page, name="saved_views"),
    path("views/<slug:path>/<int:pk>/", view_pages.view_page, name="saved_view"),
    path("changes/<int:pk>/revert/", revert_views.change_revert, name="change_revert"),
    path(
        "changes/<int:pk>/revert-request/",
        revert_views.request_revert,
        name="request_revert",
    ),
    path("reverts/<slug:key>/", revert_views.revert_progress, name="revert_progress"),
    path("imports/", imports.import_list, name="import_list"),
    path("imports/<int:pk>/", imports.import_plan, name="import_plan"),
    path("imports/<int:pk>/bad-rows/", imports.bad_rows, name="import_bad_rows"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("i18n/set-language/", set_language, name="set_language"),
    path("system/", include("adminset.webhook_urls")),
    path("accounts/", include("accounts.urls")),
    path("cmdb/", include("cmdb.urls")),
    path("appconf/", include("appconf.urls")),
    path("tasks/", include("tasks.urls")),
    path("monitor/", include("monitor.urls")),
    path("delivery/", include("delivery.urls")),
    path("api/agent/v1/", include("monitor.agent_urls")),
    path("hb/", include("monitor.heartbeat_urls")),
    path("status/", include("monitor.status_urls")),
    path("agent/", include("monitor.agent_download_urls")),
    path("", include("monitor.prometheus.urls")),
    path("api/v1/", include("accounts.api_urls")),
    path("api/v1/", include("cmdb.api_urls")),
    path("api/v1/", include("appconf.api_urls")),
    path("api/v1/", include("tasks.api_urls")),
    path("api/v1/", include("monitor.api_urls")),
    path("api/v1/", include("delivery.api_urls")),
]
# Behind the rooms: only now all resources are known.
urlpatterns += [
    path("api/v1/", include((api.routes(), "api"))),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
]

handler400 = views.bad_request
handler403 = views.permission_denied
handler404 = views.not_found
handler500 = views.server_error
