"""What walks of the corpus of hostile values begin with: one of everything, a token of an administrator, a file that nothing may make."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.test import Client
from django.urls import reverse

from adminset.crud.resource import Resource, all_resources
from tests.app_factories import make_application
from tests.delivery.factories import make_delivery, make_pipeline_template
from tests.delivery.safety.safety_things import Paper
from tests.delivery.triggers.conftest import source, wished
from tests.tasks.injection_corpus import CORPUS, against
from tests.tasks.run_api.api_things import token_of

__all__ = ["source", "wished"]
ROOMS = ("appconf", "delivery")
WORDS = (forms.CharField, forms.JSONField, forms.RegexField)
FINE = {200, 201, 400, 404, 409, 413, 422}
# Their bodies are read whole: long ones are bounded by the portal (tests/adminset).
SOME = {why: value for why, value in CORPUS.items() if len(value) < 2000}
# Fields that come to a shell, git or svn, a path of the portal or of a host, or a header: each meets all of it. Templates of
# pipelines have the form of pipelines.
_WAY = (
    "stages",
    "include",
    "exclude",
    "shared_paths",
    "cache_paths",
    "before_switch",
    "restart",
    "after_switch",
    "drain",
    "back",
    "switch_command",
    "health_target",
    "health_content",
)
REACHING = {
    "variable": ("name", "value"),
    "configfile": (
        "path",
        "owner",
        "group",
        "mode",
        "validate_command",
        "reload_command",
        "text",
    ),
    "project": (
        "code",
        "source_address",
        "deploy_path",
        "config_path",
        "health_url",
        "run_user",
        "run_group",
        "log_path",
        "ports",
    ),
    "environment": ("code", "deploy_path", "config_path"),
    "package": ("version", "url", "sha256"),
    "pipeline": _WAY,
    "deployschedule": ("ref",),
    "followup": ("branch",),
    "githook": ("secret", "branches", "tags", "paths"),
}
MARKUP = "<script>fetch('//x')</script>"


def resources() -> list[Resource]:
    reverse("delivery:live")
    return [one for one in all_resources() if one.app_label in ROOMS]


def text_fields(resource: Resource) -> list[str]:
    """Name the inputs of a form that take text."""
    fields = resource.form.base_fields
    return [
        n
        for n, f in fields.items()
        if isinstance(f, WORDS) and not isinstance(f, forms.ModelChoiceField)
    ]


@pytest.fixture
def keys(paper: Paper, settings: Any, tmp_path: Path) -> dict[str, int]:
    """Give one of everything."""
    settings.BUILD_DIR = tmp_path / "builds"
    template = make_pipeline_template()
    made = make_application(paper.hosts[0]) | make_delivery(
        paper.environment, paper.hosts[0], paper.user
    )
    return made | {"pipelinetemplate": template.pk}


@pytest.fixture
def proof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file that nothing may make, here or elsewhere."""
    monkeypatch.chdir(tmp_path)
    there = tmp_path / "proof"
    yield there
    assert not there.exists()


@pytest.fixture
def api(paper: Paper) -> Client:
    bearer = f"Bearer {token_of(paper.user)}"
    return Client(headers={"Authorization": bearer}, raise_request_exception=True)


def all_values(proof: Path) -> dict[str, str]:
    return against(proof, CORPUS)


def values(proof: Path) -> dict[str, str]:
    return against(proof, SOME)
