"""Site map of workflows."""

from django.urls import path

from adminset.crud.urls import pages
from tasks.workflows import run_views, views
from tasks.workflows.resources import WORKFLOW_RUNS, WORKFLOWS

urlpatterns = [
    path("workflows/from-file/", views.workflow_import, name="workflow_import"),
    path("workflows/<int:pk>/start/", views.workflow_start, name="workflow_start"),
    path("workflows/<int:pk>/export/", views.workflow_export, name="workflow_export"),
    path(
        "workflows/<int:pk>/steps/add/",
        views.workflow_step_add,
        name="workflow_step_add",
    ),
    path(
        "workflow-steps/<int:pk>/edit/",
        views.workflowstep_edit,
        name="workflowstep_edit",
    ),
    path(
        "workflow-steps/<int:pk>/delete/",
        views.workflowstep_delete,
        name="workflowstep_delete",
    ),
    *pages(WORKFLOWS),
    path(
        "workflow-runs/<int:pk>/",
        run_views.workflowrun_detail,
        name="workflowrun_detail",
    ),
    path(
        "workflow-runs/<int:pk>/cancel/",
        run_views.workflowrun_cancel,
        name="workflowrun_cancel",
    ),
    path(
        "workflow-runs/<int:pk>/resume/",
        run_views.workflowrun_resume,
        name="workflowrun_resume",
    ),
    path(
        "workflow-runs/<int:pk>/steps/<slug:key>/retry/",
        run_views.workflowrun_retry,
        name="workflowrun_retry",
    ),
    path(
        "workflow-runs/<int:pk>/steps/<slug:key>/skip/",
        run_views.workflowrun_skip,
        name="workflowrun_skip",
    ),
    # A run of a workflow has a page of its own.
    *(page for page in pages(WORKFLOW_RUNS) if page.name != "workflowrun_detail"),
]
