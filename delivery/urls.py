"""Site map of the room."""

from django.urls import path

from adminset.crud.urls import pages
from delivery.configs.urls import urlpatterns as configs
from delivery.githooks.door import githook_in
from delivery.pages import (
    applications,
    artefacts,
    choosing,
    control,
    deep_look,
    deploying,
    deploys,
    figures,
    gates,
    host_locks,
    live,
    locking,
    promoting,
    rules,
    source_keys,
    uploading,
)
from delivery.releasesets import views as sets
from delivery.releasesets.resources import RELEASE_SETS
from delivery.resources import ARTEFACTS, DEPLOYS, PIPELINE_TEMPLATES, PIPELINES
from delivery.triggers import views as triggers
from delivery.triggers.resources import DEPLOY_SCHEDULES, FOLLOW_UPS, GIT_HOOKS

app_name = "delivery"
urlpatterns = [
    path("card/", deploys.card, name="card"),
    path("live/", live.live, name="live"),
    path("figures/", figures.dora, name="dora"),
    path("pipelines/rules/", rules.pipeline_rules, name="pipeline_rules"),
    path("pipelines/metrics/", gates.gate_metrics, name="gate_metrics"),
    path(
        "pipelines/<int:pk>/deploy/", deploying.pipeline_deploy, name="pipeline_deploy"
    ),
    path(
        "pipelines/<int:pk>/references/", deploying.pipeline_refs, name="pipeline_refs"
    ),
    path(
        "pipelines/<int:pk>/plan/<str:key>/",
        deploying.pipeline_plan,
        name="pipeline_plan",
    ),
    path(
        "pipelines/<int:pk>/plan/<str:key>/checks/",
        deploying.pipeline_checks,
        name="pipeline_checks",
    ),
    path(
        "pipelines/<int:pk>/begin/<str:key>/",
        deploying.pipeline_begin,
        name="pipeline_begin",
    ),
    path(
        "pipelines/<int:pk>/upload/", uploading.pipeline_upload, name="pipeline_upload"
    ),
    path("pipelines/<int:pk>/log/", deploys.pipeline_log, name="pipeline_log"),
    *pages(PIPELINES),
    *pages(PIPELINE_TEMPLATES),
    path("deploys/<int:pk>/", deploys.deploy_detail, name="deploy_detail"),
    path("deploys/<int:pk>/panel/", deploys.deploy_panel, name="deploy_panel"),
    path("deploys/<int:pk>/decide/", control.deploy_decide, name="deploy_decide"),
    path("deploys/<int:pk>/pause/", control.deploy_pause, name="deploy_pause"),
    path("deploys/<int:pk>/resume/", control.deploy_resume, name="deploy_resume"),
    path("deploys/<int:pk>/cancel/", control.deploy_cancel, name="deploy_cancel"),
    path("deploys/<int:pk>/retry/", control.deploy_retry, name="deploy_retry"),
    # A deploy has a page of its own.
    *(page for page in pages(DEPLOYS) if page.name != "deploy_detail"),
    path("projects/<int:pk>/deploy/", choosing.project_deploy, name="project_deploy"),
    path(
        "projects/<int:pk>/forget-keys/",
        source_keys.project_forget_keys,
        name="project_forget_keys",
    ),
    path("builds/<int:pk>/", deploys.build_detail, name="build_detail"),
    path("builds/<int:pk>/output/", deploys.build_output, name="build_output"),
    path("artefacts/<int:pk>/compare/", artefacts.artefact_diff, name="artefact_diff"),
    path(
        "artefacts/<int:pk>/deploy/", artefacts.artefact_deploy, name="artefact_deploy"
    ),
    path(
        "artefacts/<int:pk>/promote/",
        promoting.artefact_promote,
        name="artefact_promote",
    ),
    path("artefacts/<int:pk>/mark/", artefacts.artefact_mark, name="artefact_mark"),
    path(
        "artefacts/<int:pk>/unmark/", artefacts.artefact_unmark, name="artefact_unmark"
    ),
    *pages(ARTEFACTS),
    path(
        "environments/<int:pk>/deploy/",
        choosing.environment_deploy,
        name="environment_deploy",
    ),
    path("environments/<int:pk>/live/", live.environment_live, name="environment_live"),
    path(
        "environments/<int:pk>/charts/",
        applications.environment_charts,
        name="environment_charts",
    ),
    path("environments/<int:pk>/read/", live.environment_read, name="environment_read"),
    path(
        "environments/<int:pk>/compare/",
        deep_look.environment_compare,
        name="environment_compare",
    ),
    path(
        "environments/<int:pk>/rollback/",
        live.environment_rollback,
        name="environment_rollback",
    ),
    path(
        "environments/<int:pk>/lock/", locking.environment_lock, name="environment_lock"
    ),
    path(
        "environments/<int:pk>/hosts/<int:host>/unlock/",
        host_locks.host_unlock,
        name="host_unlock",
    ),
    path("locks/", locking.deploylock_list, name="deploylock_list"),
    path(
        "locks/<int:pk>/release/",
        locking.deploylock_release,
        name="deploylock_release",
    ),
    path("locks/<int:pk>/break/", locking.deploylock_break, name="deploylock_break"),
    *configs,
    path("in/<slug:key>/", githook_in, name="githook_in"),
    *triggers.urlpatterns,
    *pages(DEPLOY_SCHEDULES),
    *pages(FOLLOW_UPS),
    *pages(GIT_HOOKS),
    *sets.urlpatterns,
    *pages(RELEASE_SETS),
]
