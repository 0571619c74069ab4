"""What bodies and answers of the REST of runs look like, for the OpenAPI schema; the forms check what comes."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers

from adminset.crud.api import serializer_of
from tasks.feed import hosts_seen
from tasks.models import Run, RunHost, Work
from tasks.resources import RUNS
from tasks.run_api.inputs import REASON_LENGTH
from tasks.run_api.reading import statuses_of
from tasks.run_api.waiting import LONGEST_SECONDS
from tasks.services.waiting import why_waiting

FREE = {"type": "object", "additionalProperties": {}}
RunSerializer: Any = serializer_of(RUNS)


class RunDetail(RunSerializer):
    """A run with how it stands."""

    label = serializers.CharField(read_only=True)
    ended = serializers.SerializerMethodField()
    statuses = serializers.SerializerMethodField()
    waits = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()

    class Meta(RunSerializer.Meta):
        fields = [
            *RunSerializer.Meta.fields,
            "task_module",
            "batches",
            "batch",
            "batch_count",
            "label",
            "ended",
            "statuses",
            "waits",
            "url",
        ]
        ref_name = "RunDetail"

    def get_ended(self, run: Run) -> bool:
        """Whether nothing more comes."""
        return not run.is_open

    @extend_schema_field(
        {"type": "object", "additionalProperties": {"type": "integer"}}
    )
    def get_statuses(self, run: Run) -> dict[str, int]:
        """Hosts by how they stand, those that the caller sees."""
        return statuses_of(hosts_seen(self.context["request"].user, run))

    def get_waits(self, run: Run) -> str:
        """Why it does not go on, in a sentence."""
        return why_waiting(run)

    def get_url(self, run: Run) -> str:
        """Address of its page."""
        return str(self.context["request"].build_absolute_uri(run.get_absolute_url()))


class HostOfRun(serializers.ModelSerializer):
    """A host of a run: `id` is its number in the run, `host` that of the CMDB."""

    class Meta:
        model = RunHost
        fields = [
            "id",
            "host",
            "host_name",
            "address",
            "status",
            "exit_code",
            "explanation",
            "limit",
            "batch",
            "started_at",
            "ended_at",
            "output_bytes",
            "stored_bytes",
            "output_hash",
        ]
        ref_name = "HostOfRun"


@extend_schema_field({"type": "array", "items": {}})
class _Names(serializers.Field):
    """Objects by id or by name."""


@extend_schema_field(FREE)
class _Object(serializers.Field):
    """An object with any names."""


class Launch(serializers.Serializer):
    """What to run; or `template` with `values`."""

    template = serializers.CharField(
        required=False, help_text="Name (or number) of a template; then only `values`."
    )
    values = _Object(required=False, help_text="What the template leaves open.")
    title = serializers.CharField(required=False)
    kind = serializers.ChoiceField(Work.Kind.choices, required=False)
    command = serializers.CharField(required=False)
    module = serializers.CharField(required=False)
    arguments = serializers.CharField(required=False)
    language = serializers.ChoiceField(Work.Language.choices, required=False)
    script = serializers.CharField(required=False, help_text="Name of the library.")
    script_text = serializers.CharField(required=False)
    script_arguments = serializers.CharField(required=False)
    playbook = serializers.CharField(required=False, help_text="Name of the library.")
    role = serializers.CharField(required=False, help_text="Name of the library.")
    distribution = _Names(required=False)
    task_module = serializers.CharField(required=False, help_text="Its name.")
    answers = _Object(required=False)
    variables = _Object(required=False)
    secret_answers = _Object(
        required=False, help_text="Secret answers or variables: sealed, never shown."
    )
    options = _Object(
        required=False,
        help_text="check, diff, tags, skip_tags, limit, verbosity, facts.",
    )
    hosts = _Names(required=False, help_text="Ids or names.")
    groups = _Names(required=False, help_text="Ids or names.")
    host_filter = serializers.CharField(required=False)
    host_list = serializers.CharField(required=False)
    forks = serializers.IntegerField(required=False)
    batches = serializers.CharField(required=False)
    pause_after = serializers.ChoiceField(Work.PauseAfter.choices, required=False)
    stop_percent = serializers.IntegerField(required=False)
    together = serializers.ChoiceField(Work.Together.choices, required=False)
    repeatable = serializers.BooleanField(required=False)
    timeout_seconds = serializers.IntegerField(required=False)
    connect_timeout_seconds = serializers.IntegerField(required=False)
    idle_timeout_seconds = serializers.IntegerField(required=False)
    batch_timeout_seconds = serializers.IntegerField(required=False)
    run_timeout_seconds = serializers.IntegerField(required=False)
    without_batches = serializers.BooleanField(
        required=False, help_text="Critical hosts all at once."
    )
    dry_run = serializers.BooleanField(
        required=False, help_text="Say what would run where, and start nothing."
    )


class Repeat(serializers.Serializer):
    """On which hosts a run is repeated."""

    hosts = serializers.ListField(
        child=serializers.ChoiceField(
            [
                "all",
                "not_ok",
                "failed",
                "unreachable",
                "not_started",
                "unknown",
                "timed_out",
            ]
        ),
        required=False,
    )


class Reason(serializers.Serializer):
    """Why something is done."""

    reason = serializers.CharField(required=False, max_length=REASON_LENGTH)


class PlaceShape(serializers.Serializer):
    """Where a program is with one host."""

    offset = serializers.IntegerField(min_value=0, required=False)
    status = serializers.CharField(required=False)


class Follow(serializers.Serializer):
    """Where a program is with a run."""

    hosts = serializers.DictField(child=PlaceShape(), required=False)
    whole = serializers.IntegerField(min_value=0, required=False)
    wait = serializers.FloatField(
        min_value=0, max_value=LONGEST_SECONDS, required=False
    )


class PieceShape(serializers.Serializer):
    """Text of an output from `offset` on; the next begins at `next_offset`."""

    run = serializers.IntegerField()
    host = serializers.IntegerField(allow_null=True)
    status = serializers.CharField()
    offset = serializers.IntegerField()
    next_offset = serializers.IntegerField()
    size = serializers.IntegerField()
    ended = serializers.BooleanField()
    text = serializers.CharField()


def number(name: str, words: str) -> OpenApiParameter:
    """Describe a number in the query."""
    kind = {"type": "integer", "minimum": 0}
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=words)


OUTPUT_QUERY = [
    OpenApiParameter(
        "host",
        OpenApiTypes.STR,
        OpenApiParameter.QUERY,
        description="Number of the host in the run, or its name; none: the run's output as a whole.",
    ),
    number("offset", "Bytes that the caller has."),
    number("wait", "Wait up to so many seconds (30 at most) for something new."),
]
HOSTS_QUERY = [
    OpenApiParameter(
        "status",
        OpenApiTypes.STR,
        OpenApiParameter.QUERY,
        many=True,
        enum=RunHost.Status.values,
    ),
    OpenApiParameter("q", OpenApiTypes.STR, OpenApiParameter.QUERY),
]
REPEAT_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The same key with the same body gives the same run, for a day.",
)
