"""Site map of the room."""

from django.urls import path

from adminset.crud.urls import pages
from cmdb import resources, views

app_name = "cmdb"
urlpatterns = [
    path("card/", views.card, name="card"),
    path("agents/<int:pk>/revoke/", views.agent_revoke, name="agent_revoke"),
    path("agents/<int:pk>/admit/", views.agent_admit, name="agent_admit"),
    path("agents/<int:pk>/refuse/", views.agent_refuse, name="agent_refuse"),
    path("agents/<int:pk>/link/", views.agent_link, name="agent_link"),
    path("enrolment-tokens/add/", views.enrolmenttoken_add, name="enrolmenttoken_add"),
    path(
        "enrolment-tokens/<int:pk>/revoke/",
        views.enrolmenttoken_revoke,
        name="enrolmenttoken_revoke",
    ),
    *pages(resources.HOST),
    *pages(resources.IDC),
    *pages(resources.CABINET),
    *pages(resources.HOST_GROUP),
    *pages(resources.ASSET_STATUS),
    *pages(resources.CREDENTIAL),
    *pages(resources.AGENT),
    *pages(resources.ENROLMENT_TOKEN),
]
