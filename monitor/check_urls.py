"""Site map of service checks, heartbeats and status pages, for the room's own."""

from django.urls import path

from adminset.crud.urls import pages
from monitor.checks import views as checks
from monitor.checks.resources import SERVICE_CHECK
from monitor.heartbeats import views as heartbeats
from monitor.heartbeats.resources import HEARTBEAT
from monitor.status import manage
from monitor.status.resources import STATUS_ITEM, STATUS_NOTE, STATUS_PAGE

urlpatterns = [
    path(
        "service-checks/<int:pk>/ask/", checks.servicecheck_ask, name="servicecheck_ask"
    ),
    path(
        "service-checks/<int:pk>/pause/",
        checks.servicecheck_pause,
        name="servicecheck_pause",
    ),
    path(
        "service-checks/<int:pk>/resume/",
        checks.servicecheck_resume,
        name="servicecheck_resume",
    ),
    path(
        "heartbeats/<int:pk>/rotate/",
        heartbeats.heartbeat_rotate,
        name="heartbeat_rotate",
    ),
    path(
        "heartbeats/<int:pk>/pause/", heartbeats.heartbeat_pause, name="heartbeat_pause"
    ),
    path(
        "heartbeats/<int:pk>/resume/",
        heartbeats.heartbeat_resume,
        name="heartbeat_resume",
    ),
    path("status-pages/<int:pk>/open/", manage.statuspage_open, name="statuspage_open"),
    *pages(SERVICE_CHECK),
    *pages(HEARTBEAT),
    *pages(STATUS_PAGE),
    *pages(STATUS_ITEM),
    *pages(STATUS_NOTE),
]
