"""The further tabs of a pipeline's and an artefact's page."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from adminset.crud.resource import Panel
from adminset.errors import DomainError
from cmdb.models import Host
from delivery.artefacts import store
from delivery.models import Artefact, Deploy, Pipeline, PipelineTemplate
from delivery.planning.planning import commands_of
from delivery.planning.shown import policy_words, ways_of
from delivery.progress import with_progress
from delivery.selectors import places_of_project, reached_by
from delivery.stages import title_of

LATEST = 20
FILES_PER_PAGE = 100


def _deploys(rows: Any) -> list[Deploy]:
    related = ("pipeline__project", "environment__project", "artefact__project")
    found = with_progress(rows.select_related(*related).defer("plan"))
    return list(found.order_by("-pk")[:LATEST])


def way(request: HttpRequest, pipeline: Any) -> dict[str, Any]:
    """Give the way of a pipeline or a template in words: stages, commands, policy."""
    own = getattr(pipeline, "way", pipeline)
    frozen = own.frozen()
    return {
        "way": own,
        "stages": [(title_of(stage), stage) for stage in own.stages],
        "commands": commands_of(own),
        "ways": ways_of(request.user, frozen),
        "policy": policy_words(frozen),
    }


def deploys_of_pipeline(request: HttpRequest, pipeline: Pipeline) -> dict[str, Any]:
    """Give its newest deploys."""
    rows = Deploy.objects.visible_to(request.user).filter(pipeline=pipeline)
    return {"deploys": _deploys(rows), "narrow": f"pipeline={pipeline.pk}"}


def live_of_pipeline(request: HttpRequest, pipeline: Pipeline) -> dict[str, Any]:
    """Give what is live in the environments of its project."""
    return {
        "places": places_of_project(request.user, pipeline.project),
        "pipeline": pipeline,
        "reached": reached_by(pipeline),
    }


def followers(request: HttpRequest, template: PipelineTemplate) -> dict[str, Any]:
    """Give the pipelines that follow a template."""
    rows = Pipeline.objects.visible_to(request.user).filter(template=template)
    return {"pipelines": list(rows.select_related("project")[:200])}


def where_live(request: HttpRequest, artefact: Artefact) -> dict[str, Any]:
    """Give where an artefact is live, and the deploys that brought it."""
    seen = Host.objects.visible_to(request.user)
    rows = artefact.live_on.select_related("environment__project", "host")
    shown = rows.filter(host__in=seen).order_by("environment", "host__hostname")
    deploys = Deploy.objects.visible_to(request.user).filter(artefact=artefact)
    return {
        "rows": list(shown[:500]),
        "hidden": rows.count() - shown.count(),
        "deploys": _deploys(deploys),
        "narrow": f"project={artefact.project_id}&release={artefact.number}",
    }


def files(request: HttpRequest, artefact: Artefact) -> dict[str, Any]:
    """Give a page of its files, narrowed by a part of their path."""
    wanted = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    try:
        entries = store.manifest(artefact.sha256).entries
    except DomainError as error:
        return {"problem": error}
    found = [one for one in entries if wanted.lower() in one.path.lower()]
    page = Paginator(found, FILES_PER_PAGE).get_page(request.GET.get("page"))
    return {"page": page, "q": wanted}


OF_PIPELINE = (
    Panel("way", _("Stages and policy"), "delivery/_way.html", way),
    Panel(
        "deploys",
        _("Deploys"),
        "delivery/_deploys.html",
        deploys_of_pipeline,
        "delivery.view_deploy",
    ),
    Panel(
        "live",
        _("What is live where"),
        "delivery/_places.html",
        live_of_pipeline,
        "delivery.view_liverelease",
    ),
)
OF_TEMPLATE = (
    Panel("way", _("Stages and policy"), "delivery/_way.html", way),
    Panel(
        "pipelines",
        _("Followed by"),
        "delivery/_followers.html",
        followers,
        "delivery.view_pipeline",
    ),
)
OF_ARTEFACT = (
    Panel(
        "live",
        _("Where it is live"),
        "delivery/_artefact_live.html",
        where_live,
        "delivery.view_liverelease",
    ),
    Panel("files", _("Files"), "delivery/_artefact_files.html", files),
)
