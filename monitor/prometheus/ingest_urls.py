"""What a process of ADMINSET_ROLE=ingest answers of Prometheus: it is written to, and says how it is itself."""

from django.urls import path

from monitor.prometheus import api

app_name = "prom"
urlpatterns = [
    path("metrics", api.OwnMetrics.as_view(), name="own_metrics"),
    path("api/prom/write", api.Write.as_view(), name="write"),
]
