"""What answers of the REST of sets of releases look like."""

from typing import Any

from django.db.models import prefetch_related_objects
from rest_framework import serializers

from delivery.models import SetPart, SetRun
from delivery.releasesets.finding import mask_run


class PartShape(serializers.ModelSerializer):
    """A part of a release run."""

    deploy = serializers.IntegerField(
        source="request.deploy_id", default=None, read_only=True
    )
    back = serializers.IntegerField(
        source="back_request.deploy_id", default=None, read_only=True
    )

    class Meta:
        model = SetPart
        fields = [
            "position",
            "pipeline",
            "environment",
            "ref_kind",
            "ref",
            "state",
            "words",
            "deploy",
            "back",
        ]
        ref_name = "SetPart"


class SetRunShape(serializers.ModelSerializer):
    """A release run with its parts."""

    parts = PartShape(many=True, read_only=True)
    ended = serializers.SerializerMethodField()

    class Meta:
        model = SetRun
        fields = [
            "id",
            "release_set",
            "name",
            "state",
            "reason",
            "explanation",
            "requested_by_name",
            "created_at",
            "ended_at",
            "ended",
            "parts",
        ]
        ref_name = "SetRun"

    def to_representation(self, instance: SetRun) -> Any:
        """Tell a release run, its sentences freed of hosts that the caller does not see."""
        asked = ("parts__request", "parts__back_request")
        prefetch_related_objects([instance], *asked)
        mask_run(self.context["request"].user, instance, list(instance.parts.all()))
        return super().to_representation(instance)

    def get_ended(self, row: SetRun) -> bool:
        """Whether nothing more comes."""
        return not row.is_open
