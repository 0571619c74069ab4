"""The lists of the room: pipelines and what they did last, deploys, artefacts, templates."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from adminset.crud.tables import ResourceTable
from delivery.models import Artefact, Deploy, Pipeline, PipelineTemplate

AGO = "{% ago value %}"
NUMBER = {"td": {"class": "num"}}
RELEASE = "{% if value %}<code>{{ value }}</code>{% else %}-{% endif %}"


def _last(record: Pipeline) -> Deploy | None:
    latest = record.latest  # type: ignore[attr-defined]
    return latest[0] if latest else None


def _whole(deploy: Deploy | None) -> str:
    share = getattr(deploy, "progress", None)
    return "" if share is None else f"{share:.0f}"


class PipelineTable(ResourceTable):
    """Pipelines with their last deploy: how it stands, how far it is, its log."""

    name = tables.Column(linkify=True)
    project = tables.Column(linkify=True)
    status = tables.TemplateColumn(
        "{% with last=record.latest.0 %}{% if last %}{% status_badge last.state last.label %}"
        '{% else %}<span class="muted">{{ never }}</span>{% endif %}{% endwith %}',
        accessor="pk",
        verbose_name=_("status"),
        orderable=False,
        extra_context={"never": _("never deployed")},
    )
    progress = tables.TemplateColumn(
        "{% with last=record.latest.0 %}{% if last %}{% meter last.progress name 101 101 %}{% else %}-{% endif %}{% endwith %}",
        accessor="pk",
        verbose_name=_("progress"),
        orderable=False,
        extra_context={"name": _("progress of the last deploy")},
    )
    policy = tables.TemplateColumn(
        "{{ record.way.get_policy_display }}", verbose_name=_("policy")
    )
    where = tables.TemplateColumn(
        "{% with last=record.latest.0 %}{{ last.environment.name|default:'-' }}{% endwith %}",
        accessor="pk",
        verbose_name=_("last to"),
        orderable=False,
    )
    last_at = tables.TemplateColumn(AGO, verbose_name=_("last deploy"))
    deploy_count = tables.Column(verbose_name=_("deploys"), attrs=NUMBER)

    class Meta(ResourceTable.Meta):
        model = Pipeline
        fields = (
            "name",
            "project",
            "status",
            "progress",
            "policy",
            "where",
            "last_at",
            "deploy_count",
            "template",
            "is_active",
        )
        default_columns = fields[:8]

    def value_status(self, record: Pipeline) -> str:
        """Give the word for exports."""
        last = _last(record)
        return last.label if last else ""

    def value_progress(self, record: Pipeline) -> str:
        """Give the percentage for exports."""
        return _whole(_last(record))

    def value_where(self, record: Pipeline) -> str:
        """Give the name of the environment for exports."""
        last = _last(record)
        return last.environment.name if last else ""

    def value_policy(self, record: Pipeline) -> str:
        """Give the words for exports."""
        return str(record.way.get_policy_display())


class PipelineTemplateTable(ResourceTable):
    """Templates of pipelines, and how many follow each."""

    name = tables.Column(linkify=True)
    pipelines = tables.Column(
        accessor="pipeline_count", verbose_name=_("pipelines"), attrs=NUMBER
    )
    updated_at = tables.TemplateColumn(AGO, verbose_name=_("changed"))

    class Meta(ResourceTable.Meta):
        model = PipelineTemplate
        fields = ("name", "description", "policy", "pipelines", "updated_at")


class DeployTable(ResourceTable):
    """Deploys, newest first: who, what, why, how long."""

    id = tables.Column(linkify=True, verbose_name=_("number"))
    status = tables.TemplateColumn("{% status_badge record.state record.label %}")
    project = tables.Column(
        accessor="pipeline__project", verbose_name=_("project"), linkify=True
    )
    pipeline = tables.Column(
        accessor="pipeline__name",
        verbose_name=_("pipeline"),
        linkify=lambda record: record.pipeline.get_absolute_url(),
    )
    environment = tables.Column(
        accessor="environment__name", verbose_name=_("environment")
    )
    release = tables.TemplateColumn(
        RELEASE, verbose_name=_("release"), order_by=("artefact__number",)
    )
    what = tables.TemplateColumn(
        "{{ record.get_ref_kind_display }} {{ record.ref }}",
        accessor="ref",
        verbose_name=_("what"),
    )
    commit = tables.TemplateColumn(
        "{% if value %}<code>{{ value|slice:':10' }}</code>{% else %}-{% endif %}"
    )
    reason = tables.Column(attrs={"td": {"class": "wrap wrap-short"}})
    progress = tables.TemplateColumn(
        "{% meter value name 101 101 %}",
        accessor="progress",
        verbose_name=_("progress"),
        extra_context={"name": _("progress")},
    )
    requested_by_name = tables.Column(verbose_name=_("started by"))
    created_at = tables.TemplateColumn(AGO, verbose_name=_("asked for"))
    duration = tables.TemplateColumn(
        "{{ value|duration }}",
        verbose_name=_("duration"),
        orderable=False,
        attrs=NUMBER,
    )

    class Meta(ResourceTable.Meta):
        model = Deploy
        fields = (
            "id",
            "project",
            "pipeline",
            "environment",
            "status",
            "progress",
            "kind",
            "release",
            "what",
            "commit",
            "reason",
            "requested_by_name",
            "trigger",
            "created_at",
            "duration",
        )
        default_columns = (
            "id",
            "project",
            "environment",
            "status",
            "release",
            "what",
            "reason",
            "requested_by_name",
            "created_at",
            "duration",
        )

    def value_status(self, record: Deploy) -> str:
        """Give the word for exports."""
        return record.label

    def value_progress(self, record: Deploy) -> str:
        """Give the percentage for exports."""
        return _whole(record)


class ArtefactTable(ResourceTable):
    """Artefacts, newest first: what is in them, how they stand."""

    release = tables.Column(linkify=True, order_by=("number",))
    project = tables.Column(linkify=True)
    status = tables.TemplateColumn(
        "{% if record.badge %}{% status_badge record.badge.state record.badge.label %}{% else %}-{% endif %}",
        accessor="pk",
        verbose_name=_("status"),
        order_by=("bad",),
    )
    live = tables.Column(
        accessor="live_count", verbose_name=_("live on hosts"), attrs=NUMBER
    )
    size = tables.TemplateColumn("{{ value|filesize_iec }}", attrs=NUMBER)
    file_count = tables.Column(attrs=NUMBER)
    commit = tables.TemplateColumn(
        "{% if value %}<code>{{ value|slice:':10' }}</code>{% else %}-{% endif %}"
    )
    subject = tables.Column(attrs={"td": {"class": "wrap"}})
    built_at = tables.TemplateColumn(AGO)
    built_by_name = tables.Column(verbose_name=_("built by"))

    class Meta(ResourceTable.Meta):
        model = Artefact
        fields = (
            "release",
            "project",
            "status",
            "live",
            "size",
            "file_count",
            "branch",
            "tag",
            "commit",
            "subject",
            "built_by_name",
            "built_at",
        )
        default_columns = (
            "release",
            "project",
            "status",
            "live",
            "size",
            "branch",
            "commit",
            "subject",
            "built_at",
        )

    def value_status(self, record: Artefact) -> str:
        """Give the word for exports."""
        return str(record.badge["label"]) if record.badge else ""
