"""The form of a pipeline: stages as rows, groups, rules that are tried before they are kept; and its tabs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from appconf.models import Project
from delivery.models import Pipeline, PipelineTemplate
from tests.app_factories import grant_on, make_project
from tests.crud import ResourceTests
from tests.delivery.factories import (
    make_deploy,
    make_pipeline,
    make_pipeline_template,
    store_artefact,
)
from tests.delivery.pages.conftest import Place

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
STAGES = {
    "stages-0-kind": "build",
    "stages-0-title": "Make it",
    "stages-0-command": "make\r\nmake test",
    "stages-0-timeout": "600",
    "stages-1-kind": "distribute",
    "stages-2-kind": "activate",
    "stages-3-kind": "",
}


def as_program(sent: dict[str, Any]) -> dict[str, Any]:
    """Send stages as JSON, as a program does: the page sends rows."""
    return sent | {"stages": json.dumps(sent["stages"])}


class TestPipeline(ResourceTests):
    model = Pipeline

    def make(self, number: int = 0, *, outside: bool = False) -> Pipeline:
        return make_pipeline(name=f"pipeline {number}")

    def valid(self) -> dict[str, Any]:
        project = Project.objects.first() or make_project()
        return {"project": project.pk, "name": "web"}

    def _form(self, instance: Any, **values: Any) -> dict[str, Any]:
        return as_program(super()._form(instance, **values))


class TestPipelineTemplate(ResourceTests):
    model = PipelineTemplate

    def make(self, number: int = 0, *, outside: bool = False) -> PipelineTemplate:
        return make_pipeline_template(f"template {number}")

    def valid(self) -> dict[str, Any]:
        return {"name": "usual"}

    def _form(self, instance: Any, **values: Any) -> dict[str, Any]:
        return as_program(super()._form(instance, **values))


def add(client: Client, project: Project, **fields: Any) -> Any:
    values = {"project": project.pk, "name": "web", "is_active": "on", **STAGES}
    return client.post(reverse("delivery:pipeline_add"), values | fields)


def test_stages_are_rows_in_their_order(
    client_of: Signed, admin: User, here: Place
) -> None:
    answer = add(client_of(admin), here.project, exclude=".git\r\nnode_modules\r\n")
    assert answer.status_code == 302
    made = Pipeline.objects.get(name="web")
    assert made.stages == [
        {
            "kind": "build",
            "title": "Make it",
            "command": "make\nmake test",
            "timeout": 600,
        },
        {"kind": "distribute"},
        {"kind": "activate"},
    ]
    assert made.exclude == ".git\nnode_modules\n"
    assert made.keep == 5


def test_a_new_pipeline_begins_with_distribute_and_switch(
    client_of: Signed, admin: User
) -> None:
    text = client_of(admin).get(reverse("delivery:pipeline_add")).content.decode()
    assert '<option value="distribute" selected>' in text
    assert '<option value="activate" selected>' in text
    assert 'name="stages-2-kind"' in text


def test_a_command_is_for_all_hosts_or_for_the_first(
    client_of: Signed, admin: User, here: Place
) -> None:
    client = client_of(admin)
    migrate = {
        "stages-2-kind": "command",
        "stages-2-command": "./migrate",
        "stages-3-kind": "activate",
    }
    for on, kept in (("first", {"on": "first"}), ("all", {}), ("", {})):
        Pipeline.objects.filter(name="web").delete()
        assert add(client, here.project, **migrate, **{"stages-2-on": on}).status_code
        made = Pipeline.objects.get(name="web")
        command = {"kind": "command", "command": "./migrate"}
        assert made.stages[2] == command | kept
        page = client.get(reverse("delivery:pipeline_edit", args=[made.pk]))
        chosen = '<option value="first" selected>' in page.content.decode()
        assert chosen == bool(kept)
        way = client.get(made.get_absolute_url(), {"tab": "way"}).content.decode()
        assert ("on the first host only" in way) == bool(kept)


def test_a_new_pipeline_begins_with_what_its_project_says(
    client_of: Signed, admin: User, here: Place, elsewhere: Place, deployer: User
) -> None:
    says = {"restart_command": "sv restart x", "health_url": "https://x.example/up"}
    Project.objects.filter(pk__in=(here.project.pk, elsewhere.project.pk)).update(
        **says
    )
    address = reverse("delivery:pipeline_add")
    asked = {"project": here.project.pk}
    text = client_of(admin).get(address, asked).content.decode()
    assert "sv restart x</textarea>" in text
    assert '<option value="http" selected>' in text
    assert 'value="https://x.example/up"' in text
    assert "sv restart x" not in client_of(admin).get(address).content.decode()
    # What the address names itself counts, and nobody reads here of a project beyond the own scope.
    text = client_of(admin).get(address, asked | {"restart": "other"}).content.decode()
    assert "sv restart x" not in text
    grant_on(deployer, ["delivery.add_pipeline"], here.project.product_line)
    client = client_of(deployer)
    for project in (elsewhere.project.pk, "9" * 5000, "x"):
        page = client.get(address, {"project": project})
        assert page.status_code == 200
        assert "sv restart x" not in page.content.decode()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"stages-0-kind": "shell"}, "kind is not known"),
        ({"stages-1-kind": "activate"}, "one stage to distribute"),
        ({"stages-0-timeout": "soon"}, "number of seconds"),
        ({"stages-0-command": ""}, "needs a command"),
        ({"stages-0-on": "first"}, "only a command on the hosts"),
        ({"stages-0-on": "moon"}, "runs on `all` hosts"),
        ({"batches": "half"}, "no size of a batch"),
        ({"shared_paths": "../etc"}, "no path within a release"),
        ({"health_kind": "http"}, "Say what is to be asked"),
        ({"guarded_kinds": "moon"}, "valid choice"),
        ({"keep": "1"}, "greater than or equal to 2"),
    ],
)
def test_what_makes_no_sense_is_refused_with_words(
    client_of: Signed, admin: User, here: Place, fields: dict[str, str], words: str
) -> None:
    answer = add(client_of(admin), here.project, **fields)
    assert answer.status_code == 422
    assert words in answer.content.decode().replace("&#x27;", "'")
    assert not Pipeline.objects.filter(name="web").exists()


def test_a_pipeline_that_has_delivered_stays_with_its_project(
    client_of: Signed, admin: User, here: Place, elsewhere: Place
) -> None:
    make_deploy(here.environment, pipeline=here.pipeline)
    address = reverse("delivery:pipeline_edit", args=[here.pipeline.pk])
    sent = {"project": elsewhere.project.pk, "name": "x", **STAGES}
    answer = client_of(admin).post(address, sent)
    assert answer.status_code == 422
    assert "stays with its project" in answer.content.decode()


def test_rules_are_tried_on_the_newest_artefact(
    client_of: Signed, admin: User, here: Place, tmp_path: Path
) -> None:
    store_artefact(here.project, tmp_path / "1", app_py="x" * 2048, notes_md="y")
    client = client_of(admin)
    address = reverse("delivery:pipeline_rules")
    sent = {"project": here.project.pk, "include": "", "exclude": "*.md"}
    text = client.post(address, sent).content.decode()
    assert "take 1 (2 KiB)" in text
    assert "notes.md" in text
    assert "Choose a project" in client.post(address, {}).content.decode()
    wrong = client.post(address, sent | {"exclude": "x" * 600}).content.decode()
    assert "too long" in wrong


def test_rules_are_not_tried_on_what_one_may_not_see(
    client_of: Signed, here: Place, elsewhere: Place, deployer: User, tmp_path: Path
) -> None:
    store_artefact(elsewhere.project, tmp_path / "1", secret_py="x")
    line = here.project.product_line
    grant_on(deployer, ["delivery.change_pipeline", "delivery.view_artefact"], line)
    sent = {"project": elsewhere.project.pk}
    text = client_of(deployer).post(reverse("delivery:pipeline_rules"), sent)
    assert "secret.py" not in text.content.decode()


def test_the_tabs_of_a_pipeline_open_and_a_template_counts(
    client_of: Signed, admin: User, here: Place
) -> None:
    template = make_pipeline_template("usual", policy="one_by_one", restart="true")
    here.pipeline.template = template
    here.pipeline.save()
    client = client_of(admin)
    page = here.pipeline.get_absolute_url()
    way = client.get(page, {"tab": "way"}).content.decode()
    assert "one host at a time" in way
    assert "It follows the template usual" in way
    for tab in ("overview", "deploys", "live"):
        assert client.get(page, {"tab": tab}).status_code == 200
    followed = client.get(template.get_absolute_url(), {"tab": "pipelines"})
    assert str(here.pipeline) in followed.content.decode()
