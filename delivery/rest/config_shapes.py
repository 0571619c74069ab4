"""What bodies and answers of the REST of pushes of configuration look like, and how the files that a body names are read."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from adminset.querysets import seen
from appconf.config.questions import files_of as all_files_of
from appconf.models import ConfigFile, Environment
from delivery.configs.frames import row_of
from delivery.configs.planning import ConfigPlan
from delivery.models import ConfigPush
from delivery.rest.asked_shapes import Names
from delivery.rest.inputs import key_of, refused

MOST_FILES, MOST_PROBLEMS = 1000, 50


class ConfigReadAsk(serializers.Serializer):
    """What is read back."""

    files = Names(
        required=False,
        help_text="Only these files, by number, name or path; none: all in force.",
    )


class ConfigPlanAsk(ConfigReadAsk):
    """What would be pushed where."""

    hosts = Names(
        required=False, help_text="Only these hosts; none: all of the environment."
    )


class ConfigPushAsk(ConfigPlanAsk):
    """What is pushed where, and why."""

    reason = serializers.CharField()
    emergency_reason = serializers.CharField(required=False)
    plan_hash = serializers.CharField(required=False)


class _PlannedFile(serializers.Serializer):
    """A file of a plan."""

    file = serializers.IntegerField()
    name = serializers.CharField()
    version = serializers.IntegerField()
    number = serializers.IntegerField()
    path = serializers.CharField()


class _PlannedHost(serializers.Serializer):
    """A host of a plan, and in words what becomes of each file there."""

    host = serializers.IntegerField()
    host_name = serializers.CharField()
    files = serializers.DictField(child=serializers.CharField())


class ConfigPlanShape(serializers.Serializer):
    """What a push would do; `closed`: why windows or freezes say no."""

    hash = serializers.CharField()
    files = _PlannedFile(many=True)
    hosts = _PlannedHost(many=True)
    hidden = serializers.IntegerField()
    reload_commands = serializers.ListField(child=serializers.CharField())
    problems = serializers.ListField(child=serializers.CharField())
    closed = serializers.CharField()


def plan_told(plan: ConfigPlan, closed: str) -> dict[str, Any]:
    """Give a plan as plain values, without any text of a file.

    Args:
        closed: why windows or freezes say no; "" where they do not.
    """
    return {
        "hash": plan.hash,
        "files": [row_of(one.placed, one.version) for one in plan.files],
        "hosts": [
            {
                "host": row.host.pk,
                "host_name": row.host.hostname,
                "files": {cell.file.placed.path: cell.label for cell in row.cells},
            }
            for row in plan.hosts
        ],
        "hidden": len(plan.texts) - len(plan.hosts),
        "reload_commands": plan.reloads,
        "problems": plan.problems[:MOST_PROBLEMS],
        "closed": closed,
    }


class ConfigPushShape(serializers.ModelSerializer):
    """A push or a reading that was begun; `config-pushes` tells of it as it goes on."""

    url = serializers.SerializerMethodField()

    class Meta:
        model = ConfigPush
        fields = ["id", "environment", "kind", "status", "reason", "url"]
        ref_name = "ConfigPushBegun"

    @extend_schema_field(str)
    def get_url(self, row: ConfigPush) -> str:
        """Address of its page."""
        request = self.context["request"]
        return str(request.build_absolute_uri(row.get_absolute_url()))


def files_of(user: Any, environment: Environment, named: Any) -> list[int] | None:
    """Find files of an environment, by number, name or path, that the user may see; None: none is named, all are meant.

    Raises:
        DomainError: it is no list, or there is no such file, or several.
    """
    if named in (None, []):
        return None
    if not isinstance(named, list) or len(named) > MOST_FILES:
        raise refused("files", _("Give a list of files of the environment."))
    known: list[ConfigFile] = seen(user, all_files_of(environment))
    return sorted({_file_of(known, one) for one in named})


def _file_of(known: list[ConfigFile], named: Any) -> int:
    key = key_of(named)
    found = [one.pk for one in known if key and one.pk == key]
    if not found and isinstance(named, str):
        found = [one.pk for one in known if named in (one.name, one.path)]
    if len(found) != 1:
        words = _("The environment has no file %(name)s, or several.")
        raise refused("files", words % {"name": str(named)[:60]})
    return found[0]
