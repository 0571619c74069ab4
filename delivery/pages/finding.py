"""Rows of the room by who may see them or do something with them: 404 where they cannot be seen, 403 where that is not enough."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from adminset.querysets import may, permission_for
from appconf.models import Environment, Project
from delivery.models import Artefact, Build, Deploy, DeployLock, Pipeline

BROUGHT: dict[type[Model], tuple[str, ...]] = {
    Deploy: (
        "pipeline__project",
        "pipeline__template",
        "environment__project",
        "artefact__project",
        "retried_from",
    ),
    Artefact: ("project",),
    Build: ("project", "deploy", "artefact"),
    Pipeline: ("project", "template"),
    Environment: ("project",),
    Project: ("product_line",),
    DeployLock: ("environment__project", "deploy"),
}


def find(model: Any, user: Any, pk: int, action: str = "view") -> Any:
    """Get one row on which the user may do the action: what `adminset.crud.views.find` does, also for builds and locks, which are no resources.

    Raises:
        Http404: there is none, or it cannot be seen. PermissionDenied: it may only be looked at.
    """
    rows = model.objects.visible_to(user).select_related(*BROUGHT[model])
    row = rows.filter(pk=pk).first()
    if row is None:
        name = model._meta.verbose_name
        raise Http404(_("There is no such %(name)s.") % {"name": name})
    if action != "view" and not may(user, action, row):
        raise PermissionDenied(permission_for(model, action))
    return row


def environments_to(user: Any, pipeline: Pipeline) -> QuerySet[Environment]:
    """Give the environments to which a pipeline may go and the user may deploy, in the order of travel."""
    rows = pipeline.reached(Environment.objects.visible_to(user, "deploy"))
    return rows.order_by("position", "name", "pk")


def pipelines_to(user: Any, environment: Environment) -> list[Pipeline]:
    """Give the active pipelines that go to an environment, as far as the user sees them."""
    rows = Pipeline.objects.visible_to(user).going_to(environment)
    return list(rows.filter(is_active=True).select_related("project", "template"))
