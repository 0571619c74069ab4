"""Site map of what is no resource's endpoint, below /api/v1/."""

from django.urls import path

from tasks.library import api as library
from tasks.recording_pages import api_urls as recording
from tasks.run_api import urls as runs
from tasks.scheduling import api as scheduling
from tasks.taskmodules import api as taskmodules
from tasks.terminal_pages import sessions_api as terminal_sessions
from tasks.workflows import api as workflows

app_name = "tasks_api"
urlpatterns = [
    *runs.urlpatterns,
    *recording.urlpatterns,
    path(
        "task-modules/<int:pk>/form/",
        taskmodules.ModuleForm.as_view(),
        name="taskmodule_form",
    ),
    path("workflows/<int:pk>/start/", workflows.Start.as_view(), name="workflow_start"),
    path(
        "workflows/<int:pk>/definition/",
        workflows.Definition.as_view(),
        name="workflow_definition",
    ),
    path(
        "workflow-runs/<int:pk>/steps/",
        workflows.Steps.as_view(),
        name="workflowrun_steps",
    ),
    path(
        "workflow-runs/<int:pk>/cancel/",
        workflows.Cancel.as_view(),
        name="workflowrun_cancel",
    ),
    path(
        "workflow-runs/<int:pk>/resume/",
        workflows.Resume.as_view(),
        name="workflowrun_resume",
    ),
    path(
        "terminal-sessions/<int:pk>/kill/",
        terminal_sessions.Kill.as_view(),
        name="terminalsession_kill",
    ),
    path(
        "terminal-sessions/<int:pk>/lock/",
        terminal_sessions.Lock.as_view(),
        name="terminalsession_lock",
    ),
    path(
        "terminal-sessions/<int:pk>/unlock/",
        terminal_sessions.Unlock.as_view(),
        name="terminalsession_unlock",
    ),
    path(
        "workflow-runs/<int:pk>/steps/<slug:key>/retry/",
        workflows.Retry.as_view(),
        name="workflowrun_retry",
    ),
    path(
        "workflow-runs/<int:pk>/steps/<slug:key>/skip/",
        workflows.Skip.as_view(),
        name="workflowrun_skip",
    ),
    path(
        "schedules/<int:pk>/run-now/",
        scheduling.RunNow.as_view(),
        name="schedule_run_now",
    ),
    path(
        "schedules/<int:pk>/pause/", scheduling.Pause.as_view(), name="schedule_pause"
    ),
    path(
        "schedules/<int:pk>/resume/",
        scheduling.Resume.as_view(),
        name="schedule_resume",
    ),
    path(
        "git-repositories/<int:pk>/fetch/",
        library.Fetch.as_view(),
        name="gitsource_fetch",
    ),
    path(
        "versions/<int:pk>/approve/", library.Approve.as_view(), name="version_approve"
    ),
    path("versions/<int:pk>/retire/", library.Retire.as_view(), name="version_retire"),
    path(
        "versions/<int:pk>/reinstate/",
        library.Reinstate.as_view(),
        name="version_reinstate",
    ),
    path(
        "versions/<int:pk>/download/",
        library.Download.as_view(),
        name="version_download",
    ),
]
