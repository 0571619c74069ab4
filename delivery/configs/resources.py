"""The pages and REST endpoints of pushes, and of what was read back; both are made by acts only."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from adminset.crud.plain import plain_form
from adminset.crud.resource import Action, Panel, Resource
from adminset.querysets import may, seen
from appconf.models import ConfigFile, Environment
from cmdb.models import Host
from delivery.configs import tables
from delivery.configs.comparing import comparison, unseen_names
from delivery.configs.preparing import is_being_prepared
from delivery.models import ConfigDrift, ConfigPush, ConfigPushHost
from tasks.models import Run, RunHost

TABS = ("delivery:configpush_list", "delivery:configdrift_list")
DEPLOY = "appconf.deploy_environment"
VIEW_VARIABLE = "appconf.view_variable"
MOST_ROWS = 500
PUSH_FIELDS = (
    "environment",
    "kind",
    "status",
    "requested_by_name",
    "reason",
    "emergency_reason",
    "ended_at",
    "explanation",
)
DRIFT_FIELDS = (
    "environment",
    "file",
    "host",
    "version",
    "state",
    "since",
    "found_changed_at",
    "found_mode",
    "found_owner",
    "found_size",
    "explanation",
    "read_at",
)


def _hosts_seen(user: Any, rows: Any) -> Any:
    """Narrow rows to the hosts that a user may see."""
    return rows.filter(host__in=Host.objects.visible_to(user).order_by().values("pk"))


def _result(request: HttpRequest, push: ConfigPush) -> dict[str, Any]:
    """Give how it went on each host that the reader may see, file by file."""
    hosts = list(_hosts_seen(request.user, push.hosts.all())[:MOST_ROWS])
    now = _now(request.user, push)
    rows = [
        (host, _became(push, host), now.get(host.host_id) if host.host_id else None)
        for host in hosts
    ]
    runs = Run.objects.visible_to(request.user).filter(config_pushes=push)
    return {
        "rows": rows,
        "more": push.hosts.count() - len(hosts),
        "run": runs.first(),
        "is_being_prepared": is_being_prepared(push),
        "may_cancel": push.status == ConfigPush.Status.RUNNING
        and may(request.user, "deploy", push.environment),
    }


def _became(push: ConfigPush, host: ConfigPushHost) -> list[tuple[Any, Any]]:
    """Give each file with what became of it on a host."""
    return [(one, host.files.get(str(one["file"]), {})) for one in push.files]


def _now(user: Any, push: ConfigPush) -> dict[int | None, RunHost]:
    """Give how the run stands on each host while it goes on, as far as the reader may see it."""
    if push.status != ConfigPush.Status.RUNNING or push.run_id is None:
        return {}
    rows = RunHost.objects.visible_to(user).filter(run=push.run_id)
    return {row.host_id: row for row in rows.defer("report")}


def _difference(request: HttpRequest, drift: ConfigDrift) -> dict[str, Any]:
    """Give the comparison, to who may see the file and the variables in it."""
    if not may(request.user, "view", drift.file):
        return {"hidden": True}
    if unseen_names(request.user, drift):
        return {"why": _("Values of variables stand in it that you may not see.")}
    diff, why = comparison(drift)
    return {"diff": diff, "why": why}


def _of_file(request: HttpRequest, file: ConfigFile) -> dict[str, Any]:
    """Give how a file stands on the hosts that the reader may see."""
    rows = ConfigDrift.objects.visible_to(request.user).filter(file=file)
    shown = _hosts_seen(request.user, rows).select_related(
        "host", "environment__project", "version__file"
    )
    environments = seen(request.user, Environment.objects.filter(project=file.project))
    wanted = file.environment_id
    return {
        "drifts": shown.defer("found")[:MOST_ROWS],
        "environments": [
            each for each in environments if wanted is None or each.pk == wanted
        ],
    }


FILE_PANEL = Panel(
    "hosts",
    _("On hosts"),
    "delivery/configs/_of_file.html",
    _of_file,
    "delivery.view_configdrift",
)


class DriftResource(Resource):
    """What was read back: only of hosts that the reader may see."""

    def rows(self, user: Any, action: str = "view") -> Any:
        """Narrow to those hosts."""
        return _hosts_seen(user, super().rows(user, action))


CONFIG_PUSHES = Resource(
    model=ConfigPush,
    table=tables.ConfigPushTable,
    form=plain_form(ConfigPush, "reason"),
    filterset=tables.ConfigPushFilter,
    path="config-pushes",
    icon="paper-plane",
    search=("reason", "requested_by_name"),
    tabs=TABS,
    panels=(Panel("result", _("Result"), "delivery/configs/_result.html", _result),),
    actions=(
        Action(
            _("Cancel"),
            "delivery:configpush_cancel",
            "ban",
            DEPLOY,
            post=True,
            when=lambda push: push.status == ConfigPush.Status.RUNNING,
        ),
    ),
    detail_fields=PUSH_FIELDS,
    api_fields=(*PUSH_FIELDS, "files", "run"),
    list_queryset=lambda rows: rows.select_related("environment__project"),
    verbs=frozenset(),
    begins=_("A push begins on the page of an environment."),
)
CONFIG_DRIFTS = DriftResource(
    model=ConfigDrift,
    table=tables.ConfigDriftTable,
    form=plain_form(ConfigDrift, "explanation"),
    filterset=tables.ConfigDriftFilter,
    path="config-drifts",
    icon="code-compare",
    search=("file__path", "file__name", "host__hostname"),
    tabs=TABS,
    panels=(
        Panel(
            "difference",
            _("Difference"),
            "delivery/configs/_difference.html",
            _difference,
            VIEW_VARIABLE,
        ),
    ),
    detail_fields=tuple(
        "size_words" if name == "found_size" else name for name in DRIFT_FIELDS
    ),
    api_fields=DRIFT_FIELDS,
    wide_fields=("found", "secrets"),
    list_queryset=lambda rows: rows.select_related(
        "environment__project", "file__project", "host", "version__file__project"
    ),
    verbs=frozenset(),
    begins=_("Files are read back after their first push."),
)
