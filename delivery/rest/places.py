"""REST of environments and artefacts: what is live, back to a release, bad marks."""

import uuid
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from adminset.crud.api import serializer_of
from adminset.crud.endpoint import ResourceEndpoint
from adminset.crud.views import find
from adminset.errors import Conflict, DomainError
from appconf.models import Environment
from appconf.resources import ENVIRONMENT
from appconf.vouching import ensure_may_deploy
from delivery.models import Deploy, LiveRelease, Pipeline
from delivery.resources import ARTEFACTS, DEPLOYS
from delivery.rest import inputs
from delivery.rest.asked_shapes import RollbackAsk
from delivery.rest.deploying import WISHED, wished
from delivery.rest.shapes import LiveState
from delivery.safety import marks
from delivery.safety.locks import words_of
from delivery.safety.reach import ensure_goes_to
from delivery.selectors import Place, places_of
from delivery.triggers.wishing import wish
from tasks.run_api.inputs import reason as reason_of
from tasks.run_api.repeated import once
from tasks.run_api.shapes import REPEAT_KEY, Reason

ArtefactSerializer: Any = serializer_of(ARTEFACTS)


class ArtefactShape(ArtefactSerializer):
    """An artefact, after somebody marked it."""

    class Meta(ArtefactSerializer.Meta):
        ref_name = "ArtefactMarked"


TOLD = (
    "expected",
    "said",
    "previous",
    "since",
    "read_at",
    "problem",
    "compared_at",
    "compare_problem",
)


class _OfLive:
    """Stands for the resource that what is live would be: there are no pages for single rows of it."""

    @staticmethod
    def permission(action: str) -> str:
        """Name the permission to look."""
        return f"delivery.{action}_liverelease"


class Live(ResourceEndpoint):
    """What is live in an environment."""

    resource = _OfLive
    permission = "delivery.view_liverelease"
    http_method_names = ["get", "head", "options"]

    @extend_schema(summary="What is live in an environment", responses={200: LiveState})
    def get(self, request: Request, pk: int) -> Response:
        """Give it host by host: what the portal says, and what the host said last."""
        place = places_of(request.user, [find(ENVIRONMENT, request.user, pk)])[0]
        return Response(
            {
                "environment": pk,
                "state": place.state[1],
                "releases": dict(place.releases),
                "hidden": place.hidden,
                "held_by": words_of(place.lock) if place.lock else "",
                "hosts": _rows(place),
            }
        )


def _rows(place: Place) -> list[dict[str, Any]]:
    rows = sorted(place.rows, key=lambda row: row.host.hostname)
    return [_row(row) for row in rows]


def _row(row: LiveRelease) -> dict[str, Any]:
    told = {name: getattr(row, name) for name in TOLD}
    return told | {
        "host": row.host_id,
        "host_name": row.host.hostname,
        "artefact": row.artefact_id,
        "drifted": row.has_drifted,
        "changed": row.changed if row.compared == row.said else None,
        "kept": [str(one.get("release", "")) for one in row.kept],
    }


class Rollback(ResourceEndpoint):
    """Back to an earlier release."""

    resource = DEPLOYS
    permission = "delivery.add_deploy"
    needs = {"POST": "add"}
    http_method_names = ["post", "options"]

    @extend_schema(
        summary="Roll an environment back",
        description="Only the switch, to a release that its hosts keep; none named: the one before.",
        request=RollbackAsk,
        responses=WISHED,
        parameters=[REPEAT_KEY],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Write down the request."""
        user: Any = request.user
        environment = find(ENVIRONMENT, user, pk)
        ensure_may_deploy(user, environment)
        body = inputs.body_of(request.data, inputs.ROLLBACK)
        pipeline = _pipeline(user, environment, body.get("pipeline"))
        named = body.get("artefact")
        artefact = None
        if named not in (None, ""):
            artefact = inputs.artefact_of(user, environment.project_id, named)
        hosts = inputs.hosts_of(user, environment, body.get("hosts"))
        why = inputs.text(body, "reason", inputs.LONGEST_REASON, needed=True)

        def begin() -> int:
            return wish(
                actor=user,
                key=f"api:{uuid.uuid4()}",
                pipeline=pipeline,
                environment=environment,
                trigger=Deploy.Trigger.API,
                kind=Deploy.Kind.ROLLBACK,
                ref_kind=Deploy.RefKind.ARTEFACT,
                artefact=artefact,
                host_ids=hosts,
                reason=why,
            ).pk

        return wished(request, *once(request, begin))


def _pipeline(user: Any, environment: Environment, named: Any) -> Pipeline:
    """Find the pipeline that rolls back: the one named, else of those that go there that of the last deploy, else the only one."""
    rows = Pipeline.objects.visible_to(user).filter(
        project=environment.project_id, is_active=True
    )
    if named not in (None, ""):
        found = rows.filter(pk=inputs.key_of(named)).first()
        if found is not None:
            ensure_goes_to(found, environment)
    else:
        found = _usual(rows.going_to(environment), environment)
    if found is None:
        words = _("Say which pipeline of the project rolls back.")
        raise DomainError(words, fields={"pipeline": words})
    return found


def _usual(rows: Any, environment: Environment) -> Pipeline | None:
    going = list(rows[:2])
    if not going:
        words = _("None of its pipelines goes to %(environment)s.")
        raise Conflict(words % {"environment": environment}, code="not_its_environment")
    deploys = environment.deploys.order_by("-pk")
    last = deploys.values_list("pipeline", flat=True).first()
    only = going[0] if len(going) == 1 else None
    found: Pipeline | None = rows.filter(pk=last or 0).first()
    return found or only


class _Mark(ResourceEndpoint):
    resource = ARTEFACTS
    permission = "delivery.change_artefact"
    needs = {"POST": "change"}
    http_method_names = ["post", "options"]

    def marked(self, request: Request, pk: int, service: Any) -> Response:
        """Mark it, and say how it stands."""
        row = find(ARTEFACTS, request.user, pk, "change")
        service(actor=request.user, artefact=row, reason=reason_of(request.data))
        row = find(ARTEFACTS, request.user, pk, "change")
        return Response(ArtefactShape(row, context={"request": request}).data)


class MarkBad(_Mark):
    """Mark an artefact as bad."""

    @extend_schema(
        summary="Mark an artefact as bad",
        request=Reason,
        responses={200: ArtefactShape},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Mark it; the reason is needed."""
        return self.marked(request, pk, marks.mark_bad)


class UnmarkBad(_Mark):
    """Take the mark away."""

    @extend_schema(
        summary="Take the bad mark away", request=Reason, responses={200: ArtefactShape}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Take it away."""
        return self.marked(request, pk, marks.unmark_bad)
