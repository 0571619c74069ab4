"""Task modules: one declaration, pages and REST endpoints follow from it."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from adminset.crud.resource import Action, Panel, Resource
from tasks.models import Run, TaskModule
from tasks.taskmodules.editing import TaskModuleForm
from tasks.taskmodules.filters import TaskModuleFilter
from tasks.taskmodules.forms import ModuleForm
from tasks.taskmodules.parsing import DefinitionError, from_values
from tasks.taskmodules.services import delete_module, save_module
from tasks.taskmodules.tables import TaskModuleTable

LATEST = 20
CHANGE = "tasks.change_taskmodule"


def _questions(request: HttpRequest, module: TaskModule) -> dict[str, Any]:
    try:
        definition = from_values(module.definition)
    except DefinitionError as error:
        return {"problems": error.findings}
    form = ModuleForm(definition, request.user, prefix="preview")
    return {"definition": definition, "questions": form}


def _runs(request: HttpRequest, module: TaskModule) -> dict[str, Any]:
    runs = Run.objects.visible_to(request.user).filter(task_module=module)
    return {
        "runs": runs.select_related("schedule", "playbook").defer("playbook_text")[
            :LATEST
        ]
    }


TASK_MODULES = Resource(
    model=TaskModule,
    table=TaskModuleTable,
    form=TaskModuleForm,
    filterset=TaskModuleFilter,
    path="task-modules",
    icon="puzzle-piece",
    search=("name", "title", "category", "description"),
    tabs=("tasks:taskmodule_gallery", "tasks:taskmodule_list"),
    panels=(
        Panel("form", _("Form"), "tasks/taskmodules/_form.html", _questions),
        Panel("definition", _("Definition"), "tasks/taskmodules/_definition.html"),
        Panel("runs", _("Runs"), "tasks/_runs.html", _runs, "tasks.view_run"),
    ),
    actions=(
        Action(
            _("Run"),
            "tasks:taskmodule_run",
            "play",
            "tasks.use_taskmodule",
            when=lambda module: module.enabled,
        ),
        Action(
            _("Copy"),
            "tasks:taskmodule_copy",
            "copy",
            "tasks.add_taskmodule",
            post=True,
            everywhere=True,
        ),
        Action(
            _("Turn off"),
            "tasks:taskmodule_disable",
            "pause",
            CHANGE,
            post=True,
            when=lambda module: module.enabled,
        ),
        Action(
            _("Turn on"),
            "tasks:taskmodule_enable",
            "power-off",
            CHANGE,
            post=True,
            when=lambda module: not module.enabled,
        ),
    ),
    detail_fields=("name", "category", "description", "file", "enabled", "sha256"),
    wide_fields=("text", "definition"),
    bulk_fields=("enabled",),
    api_fields=(
        "name",
        "title",
        "category",
        "description",
        "definition",
        "text",
        "file",
        "sha256",
        "enabled",
    ),
    save=save_module,
    delete=delete_module,
    verbs=frozenset({"add", "change", "delete", "revert"}),
)
