"""The form of a task module within a form of work: its questions, its answers, and which of them nobody may see."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tasks.launching.rows import RowsField
from tasks.models import TaskModule
from tasks.taskmodules.forms import CONFIRMED, PREFIX, ModuleForm, form_for
from tasks.taskmodules.parsing import DefinitionError, from_values


class AnswersWidget(forms.Widget):
    """Draws nothing: the page draws the module's own form. Takes an object that a program gave."""

    is_hidden = False
    template_name = "tasks/widgets/nothing.html"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Give the object of a program; None from a page."""
        return data.get(name)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Say no: the module's form has them."""
        return False


class AnswersField(RowsField):
    """The answers to a module's questions, without the secret ones."""

    none = dict
    widget = AnswersWidget

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Leave it to the form, which knows the module's questions."""
        return False


class AnswersMixin(forms.Form):
    """Shows and checks the questions of the chosen task module; `typed_answers` are the secret ones that were typed."""

    user: Any
    instance: Any
    held: dict[str, str]

    answers = AnswersField(label=gettext_lazy("answers"), required=False)

    module_form: ModuleForm | None = None
    module_problem = ""
    secret_fields: tuple[str, ...] = ()
    typed_answers: dict[str, str]

    def open_answers(self) -> None:
        """Make the module's form where one is chosen."""
        self.typed_answers = {}
        module = self.chosen_module()
        if module is None or "answers" not in self.fields:
            return
        given = self.initial.get("answers") or {}
        try:
            made = from_values(module.definition).fields
            names = tuple(one.name for one in made if one.is_secret)
            kept = set(names) & set(self.held)
            data = self._answer_data({one.name: one.default for one in made})
            form = form_for(module, self.user, data, given, kept=kept)
        except DefinitionError as error:
            self.module_problem = str(error)
            return
        self.module_form, self.secret_fields = form, names

    def chosen_module(self) -> TaskModule | None:
        """Give the task module that the form is open for."""
        if getattr(self, "kind", "") != "task_module":
            return None
        field: Any = self.fields.get("task_module")
        asked = self.initial.get("task_module")
        if field is None:
            return self.instance.task_module
        if self.is_bound:
            asked = self.data.get(self.add_prefix("task_module"))
        key = str(getattr(asked, "pk", asked) or "")
        rows = field.queryset
        return rows.filter(pk=int(key)).first() if key.isdecimal() else None

    def _answer_data(self, defaults: dict[str, Any]) -> Any:
        """Give what was sent to the module's form: by a page as it is, by a program from its object."""
        if not self.is_bound:
            return None
        name = self.add_prefix("answers")
        if name not in self.data:
            return self.data
        given, secret = self.data.get(name), self.data.get("secret_answers")
        values = defaults | (given if isinstance(given, dict) else {})
        values |= secret if isinstance(secret, dict) else {}
        sent = {f"{PREFIX}-{key}": v for key, v in values.items() if v is not None}
        return {**sent, f"{PREFIX}-{CONFIRMED}": "on"}

    def settle_answers(self, cleaned: dict[str, Any]) -> None:
        """Check the answers; the secret ones go to the other secrets."""
        if "answers" not in self.fields:
            return
        cleaned["answers"] = {}
        if self.module_problem:
            self.add_error("task_module", self.module_problem)
        if self.module_form is None:
            return
        fine = self.module_form.is_valid()
        self.typed_answers = self.module_form.secret_answers()
        if fine:
            cleaned["answers"] = self.module_form.answers()
        else:
            self.add_error("answers", _("Some answers are not right."))
            if self.add_prefix("answers") in self.data:
                # A page says it beside each question, a program is told here.
                for name, texts in self.module_form.errors.items():
                    self.add_error("answers", [f"{name}: {text}" for text in texts])
