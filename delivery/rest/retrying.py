"""REST of a deploy that is tried again: one that pauses goes on with its stage, of one that ended badly a worker makes a successor."""

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from adminset.crud.views import find
from appconf.vouching import ensure_may_deploy
from delivery.engine.controlling import retry_deploy
from delivery.engine.repeating import RETRIES, hosts_again
from delivery.models import Deploy, DeployRequest
from delivery.resources import DEPLOYS
from delivery.rest import inputs
from delivery.rest.asked_shapes import RetryAsk
from delivery.rest.deploying import OfDeploys
from delivery.rest.shapes import RetryShape
from delivery.triggers.wishing import wish
from tasks.run_api.repeated import REPLAYED, once
from tasks.run_api.shapes import REPEAT_KEY

# What `once` keeps where the deploy itself goes on: no request was written.
ITSELF = 0


class Retry(OfDeploys):
    """Try a deploy again."""

    permission = "delivery.control_deploy"
    needs = {"POST": "control"}
    http_method_names = ["post", "options"]

    @extend_schema(
        summary="Try a deploy again",
        description="`failed`: on the hosts that do not have the release; `stage`: on all of its hosts. A deploy that pauses "
        "after a bad stage goes on with that stage (`deploy` is its own number). For one that ended badly a worker makes "
        "another of the same commit or artefact: look at the `request`.",
        request=RetryAsk,
        responses={200: RetryShape, 202: RetryShape},
        parameters=[REPEAT_KEY],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Try it again, once for a key."""
        user: Any = request.user
        deploy = find(DEPLOYS, user, pk, "control")
        ensure_may_deploy(user, deploy.environment)
        body = inputs.body_of(request.data, inputs.RETRY)
        wanted = {
            "what": inputs.text(body, "what", 10) or RETRIES[0],
            "reason": inputs.text(body, "reason", inputs.LONGEST_REASON),
            "emergency_reason": inputs.text(
                body, "emergency_reason", inputs.LONGEST_REASON
            ),
        }
        number, replayed = once(request, lambda: _again(user, deploy, **wanted))
        return _told(deploy, number, replayed)


def _told(deploy: Deploy, number: int, replayed: bool) -> Response:
    headers = {REPLAYED: "true"} if replayed else None
    if number == ITSELF:
        return Response({"deploy": deploy.pk, "request": None}, headers=headers)
    made = DeployRequest.objects.get(pk=number)
    told = {"deploy": made.deploy_id, "request": number}
    return Response(told, status=200 if replayed else 202, headers=headers)


def _again(
    user: Any, deploy: Deploy, what: str, reason: str, emergency_reason: str
) -> int:
    if deploy.is_open:
        retry_deploy(
            actor=user,
            deploy=deploy,
            what=what,
            reason=reason,
            emergency_reason=emergency_reason,
        )
        return ITSELF
    ids = hosts_again(actor=user, deploy=deploy, what=what)
    row = wish(
        actor=user,
        key=f"api:{uuid.uuid4()}",
        pipeline=deploy.pipeline,
        environment=deploy.environment,
        trigger=Deploy.Trigger.API,
        kind=deploy.kind,
        ref_kind=deploy.ref_kind,
        ref=deploy.ref,
        host_ids=ids,
        reason=reason or deploy.reason,
        emergency_reason=emergency_reason,
        retries=deploy,
    )
    return row.pk
