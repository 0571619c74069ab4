"""REST of runs: ask, look, read on, stop, pause, go on, repeat; judged by the same forms and services as the pages."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from adminset.crud.api import viewset_of
from adminset.crud.endpoint import ResourceEndpoint
from adminset.crud.rest import Pagination
from adminset.crud.views import find
from tasks import output, tasks
from tasks.feed import hosts_seen
from tasks.resources import RUNS
from tasks.run_api import asking, inputs, reading, starting
from tasks.run_api.repeated import REPLAYED, once
from tasks.run_api.shapes import (
    HOSTS_QUERY,
    OUTPUT_QUERY,
    REPEAT_KEY,
    Follow,
    HostOfRun,
    Launch,
    PieceShape,
    Repeat,
    RunDetail,
)
from tasks.run_api.waiting import patiently
from tasks.services import cancel, control

STANDS = {200: RunDetail}
MADE = {
    200: OpenApiResponse(
        RunDetail, description="What the same request made before; or of a dry run."
    ),
    201: RunDetail,
}


def answer(request: Request, pk: int, action: str, **kwargs: Any) -> Response:
    """Answer with a run as it stands now: who may do something with it without looking at runs is told too."""
    rows = RUNS.rows(request.user, action)
    found = RUNS.for_list(rows, request.user).filter(pk=pk).first()
    if found is None:
        raise Http404(_("There is no such run (any more)."))
    return Response(RunDetail(found, context={"request": request}).data, **kwargs)


def made(request: Request, pk: int, replayed: bool) -> Response:
    """Answer with a run that was asked for: 201, or 200 where it was there before."""
    if replayed:
        return answer(request, pk, "add", headers={REPLAYED: "true"})
    return answer(request, pk, "add", status=status.HTTP_201_CREATED)


@extend_schema_view(
    retrieve=extend_schema(summary="How a run stands", responses=STANDS),
    create=extend_schema(
        summary="Run something",
        description="The fields of the launch page, hosts and groups by id or name; or `template` with `values`; a task module "
        "with `answers`. `dry_run` says what would happen. Several hosts, one of them critical, go in batches unless "
        "`batches` or `without_batches` says otherwise.",
        request=Launch,
        responses=MADE,
        parameters=[REPEAT_KEY],
    ),
)
class Runs(viewset_of(RUNS)):  # type: ignore[misc]
    """The list of runs, one run, and asking for one."""

    http_method_names = ["get", "post", "head", "options"]

    def get_serializer_class(self) -> Any:
        """Give the longer shape of one run."""
        return (
            RunDetail if self.action == "retrieve" else super().get_serializer_class()
        )

    def create(self, request: Request) -> Response:
        """Ask for a run."""
        asked = asking.asked_of(request.user, request.data)
        if asking.is_set(request.data, "dry_run"):
            return Response(starting.told(request.user, asked))

        def begin() -> int:
            run = starting.start(actor=request.user, asked=asked)
            tasks.send(run.pk)
            return run.pk

        return made(request, *once(request, begin))


class _OfRun(ResourceEndpoint):
    """What the endpoints of one run share."""

    resource = RUNS
    permission = "tasks.view_run"
    http_method_names = ["get", "head", "options"]


class Hosts(_OfRun):
    """The hosts of a run."""

    pagination_class = Pagination

    @extend_schema(
        summary="Hosts of a run",
        parameters=HOSTS_QUERY,
        responses=HostOfRun(many=True),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Give a page of them."""
        rows = hosts_seen(request.user, reading.find_run(request.user, pk))
        wanted = inputs.statuses(request.query_params.getlist("status"))
        if wanted:
            rows = rows.filter(status__in=wanted)
        if q := inputs.text(request.query_params.get("q", "")):
            rows = rows.filter(host_name__icontains=q)
        pages = Pagination()
        page = pages.paginate_queryset(rows.order_by("host_name", "pk"), request)
        return pages.get_paginated_response(HostOfRun(page, many=True).data)


