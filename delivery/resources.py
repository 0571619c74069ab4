"""The lists and pages of pipelines, their templates, deploys and artefacts; REST endpoints follow from them."""

from typing import Any

from django.db.models import Max, OuterRef, Prefetch, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from adminset.crud.resource import Action, Resource
from delivery.filters import ArtefactFilter, DeployFilter, PipelineFilter
from delivery.forms import (
    WAY,
    ArtefactForm,
    PipelineForm,
    PipelineTemplateForm,
)
from delivery.models import Artefact, Deploy, Pipeline, PipelineTemplate
from delivery.pages import panels, promoting
from delivery.progress import with_progress
from delivery.safety import guarding
from delivery.tables import (
    ArtefactTable,
    DeployTable,
    PipelineTable,
    PipelineTemplateTable,
)
from delivery.tabs import TABS


class PipelineResource(Resource):
    """Pipelines with their last deploy that the reader may see."""

    def for_list(self, rows: QuerySet, user: Any) -> QuerySet:
        """Bring along the last deploy and its progress, for any number of rows in one query more."""
        seen = Deploy.objects.visible_to(user)
        newest = seen.order_by().values("pipeline").annotate(newest=Max("pk"))
        latest = with_progress(
            seen.filter(pk__in=newest.values("newest"))
            .select_related("environment", "artefact")
            .defer("plan")
        )
        at = seen.filter(pipeline=OuterRef("pk")).order_by("-pk").values("created_at")
        found = super().for_list(rows, user)
        return found.annotate(last_at=Subquery(at[:1])).prefetch_related(
            Prefetch("deploys", queryset=latest, to_attr="latest")
        )


PIPELINES = PipelineResource(
    model=Pipeline,
    table=PipelineTable,
    form=PipelineForm,
    filterset=PipelineFilter,
    path="pipelines",
    icon="rocket",
    search=("name", "description", "project__name", "project__code"),
    tabs=TABS,
    counts={"deploy": "deploys"},
    moves=lambda rows: any(last.is_open for row in rows for last in row.latest),
    list_queryset=lambda rows: rows.select_related("project", "template"),
    detail_fields=(
        "description",
        "project",
        "template",
        "is_active",
        "environments",
        *WAY[1:],
    ),
    bulk_fields=("is_active",),
    panels=panels.OF_PIPELINE,
    actions=(
        Action(
            _("Deploy"),
            "delivery:pipeline_deploy",
            "rocket",
            "delivery.add_deploy",
            when=lambda pipeline: pipeline.is_active,
        ),
        Action(_("Log"), "delivery:pipeline_log", "scroll", "delivery.view_deploy"),
    ),
    row_actions=(
        Action(
            _("Deploy"), "delivery:pipeline_deploy", "rocket", "delivery.add_deploy"
        ),
        Action(_("Log"), "delivery:pipeline_log", "scroll", "delivery.view_deploy"),
    ),
    verbs=frozenset({"add", "change", "delete", "revert"}),
    save=guarding.save_pipeline,
    delete=guarding.delete_pipeline,
)

PIPELINE_TEMPLATES = Resource(
    model=PipelineTemplate,
    table=PipelineTemplateTable,
    form=PipelineTemplateForm,
    path="pipeline-templates",
    icon="clone",
    search=("name", "description"),
    tabs=TABS,
    counts={"pipeline": "pipelines"},
    detail_fields=("name", "description", *WAY[1:]),
    panels=panels.OF_TEMPLATE,
    verbs=frozenset({"add", "change", "delete", "revert"}),
)


def _deploys(rows: QuerySet) -> QuerySet:
    related = ("pipeline__project", "environment__project", "artefact")
    return with_progress(rows.select_related(*related)).defer("plan")


DEPLOYS = Resource(
    model=Deploy,
    table=DeployTable,
    form=PipelineForm,
    filterset=DeployFilter,
    path="deploys",
    icon="truck-fast",
    search=(
        "ref",
        "commit",
        "reason",
        "requested_by_name",
        "pipeline__name",
        "pipeline__project__name",
        "environment__name",
    ),
    tabs=TABS,
    # Sentences may name hosts that not everybody sees: `status/` tells them, without those names.
    api_fields=(
        "pipeline",
        "environment",
        "artefact",
        "kind",
        "ref_kind",
        "ref",
        "commit",
        "branch",
        "reason",
        "trigger",
        "status",
        "plan_hash",
        "emergency_reason",
        "requested_by_name",
        "created_at",
        "started_at",
        "ended_at",
        "cancel_requested_at",
        "cancelled_by_name",
        "retried_from",
    ),
    list_queryset=_deploys,
    verbs=frozenset(),
    moves=lambda rows: any(row.is_open for row in rows),
    begins=_("Open a pipeline and press Deploy: what it did stands here from then on."),
)

ARTEFACTS = Resource(
    model=Artefact,
    table=ArtefactTable,
    form=ArtefactForm,
    filterset=ArtefactFilter,
    path="artefacts",
    icon="box-archive",
    search=("sha256", "commit", "branch", "tag", "subject", "project__name"),
    tabs=TABS,
    counts={"live": "live_on"},
    detail_fields=(
        "project",
        "release",
        "sha256",
        "size_words",
        "file_count",
        "branch",
        "tag",
        "commit",
        "subject",
        "author",
        "committed_at",
        "source_words",
        "built_by_name",
        "built_at",
        "kept",
        "bad",
        "bad_by",
        "bad_reason",
        "bad_at",
        "cleared_at",
    ),
    api_fields=(
        "project",
        "number",
        "sha256",
        "size",
        "file_count",
        "branch",
        "tag",
        "commit",
        "subject",
        "author",
        "committed_at",
        "built_by_name",
        "built_at",
        "kept",
        "bad",
        "bad_reason",
        "bad_at",
        "cleared_at",
    ),
    bulk_fields=("kept",),
    panels=panels.OF_ARTEFACT,
    list_queryset=lambda rows: rows.select_related("project"),
    actions=(
        Action(
            _("Deploy"),
            "delivery:artefact_deploy",
            "rocket",
            "delivery.add_deploy",
            when=lambda artefact: artefact.is_stored and not artefact.bad,
        ),
        Action(
            _("Promote"),
            "delivery:artefact_promote",
            "forward",
            "delivery.add_deploy",
            told=lambda user, artefact: promoting.words_of(
                promoting.promotion_of(user, artefact)[1]
            ),
        ),
        Action(
            _("Compare"),
            "delivery:artefact_diff",
            "code-compare",
            "delivery.view_artefact",
        ),
        Action(
            _("Mark bad"),
            "delivery:artefact_mark",
            "ban",
            "delivery.change_artefact",
            when=lambda artefact: not artefact.bad,
        ),
        Action(
            _("Not bad after all"),
            "delivery:artefact_unmark",
            "rotate-left",
            "delivery.change_artefact",
            when=lambda artefact: artefact.bad,
        ),
    ),
    verbs=frozenset({"change"}),
    begins=_(
        "A deploy of a branch, a tag or a commit builds one; it stays and can be delivered again."
    ),
)
