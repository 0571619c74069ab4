"""Site map of the room."""

from django.urls import path

from adminset.crud.urls import pages
from tasks.resources import PLAYBOOKS, RUNS, SCHEDULES
from tasks.views import hosts, launch, schedules, watch

app_name = "tasks"
urlpatterns = [
    path("card/", watch.card, name="card"),
    path("runs/add/", launch.run_add, name="run_add"),
    path("runs/<int:pk>/", watch.run_detail, name="run_detail"),
    path("runs/<int:pk>/cancel/", launch.run_cancel, name="run_cancel"),
    path("runs/<int:pk>/again/", launch.run_again, name="run_again"),
    path("runs/<int:pk>/output/", watch.run_output, name="run_output"),
    path("runs/<int:pk>/download/", watch.run_download, name="run_download"),
    # A run has a page of its own.
    *(page for page in pages(RUNS) if page.name != "run_detail"),
    path("playbooks/<int:pk>/run/", schedules.playbook_run, name="playbook_run"),
    *pages(PLAYBOOKS),
    path(
        "schedules/<int:pk>/run-now/",
        schedules.schedule_run_now,
        name="schedule_run_now",
    ),
    path(
        "schedules/<int:pk>/enable/", schedules.schedule_enable, name="schedule_enable"
    ),
    path(
        "schedules/<int:pk>/disable/",
        schedules.schedule_disable,
        name="schedule_disable",
    ),
    *pages(SCHEDULES),
    path("hosts/<int:pk>/key/", hosts.host_key, name="host_key"),
    path("hosts/<int:pk>/run/", hosts.host_run, name="host_run"),
]
