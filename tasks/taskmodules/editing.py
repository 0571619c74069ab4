"""The form in which a module is written: its YAML, checked as a file's is."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from adminset.crud.forms import ResourceForm
from tasks.models import TaskModule
from tasks.taskmodules.parsing import DefinitionError, parse
from tasks.taskmodules.services import fill

EXAMPLE = """\
name: say-hello
title: Say hello
category: Examples
fields: [{name: who, label: Whom to greet, default: world}]
script: echo "Hello $ADMINSET_WHO from $(hostname)"
"""


class TaskModuleForm(ResourceForm):
    """A task module; of one that belongs to a file only whether it is on can be changed."""

    class Meta:
        model = TaskModule
        fields = ("text", "enabled")
        widgets = {
            "text": forms.Textarea(attrs={"rows": 22, "class": "mono", "wrap": "off"})
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        text = self.fields["text"]
        text.required, text.strip = True, False  # type: ignore[attr-defined]
        # Shown, never sent: a program that sends no text has made no module.
        text.widget.attrs["placeholder"] = EXAMPLE
        if self.instance.file:
            text.disabled = True
            text.help_text = _("It belongs to the file %(file)s.") % {
                "file": self.instance.file
            }

    def clean_text(self) -> str:
        """Want a definition, under a name that no other module has."""
        text = str(self.cleaned_data["text"]).replace("\r\n", "\n")
        if self.instance.file:
            return self.instance.text
        try:
            definition, data = parse(text)
        except DefinitionError as error:
            raise forms.ValidationError([str(one) for one in error.findings]) from error
        others = TaskModule.objects.filter(name=definition.name)
        if others.exclude(pk=self.instance.pk).exists():
            words = _("There is a module %(name)s already: choose another name.")
            raise forms.ValidationError(words % {"name": definition.name})
        fill(self.instance, text, definition, data)
        return text
