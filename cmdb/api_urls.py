"""Site map of what is no resource's endpoint, below /api/v1/."""

from django.urls import path

from cmdb import api

app_name = "cmdb_api"
urlpatterns = [
    path(
        "inventory/ansible/", api.AnsibleInventory.as_view(), name="ansible_inventory"
    ),
]
