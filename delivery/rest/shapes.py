"""What answers of the REST of deploys, of what is live and of uploads look like; those of sets: delivery/rest/set_shapes.py."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from adminset.crud.api import serializer_of
from adminset.crypto import digest
from delivery.masking import mask_requests, masked
from delivery.models import Deploy, DeployHost, DeployRequest, DeployStep
from delivery.progress import percent_of
from delivery.resources import DEPLOYS
from delivery.selectors import hosts_seen

DeploySerializer: Any = serializer_of(DEPLOYS)


class PlanAnswer(serializers.Serializer):
    """A plan that a worker makes."""

    key = serializers.CharField()
    state = serializers.CharField(help_text="asked, answered or failed")
    plan = serializers.DictField(required=False, allow_null=True)
    message = serializers.CharField()
    hint = serializers.CharField()
    code = serializers.CharField()


class RequestShape(serializers.ModelSerializer):
    """A request for a deploy and what became of it; `deploy` is there as soon as `state` is "made"."""

    url = serializers.SerializerMethodField()

    class Meta:
        model = DeployRequest
        fields = [
            "id",
            "pipeline",
            "environment",
            "kind",
            "ref_kind",
            "ref",
            "reason",
            "trigger",
            "state",
            "words",
            "code",
            "deploy",
            "created_at",
            "url",
        ]
        ref_name = "DeployRequest"

    def to_representation(self, instance: DeployRequest) -> Any:
        """Tell a request; why it was refused names no host that the caller does not see."""
        mask_requests(self.context["request"].user, [instance])
        return super().to_representation(instance)

    def get_url(self, row: DeployRequest) -> str:
        """Address of the deploy's page; "" while there is none."""
        if row.deploy is None:
            return ""
        return str(
            self.context["request"].build_absolute_uri(row.deploy.get_absolute_url())
        )


class RetryShape(serializers.Serializer):
    """The deploy that goes on, or the request for another one; its `deploy` is there as soon as a worker has made it."""

    deploy = serializers.IntegerField(allow_null=True)
    request = serializers.IntegerField(allow_null=True)


class StepShape(serializers.ModelSerializer):
    """A step of a deploy."""

    words = serializers.CharField(read_only=True)

    class Meta:
        model = DeployStep
        fields = [
            "id",
            "position",
            "kind",
            "words",
            "batch",
            "status",
            "attempt",
            "run",
            "explanation",
            "done",
            "total",
            "started_at",
            "ended_at",
        ]
        ref_name = "DeployStep"


class HostShape(serializers.ModelSerializer):
    """A host of a deploy."""

    class Meta:
        model = DeployHost
        fields = [
            "id",
            "host",
            "host_name",
            "batch",
            "status",
            "from_release",
            "to_release",
            "now_release",
            "explanation",
            "sent_bytes",
            "total_bytes",
        ]
        ref_name = "DeployHost"


class DeployDetail(DeploySerializer):
    """A deploy with its steps and hosts. `mark` changes with anything of it."""

    label = serializers.CharField(read_only=True)
    ended = serializers.SerializerMethodField()
    progress = serializers.SerializerMethodField()
    steps = serializers.SerializerMethodField()
    hosts = serializers.SerializerMethodField()
    mark = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()

    class Meta(DeploySerializer.Meta):
        fields = [
            *DeploySerializer.Meta.fields,
            "waiting_for",
            "explanation",
            "label",
            "ended",
            "progress",
            "steps",
            "hosts",
            "mark",
            "url",
        ]
        ref_name = "DeployDetail"

    def to_representation(self, instance: Deploy) -> Any:
        """Tell a deploy, with its sentences freed of hosts that the caller does not see."""
        row: Any = instance
        row.mark = mark_of(instance)
        row.told_steps = list(instance.steps.order_by("position"))
        row.told_hosts = list(hosts_seen(self.context["request"].user, instance))
        masked(instance, row.told_steps, row.told_hosts)
        return super().to_representation(instance)

    def get_ended(self, row: Deploy) -> bool:
        """Whether nothing more comes."""
        return not row.is_open

    def get_progress(self, row: Any) -> float | None:
        """How much of it is done (%); none once it has ended."""
        return percent_of(row.told_steps) if row.is_open else None

    @extend_schema_field(StepShape(many=True))
    def get_steps(self, row: Any) -> Any:
        """Its steps, in order."""
        return StepShape(row.told_steps, many=True).data

    @extend_schema_field(HostShape(many=True))
    def get_hosts(self, row: Any) -> Any:
        """Its hosts, those that the caller sees."""
        return HostShape(row.told_hosts, many=True).data

    def get_mark(self, row: Any) -> str:
        """Short for how it stands."""
        return str(row.mark)

    def get_url(self, row: Deploy) -> str:
        """Address of its page."""
        return str(self.context["request"].build_absolute_uri(row.get_absolute_url()))


def mark_of(row: Deploy) -> str:
    """Put into a few words how a deploy stands: whoever waits compares it."""
    steps = row.steps.order_by("position").values_list("status", "attempt", "done")
    hosts = row.hosts.order_by("pk").values_list("status", "sent_bytes")
    told = [row.status, row.waiting_for, bool(row.cancel_requested_at), *steps, *hosts]
    return digest(repr(told))[:16]


class LogPiece(serializers.Serializer):
    """Text of a log from `offset` on; the next begins at `next_offset`."""

    step = serializers.IntegerField(allow_null=True)
    host = serializers.CharField()
    offset = serializers.IntegerField()
    next_offset = serializers.IntegerField()
    ended = serializers.BooleanField()
    text = serializers.CharField()


class LiveHost(serializers.Serializer):
    """What is live on a host: what the portal says, and what the host said last."""

    host = serializers.IntegerField()
    host_name = serializers.CharField()
    expected = serializers.CharField()
    said = serializers.CharField()
    previous = serializers.CharField()
    artefact = serializers.IntegerField(allow_null=True)
    drifted = serializers.BooleanField()
    since = serializers.DateTimeField(allow_null=True)
    read_at = serializers.DateTimeField(allow_null=True)
    problem = serializers.CharField()
    kept = serializers.ListField(child=serializers.CharField())
    changed = serializers.IntegerField(
        allow_null=True,
        help_text="files of what is live that are not what was delivered; null: not compared",
    )
    compared_at = serializers.DateTimeField(allow_null=True)
    compare_problem = serializers.CharField()


class LiveState(serializers.Serializer):
    """What is live in an environment. `hidden`: hosts that the caller does not see."""

    environment = serializers.IntegerField()
    state = serializers.CharField(help_text="same, mixed, unread, drifted or empty")
    releases = serializers.DictField(child=serializers.IntegerField())
    hidden = serializers.IntegerField()
    held_by = serializers.CharField()
    hosts = LiveHost(many=True)


class Ticket(serializers.Serializer):
    """An upload that goes on."""

    ticket = serializers.CharField()
    offset = serializers.IntegerField()
    piece_bytes = serializers.IntegerField()


class UploadShape(serializers.Serializer):
    """An archive that the project can be delivered from: ref_kind `upload`, ref its SHA-256."""

    sha256 = serializers.CharField()
    name = serializers.CharField()
    size = serializers.IntegerField()
    who = serializers.CharField()
    at = serializers.CharField()
