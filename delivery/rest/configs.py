"""REST of configuration on hosts: plan a push, push the files of an environment that are in force, read them back, stop either."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from adminset.crud.endpoint import ResourceEndpoint
from adminset.crud.views import find
from appconf.models import Environment
from appconf.resources import ENVIRONMENT
from delivery.configs.planning import make_plan
from delivery.configs.pushing import REASON_LENGTH, Wanted, cancel_push, request_push
from delivery.configs.reading import request_read
from delivery.configs.resources import CONFIG_PUSHES, DEPLOY
from delivery.configs.windows import closed_words
from delivery.models import ConfigPush
from delivery.rest import inputs
from delivery.rest.config_shapes import (
    ConfigPlanAsk,
    ConfigPlanShape,
    ConfigPushAsk,
    ConfigPushShape,
    ConfigReadAsk,
    files_of,
    plan_told,
)
from tasks.run_api.repeated import REPLAYED, once
from tasks.run_api.shapes import REPEAT_KEY

READ = {"files"}
PLAN = READ | {"hosts"}
PUSH = PLAN | {"reason", "emergency_reason", "plan_hash"}
BEGUN = {
    200: OpenApiResponse(
        ConfigPushShape, description="What the same request began before."
    ),
    202: ConfigPushShape,
}


class _OfEnvironments(ResourceEndpoint):
    resource = ENVIRONMENT
    permission = DEPLOY
    needs = {"POST": "deploy"}
    http_method_names = ["post", "options"]


class Plan(_OfEnvironments):
    """What a push would do."""

    @extend_schema(
        summary="What a push of configuration would do",
        description="Nothing happens. `hash` is what a push of exactly this is begun with; hosts that the caller may not see "
        "are only counted (`hidden`).",
        request=ConfigPlanAsk,
        responses={200: ConfigPlanShape},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Give it."""
        user: Any = request.user
        environment: Environment = find(ENVIRONMENT, user, pk, "deploy")
        chosen = _chosen(user, environment, inputs.body_of(request.data, PLAN))
        plan = make_plan(user, environment, **chosen)
        return Response(plan_told(plan, closed_words(environment)))


class Push(_OfEnvironments):
    """Push configuration."""

    @extend_schema(
        summary="Push the configuration of an environment to its hosts",
        description="With a `plan_hash` only what that plan showed (code `stale` otherwise); without one the plan of this "
        "moment. Outside of change windows and in freezes it wants `emergency_reason`, and the right to it (code `closed`). "
        "Look at the push under its number.",
        request=ConfigPushAsk,
        responses=BEGUN,
        parameters=[REPEAT_KEY],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Begin it, once for a key."""
        user: Any = request.user
        environment: Environment = find(ENVIRONMENT, user, pk, "deploy")
        wanted = _wanted(user, environment, inputs.body_of(request.data, PUSH))

        def begin() -> int:
            return request_push(actor=user, environment=environment, wanted=wanted).pk

        return _begun(request, *once(request, begin))


def _wanted(user: Any, environment: Environment, body: Mapping[str, Any]) -> Wanted:
    longest = inputs.LONGEST_REASON
    return Wanted(
        plan_hash=inputs.text(body, "plan_hash", 64) or None,
        reason=inputs.text(body, "reason", REASON_LENGTH, needed=True),
        emergency_reason=inputs.text(body, "emergency_reason", longest),
        **_chosen(user, environment, body),
    )


def _chosen(user: Any, environment: Environment, body: Mapping[str, Any]) -> Any:
    """Read which files and hosts are asked for."""
    return {
        "file_ids": files_of(user, environment, body.get("files")),
        "host_ids": inputs.hosts_of(user, environment, body.get("hosts")) or None,
    }


class Read(_OfEnvironments):
    """Read configuration back."""

    @extend_schema(
        summary="Read the configuration of an environment back from its hosts",
        description="Nothing is changed there, so that it waits for no window. Look at the reading under its number, and at "
        "`config-drifts` for what was found.",
        request=ConfigReadAsk,
        responses=BEGUN,
        parameters=[REPEAT_KEY],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Begin it, once for a key."""
        user: Any = request.user
        environment: Environment = find(ENVIRONMENT, user, pk, "deploy")
        body = inputs.body_of(request.data, READ)
        chosen = files_of(user, environment, body.get("files"))

        def begin() -> int:
            return request_read(actor=user, environment=environment, file_ids=chosen).pk

        return _begun(request, *once(request, begin))


def _begun(request: Request, pk: int, replayed: bool) -> Response:
    row = ConfigPush.objects.get(pk=pk)
    told = ConfigPushShape(row, context={"request": request}).data
    if replayed:
        return Response(told, headers={REPLAYED: "true"})
    return Response(told, status=202)


class Cancel(_OfEnvironments):
    """Stop a push or a reading."""

    @extend_schema(
        summary="Stop a push of configuration, or a reading",
        description="What is in place stays there.",
        request=None,
        responses={200: ConfigPushShape},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Stop it."""
        row = find(CONFIG_PUSHES, request.user, pk)
        cancel_push(actor=request.user, push=row)
        row.refresh_from_db()
        return Response(ConfigPushShape(row, context={"request": request}).data)
