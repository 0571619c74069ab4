"""Site map of what speaks Prometheus' languages."""

from django.urls import path

from monitor.prometheus import api, query_api

app_name = "prom"
API = "api/prom/api/v1/"
urlpatterns = [
    path("metrics", api.OwnMetrics.as_view(), name="own_metrics"),
    path("api/prom/write", api.Write.as_view(), name="write"),
    path(f"{API}query", query_api.Query.as_view(), name="query"),
    path(f"{API}query_range", query_api.QueryRange.as_view(), name="query_range"),
    path(f"{API}series", query_api.Series.as_view(), name="series"),
    path(f"{API}labels", query_api.Labels.as_view(), name="labels"),
    path(
        f"{API}label/<str:name>/values",
        query_api.LabelValues.as_view(),
        name="label_values",
    ),
    path(f"{API}metadata", query_api.Metadata.as_view(), name="metadata"),
    path(f"{API}status/buildinfo", query_api.BuildInfo.as_view(), name="buildinfo"),
]
