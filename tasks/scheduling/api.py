"""Schedules for programs, besides what their resource gives: run the work now, pause, go on."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from adminset.crud.endpoint import ResourceEndpoint
from adminset.crud.views import find
from tasks import tasks
from tasks.models import Schedule
from tasks.resources import RUNS
from tasks.run_api import inputs
from tasks.run_api.repeated import once
from tasks.run_api.shapes import REPEAT_KEY, Reason
from tasks.run_api.views import MADE, made
from tasks.scheduling.resources import SCHEDULES
from tasks.services.schedules import switch_schedule


class ScheduleStands(serializers.ModelSerializer):
    """Whether a schedule is on, and when it runs next."""

    class Meta:
        model = Schedule
        fields = ("id", "name", "enabled", "notice", "next_at")
        ref_name = "ScheduleStands"


class RunNow(ResourceEndpoint):
    """Run the work of a schedule at once."""

    resource = RUNS
    permission = "tasks.add_run"
    needs = {"POST": "add"}
    http_method_names = ["post", "options"]

    @extend_schema(
        summary="Run a schedule's work now",
        description="As the one who asks; windows do not count, and its next time stays as it is.",
        request=None,
        responses=MADE,
        parameters=[REPEAT_KEY],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Ask for the run."""
        schedule = find(SCHEDULES, request.user, pk)

        def begin() -> int:
            return tasks.enqueue_schedule(actor=request.user, schedule=schedule).pk

        return made(request, *once(request, begin))


class _Switch(ResourceEndpoint):
    resource = SCHEDULES
    permission = "tasks.change_schedule"
    needs = {"POST": "change"}
    http_method_names = ["post", "options"]

    def _switched(self, request: Request, pk: int, enabled: bool) -> Response:
        schedule = find(SCHEDULES, request.user, pk, "change")
        reason = inputs.reason(request.data)
        switch_schedule(
            actor=request.user, schedule=schedule, enabled=enabled, reason=reason
        )
        return Response(ScheduleStands(schedule).data)


class Pause(_Switch):
    """Turn a schedule off."""

    @extend_schema(
        summary="Pause a schedule", request=Reason, responses={200: ScheduleStands}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Turn it off; the reason stands on its page."""
        return self._switched(request, pk, enabled=False)


class Resume(_Switch):
    """Turn a schedule on."""

    @extend_schema(
        summary="Let a schedule go on",
        description="From now on it runs as the one who asks; a token with limits may not.",
        request=Reason,
        responses={200: ScheduleStands},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Turn it on."""
        return self._switched(request, pk, enabled=True)