class Output(_OfRun):
    """The output of one host of a run, or of the run as a whole."""

    @extend_schema(
        summary="Output of a run, by offset",
        parameters=OUTPUT_QUERY,
        responses={200: PieceShape},
    )
    def get(self, request: Request, pk: int) -> Response:
        """Give what is there from an offset on; wait for it if asked."""
        query, user = request.query_params, request.user
        run = reading.find_run(user, pk)
        named = query.get("host", "")
        host = reading.find_host(user, run, named) if named else None
        offset = inputs.whole_number("offset", query.get("offset") or 0)
        piece = patiently(
            lambda: reading.piece_of(user, pk, host, offset),
            lambda told: output.size(pk, host) > told["size"],
            inputs.seconds(query.get("wait") or 0),
        )
        return Response(piece)


class FollowRun(_OfRun):
    """Many hosts of a run at once."""

    needs = {"POST": "view"}
    http_method_names = ["post", "options"]

    @extend_schema(
        summary="Follow a run",
        description="Send where you are with each host (its number in the run, the bytes you have, the status you know); the "
        "answer has what is new. Add `whole` (bytes) for the output of the run as a whole. Nothing is written.",
        request=Follow,
        responses={200: OpenApiResponse(description="{run, pieces, hosts, more}")},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Give what is new; wait for it if asked."""
        asked = inputs.follow(request.data)
        user = request.user
        news = patiently(
            lambda: reading.news_of(user, pk, asked.places, asked.whole),
            lambda found: found.grew(),
            asked.wait,
        )
        return Response(
            {
                "run": reading.standing(user, news.run),
                "pieces": news.pieces,
                "hosts": news.hosts,
                "more": news.more,
            }
        )


class _Act(_OfRun):
    http_method_names = ["post", "options"]


class Cancel(_Act):
    """Stop a run."""

    permission = "tasks.cancel_run"
    needs = {"POST": "cancel"}

    @extend_schema(summary="Cancel a run", request=None, responses=STANDS)
    def post(self, request: Request, pk: int) -> Response:
        """Stop it."""
        run = find(RUNS, request.user, pk, "cancel")
        cancel.cancel_run(actor=request.user, run=run)
        return answer(request, pk, "cancel")


class Pause(_Act):
    """Pause a run."""

    permission = "tasks.control_run"
    needs = {"POST": "control"}

    @extend_schema(summary="Pause a run", request=None, responses=STANDS)
    def post(self, request: Request, pk: int) -> Response:
        """Let what runs come to its end and begin nothing new."""
        run = find(RUNS, request.user, pk, "control")
        control.pause_run(actor=request.user, run=run)
        return answer(request, pk, "control")


class Resume(_Act):
    """Let a run go on."""

    permission = "tasks.control_run"
    needs = {"POST": "control"}

    @extend_schema(summary="Let a paused run go on", request=None, responses=STANDS)
    def post(self, request: Request, pk: int) -> Response:
        """Let it go on."""
        run = find(RUNS, request.user, pk, "control")
        control.resume_run(actor=request.user, run=run)
        return answer(request, pk, "control")


class Again(_Act):
    """Repeat a run."""

    permission = "tasks.add_run"
    needs = {"POST": "add"}

    @extend_schema(
        summary="Repeat a run",
        description="With the texts and versions that it had; on all of its hosts, or on some: `hosts` names how it ended there.",
        request=Repeat,
        responses=MADE,
        parameters=[REPEAT_KEY],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Ask for the same once more."""
        run = find(RUNS, request.user, pk)
        chosen = inputs.selection(request.data)

        def begin() -> int:
            again = tasks.enqueue_repeat(
                actor=request.user,
                run=run,
                failed_only="not_ok" in chosen,
                selection=chosen,
            )
            return again.pk

        return made(request, *once(request, begin))
