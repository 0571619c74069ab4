"""Site map of what is no resource's endpoint, below /api/v1/."""

from django.urls import path

from cmdb import api, network_api, relation_api

app_name = "cmdb_api"
urlpatterns = [
    path("relations/", relation_api.Relations.as_view(), name="relations"),
    path(
        "relations/<int:pk>/", relation_api.OneRelation.as_view(), name="relation_one"
    ),
    path(
        "impact/<str:path>/<int:pk>/",
        relation_api.Impact.as_view(),
        name="impact_of",
    ),
    path(
        "subnets/<int:pk>/next-free/",
        network_api.NextFreeAddress.as_view(),
        name="subnet_next_free",
    ),
    path(
        "inventory/prometheus/",
        api.PrometheusTargets.as_view(),
        name="prometheus_targets",
    ),
    path(
        "inventory/ansible/", api.AnsibleInventory.as_view(), name="ansible_inventory"
    ),
]
