"""What bodies and queries of the REST of deliveries look like, for the OpenAPI schema; delivery/rest/inputs.py checks what comes."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers

from delivery.engine.repeating import RETRIES
from delivery.models import Deploy
from tasks.run_api.shapes import number

WAIT = number("wait", "Wait up to so many seconds (30 at most) for something new.")
KNOWN = OpenApiParameter(
    "known",
    OpenApiTypes.STR,
    OpenApiParameter.QUERY,
    description="The `mark` of the last answer: with `wait` the answer comes as soon as something is new.",
)
LOG_QUERY = [
    number(
        "step",
        "Number of the step; none: the one that goes on, else the last that printed.",
    ),
    OpenApiParameter(
        "host",
        OpenApiTypes.STR,
        OpenApiParameter.QUERY,
        description="Name of the host, for a step on several hosts.",
    ),
    number("offset", "Bytes that the caller has."),
    WAIT,
]


NAME = {"oneOf": [{"type": "integer"}, {"type": "string"}]}


@extend_schema_field({"type": "array", "items": NAME})
class Names(serializers.Field):
    """Objects by number or by name."""


@extend_schema_field(NAME)
class _Named(serializers.Field):
    """One object by number or by name."""


class PlanAsk(serializers.Serializer):
    """Where and what."""

    environment = _Named(
        help_text="Number, code or name of an environment of the project."
    )
    ref_kind = serializers.ChoiceField(Deploy.RefKind.choices, required=False)
    ref = serializers.CharField(
        required=False,
        help_text="Branch, tag, commit; number or release of an artefact; SHA-256 of an upload.",
    )
    hosts = Names(
        required=False, help_text="Only these hosts; none: all of the environment."
    )
    promote = serializers.BooleanField(required=False)


class DeployAsk(PlanAsk):
    """The same as the plan was made of, and the yes to it."""

    plan_hash = serializers.CharField()
    reason = serializers.CharField()
    emergency_reason = serializers.CharField(required=False)
    wait = serializers.BooleanField(required=False)


class ResumeAsk(serializers.Serializer):
    """Why a deploy goes on, and why it does so outside its change windows."""

    reason = serializers.CharField(required=False)
    emergency_reason = serializers.CharField(required=False)


class RollbackAsk(serializers.Serializer):
    """Back to which release, and why."""

    pipeline = serializers.IntegerField(required=False)
    artefact = _Named(
        required=False, help_text="Number or release; none: the release before."
    )
    hosts = Names(required=False)
    reason = serializers.CharField()


class RetryAsk(serializers.Serializer):
    """On which hosts, and why."""

    what = serializers.ChoiceField(RETRIES, required=False)
    reason = serializers.CharField(required=False)
    emergency_reason = serializers.CharField(required=False)


class UploadEnd(serializers.Serializer):
    """What the archive is called, and the SHA-256 that its sender knows."""

    name = serializers.CharField()
    sha256 = serializers.CharField(required=False)
