"""Site map of the room."""

from django.urls import path

from adminset.crud.urls import pages
from tasks.approvals import urls as approvals
from tasks.guard import urls as guard
from tasks.hooks import urls as hooks
from tasks.hostfiles import urls as hostfiles
from tasks.launching import urls as launching
from tasks.library import urls as library
from tasks.recording_pages import urls as recording
from tasks.resources import RUNS
from tasks.scheduling import urls as scheduling
from tasks.sites import urls as sites
from tasks.taskmodules import urls as taskmodules
from tasks.terminal_pages import sessions_urls as terminal_sessions
from tasks.terminal_pages import terminal_urls as terminals
from tasks.views import control, hosts, launch, watch
from tasks.watching import urls as watching
from tasks.workflows import urls as workflows

app_name = "tasks"
urlpatterns = [
    path("card/", watch.card, name="card"),
    *launching.urlpatterns,
    path("runs/<int:pk>/", watch.run_detail, name="run_detail"),
    path("runs/<int:pk>/cancel/", launch.run_cancel, name="run_cancel"),
    path("runs/<int:pk>/pause/", control.run_pause, name="run_pause"),
    path("runs/<int:pk>/resume/", control.run_resume, name="run_resume"),
    path("runs/<int:pk>/again/", launch.run_again, name="run_again"),
    path("runs/<int:pk>/output/", watch.run_output, name="run_output"),
    path("runs/<int:pk>/download/", watch.run_download, name="run_download"),
    *watching.urlpatterns,
    # A run has a page of its own.
    *(page for page in pages(RUNS) if page.name != "run_detail"),
    *library.urlpatterns,
    *scheduling.urlpatterns,
    *taskmodules.urlpatterns,
    *workflows.urlpatterns,
    *approvals.urlpatterns,
    *hooks.urlpatterns,
    *guard.urlpatterns,
    *sites.urlpatterns,
    *terminals.urlpatterns,
    *terminal_sessions.urlpatterns,
    *recording.urlpatterns,
    *hostfiles.urlpatterns,
    path("hosts/<int:pk>/key/", hosts.host_key, name="host_key"),
    path("hosts/<int:pk>/run/", hosts.host_run, name="host_run"),
]
