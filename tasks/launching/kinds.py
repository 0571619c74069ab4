"""The kinds of work as forms know them: which fields each has, what it cannot do without, how its inputs look."""

from collections.abc import Callable

from django import forms
from django.utils.translation import gettext as _

from tasks.models import Work

Kind = Work.Kind
ANSIBLE = (Kind.MODULE, Kind.PLAYBOOK, Kind.ROLE)
OF_KIND: dict[str, tuple[str, ...]] = {
    Kind.COMMAND: ("command",),
    Kind.SCRIPT: ("script", "language", "script_text", "script_arguments"),
    Kind.MODULE: ("module", "arguments"),
    Kind.PLAYBOOK: ("playbook",),
    Kind.ROLE: ("role",),
    Kind.FILES: ("distribution",),
    Kind.TASK_MODULE: ("task_module", "answers"),
}
# Fields whose kinds are several.
SHARED = {"options": ANSIBLE, "variables": ANSIBLE}
CONTROL = Work.CONTROL
# What must be something: left empty, it is what is usual.
USUAL = ("language", "forks", "pause_after", "together", "timeout_seconds")
WHAT = tuple(dict.fromkeys(name for names in OF_KIND.values() for name in names))
# Meta.fields of a form of work; with targets: TARGET_FIELDS besides.
WORK_FIELDS = ("kind", *WHAT, *SHARED, *CONTROL)
TARGET_FIELDS = ("hosts", "groups", "host_filter")
ICONS = {
    Kind.COMMAND: "terminal",
    Kind.SCRIPT: "file-code",
    Kind.MODULE: "puzzle-piece",
    Kind.PLAYBOOK: "book",
    Kind.ROLE: "cubes",
    Kind.FILES: "file-arrow-up",
    Kind.TASK_MODULE: "list-check",
}
WORK_WIDGETS: dict[str, forms.Widget] = {
    "kind": forms.HiddenInput(),
    "command": forms.Textarea(attrs={"rows": 4, "placeholder": "uname -a"}),
    "arguments": forms.Textarea(
        attrs={"rows": 2, "placeholder": "name=nginx state=restarted"}
    ),
    "module": forms.TextInput(
        attrs={"placeholder": "ping", "autocomplete": "off", "spellcheck": "false"}
    ),
    "script_text": forms.Textarea(attrs={"rows": 10}),
    "script_arguments": forms.TextInput(
        attrs={"autocomplete": "off", "spellcheck": "false"}
    ),
    "batches": forms.TextInput(
        attrs={"placeholder": "1 10% 50%", "autocomplete": "off"}
    ),
}
NEEDED: dict[str, tuple[str, Callable[[], str]]] = {
    Kind.COMMAND: ("command", lambda: _("Enter a command.")),
    Kind.SCRIPT: ("script_text", lambda: _("Choose a script or write one.")),
    Kind.MODULE: ("module", lambda: _("Enter the name of a module.")),
    Kind.PLAYBOOK: ("playbook", lambda: _("Choose a playbook.")),
    Kind.ROLE: ("role", lambda: _("Choose a role.")),
    Kind.FILES: ("distribution", lambda: _("Choose at least one file.")),
    Kind.TASK_MODULE: ("task_module", lambda: _("Choose a task module.")),
}
LIBRARY = ("script", "playbook", "role", "task_module")
