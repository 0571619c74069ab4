"""Site map of the room."""

from django.urls import path

from adminset.crud.resource import share_panel
from adminset.crud.urls import pages
from cmdb import (
    conflict_views,
    cost_views,
    expiry_views,
    group_views,
    legacy_views,
    network_views,
    quality_views,
    relation_views,
    views,
)
from cmdb.resources import finance, names, network, organisation, software
from cmdb.resources import hosts as resources
from cmdb.resources.identity import IDENTITY_CONFLICT
from cmdb.resources.relations import PANEL, RELATION_KIND, has_relations

share_panel(has_relations, PANEL)

app_name = "cmdb"
DECISIONS = ("accept", "merge", "split", "reimaged", "clone", "dismiss", "undo")
urlpatterns = [
    path("card/", views.card, name="card"),
    # AdminSet's own addresses, to the letter: the first has no slash at its end.
    path("collect", legacy_views.collect, name="collect"),
    path("gethost/", legacy_views.gethost, name="gethost"),
    path("getgroup/", legacy_views.getgroup, name="getgroup"),
    path(
        "objects/<str:path>/<int:pk>/relations/add/",
        relation_views.related_add,
        name="related_add",
    ),
    path("objects/<str:path>/<int:pk>/impact/", relation_views.impact, name="impact"),
    path(
        "objects/<str:path>/<int:pk>/impact/data/",
        relation_views.impact_data,
        name="impact_data",
    ),
    path(
        "relations/<int:pk>/delete/",
        relation_views.relation_delete,
        name="relation_delete",
    ),
    path(
        "host-groups/preview/", group_views.hostgroup_preview, name="hostgroup_preview"
    ),
    path("dashboard/", quality_views.dashboard_page, name="dashboard"),
    path("dashboard/chart/", quality_views.dashboard_chart, name="dashboard_chart"),
    path("quality/", quality_views.quality_page, name="quality"),
    path("quality/card/", quality_views.quality_card, name="quality_card"),
    path("expiry/", expiry_views.expiry_page, name="expiry"),
    path("expiry/month/", expiry_views.expiry_calendar, name="expiry_calendar"),
    path("expiry/card/", expiry_views.expiry_card, name="expiry_card"),
    path("costs/report/", cost_views.cost_report, name="cost_report"),
    path("costs/report/chart/", cost_views.cost_chart, name="cost_chart"),
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
    path(
        "subnets/<int:pk>/reserve/", network_views.subnet_reserve, name="subnet_reserve"
    ),
    path(
        "certificates/<int:pk>/check/",
        network_views.certificate_check,
        name="certificate_check",
    ),
    *(
        path(
            f"identity-conflicts/<int:pk>/{decision}/",
            getattr(conflict_views, decision),
            name=f"identityconflict_{decision}",
        )
        for decision in DECISIONS
    ),
    *pages(IDENTITY_CONFLICT),
    *pages(RELATION_KIND),
    *pages(resources.HOST),
    *pages(resources.IDC),
    *pages(resources.CABINET),
    *pages(resources.CABINET_RESERVATION),
    *pages(resources.HOST_GROUP),
    *pages(resources.ASSET_STATUS),
    *pages(resources.CREDENTIAL),
    *pages(resources.AGENT),
    *pages(resources.ENROLMENT_TOKEN),
    *(url for each in organisation.ALL for url in pages(each)),
    *(url for each in (*finance.ALL, *software.ALL) for url in pages(each)),
    *(url for each in (*network.ALL, *names.ALL) for url in pages(each)),
]
