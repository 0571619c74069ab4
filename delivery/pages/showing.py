"""Heads of pages: title and the way back."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from delivery.models import Artefact, Deploy, Pipeline


def head(title: str, *before: tuple[Any, str | None]) -> dict[str, Any]:
    """Give title and breadcrumbs; before: (words, address) of the pages above."""
    # A page with nothing above it says its name once.
    return {"page_title": title, "crumbs": [*before, (title, None)] if before else []}


def of_deploy(deploy: Deploy, title: str = "") -> dict[str, Any]:
    """Give the head of a deploy's page, or of a page below it."""
    before: list[tuple[Any, str | None]] = [
        (_("Deploys"), reverse("delivery:deploy_list"))
    ]
    if title:
        before.append((str(deploy), deploy.get_absolute_url()))
    return {"deploy": deploy} | head(title or str(deploy), *before)


def of_pipeline(pipeline: Pipeline, title: str) -> dict[str, Any]:
    """Give the head of a page below a pipeline."""
    above = (_("Pipelines"), reverse("delivery:pipeline_list"))
    own = (str(pipeline), pipeline.get_absolute_url())
    return {"pipeline": pipeline} | head(title, above, own)


def of_artefact(artefact: Artefact, title: str) -> dict[str, Any]:
    """Give the head of a page below an artefact."""
    above = (_("Artefacts"), reverse("delivery:artefact_list"))
    own = (str(artefact), artefact.get_absolute_url())
    return {"artefact": artefact} | head(title, above, own)
