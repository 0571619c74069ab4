"""Site map of what is no resource's endpoint, below /api/v1/."""

from django.urls import path

from delivery.rest import (
    configs,
    deploying,
    places,
    retrying,
    sets,
    uploading,
    watching,
)

app_name = "delivery_api"
urlpatterns = [
    path(
        "pipelines/<int:pk>/plan/",
        deploying.AskPlan.as_view(),
        name="pipeline_plan_ask",
    ),
    path(
        "pipelines/<int:pk>/plan/<str:key>/",
        deploying.Plan.as_view(),
        name="pipeline_plan",
    ),
    path(
        "pipelines/<int:pk>/deploy/", deploying.Begin.as_view(), name="pipeline_deploy"
    ),
    path(
        "deploy-requests/<int:pk>/", deploying.Requested.as_view(), name="deployrequest"
    ),
    path("deploys/<int:pk>/status/", watching.Status.as_view(), name="deploy_status"),
    path("deploys/<int:pk>/log/", watching.Log.as_view(), name="deploy_log"),
    path("deploys/<int:pk>/cancel/", watching.Cancel.as_view(), name="deploy_cancel"),
    path("deploys/<int:pk>/pause/", watching.Pause.as_view(), name="deploy_pause"),
    path("deploys/<int:pk>/resume/", watching.Resume.as_view(), name="deploy_resume"),
    path("deploys/<int:pk>/retry/", retrying.Retry.as_view(), name="deploy_retry"),
    path("environments/<int:pk>/live/", places.Live.as_view(), name="environment_live"),
    path(
        "environments/<int:pk>/rollback/",
        places.Rollback.as_view(),
        name="environment_rollback",
    ),
    path(
        "environments/<int:pk>/config-plan/",
        configs.Plan.as_view(),
        name="environment_config_plan",
    ),
    path(
        "environments/<int:pk>/config-push/",
        configs.Push.as_view(),
        name="environment_config_push",
    ),
    path(
        "environments/<int:pk>/config-read/",
        configs.Read.as_view(),
        name="environment_config_read",
    ),
    path(
        "config-pushes/<int:pk>/cancel/",
        configs.Cancel.as_view(),
        name="configpush_cancel",
    ),
    path(
        "artefacts/<int:pk>/mark-bad/", places.MarkBad.as_view(), name="artefact_mark"
    ),
    path(
        "artefacts/<int:pk>/unmark-bad/",
        places.UnmarkBad.as_view(),
        name="artefact_unmark",
    ),
    path(
        "projects/<int:pk>/uploads/",
        uploading.Uploads.as_view(),
        name="project_uploads",
    ),
    path(
        "projects/<int:pk>/uploads/<str:ticket>/",
        uploading.Piece.as_view(),
        name="project_piece",
    ),
    path(
        "projects/<int:pk>/uploads/<str:ticket>/finish/",
        uploading.Finish.as_view(),
        name="project_finish",
    ),
    path("release-sets/<int:pk>/start/", sets.Start.as_view(), name="releaseset_start"),
    path("release-sets/runs/<int:pk>/", sets.Going.as_view(), name="setrun"),
    path(
        "release-sets/runs/<int:pk>/cancel/",
        sets.Cancel.as_view(),
        name="setrun_cancel",
    ),
    path(
        "release-sets/runs/<int:pk>/take-back/",
        sets.TakeBack.as_view(),
        name="setrun_take_back",
    ),
]
