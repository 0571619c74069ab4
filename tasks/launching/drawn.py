"""What a page draws of a form of work (templates/tasks/_work_fields.html), and what it carries to the next page."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.conf import settings

from tasks.launching.kinds import ANSIBLE, CONTROL, ICONS, NEEDED, OF_KIND, SHARED, Kind
from tasks.launching.targets import TARGETS


def usual() -> dict[str, Any]:
    """Give the values of new work that settings decide."""
    return {
        "timeout_seconds": settings.RUN_TIMEOUT_SECONDS,
        "forks": settings.RUN_FORKS,
    }


class DrawnMixin(forms.Form):
    """The inputs by section, as bound fields."""

    kind: str
    data: Any
    instance: Any
    token: Callable[[], str]
    secret_fields: tuple[str, ...]

    def hidden_fields(self) -> list[forms.BoundField]:
        """List those that a page draws without knowing them; secrets are none of them."""
        apart = {"kept_secrets", "secret_answers", "kind"}
        return [b for b in super().hidden_fields() if b.name not in apart]

    def kinds(self) -> list[dict[str, Any]]:
        """List the kinds of work, each with its fields."""
        return [
            {
                "value": kind.value,
                "title": kind.label,
                "icon": ICONS[kind],
                "active": kind.value == self.kind,
                "fields": [
                    self[name]
                    for name in OF_KIND[kind]
                    if name in self.fields and name != "answers"
                ],
                "ansible": kind in ANSIBLE,
            }
            for kind in Kind
        ]

    def carried(self) -> list[tuple[str, str]]:
        """List what was sent, for hidden inputs of the next page: secrets only sealed, a file as the lines it had."""
        ours = {"answer" if name == "answers" else name for name in self.fields}
        secret = {f"answer-{name}" for name in self.secret_fields}
        found = [
            (str(name), str(value))
            for name, values in self.data.lists()
            for value in values
            if str(name).partition("-")[0] in ours
            and name not in {*secret, "kept_secrets"}
            and not self._is_secret_row(str(name))
        ]
        return [*found, ("kept_secrets", self.token())]

    def _is_secret_row(self, name: str) -> bool:
        row, _dash, column = name.rpartition("-")
        return (
            name.startswith("variables-")
            and column == "value"
            and bool(self.data.get(f"{row}-secret"))
        )

    def _some(self, names: Iterable[str]) -> list[Any]:
        return [self[name] for name in names if name in self.fields]

    @property
    def kind_field(self) -> forms.BoundField | None:
        """The choice of the kind; None where it is fixed."""
        return self["kind"] if "kind" in self.fields else None

    @property
    def task_module_field(self) -> forms.BoundField | None:
        """The choice of the task module; None where it is fixed."""
        return self["task_module"] if "task_module" in self.fields else None

    @property
    def title_field(self) -> forms.BoundField | None:
        """The title of a run; None for what has none."""
        return self["title"] if "title" in self.fields else None

    @property
    def main_field(self) -> forms.BoundField | None:
        """What the kind cannot do without; None where it is fixed."""
        name = NEEDED[self.kind][0]
        return self[name] if name in self.fields else None

    @property
    def answers_errors(self) -> Any:
        """What is wrong with the answers."""
        return self.errors.get("answers", ())

    @property
    def is_ansible(self) -> bool:
        """Whether the kind is one of Ansible's."""
        return self.kind in ANSIBLE

    def ansible_fields(self) -> list[Any]:
        """Give the inputs of Ansible's kinds."""
        return self._some(SHARED)

    def target_fields(self) -> list[Any]:
        """Give the inputs of where."""
        return self._some((*TARGETS, "host_file"))

    def control_fields(self) -> list[Any]:
        """Give the inputs of how it is kept in hand."""
        return self._some(CONTROL)

    def control_open(self) -> bool:
        """Say whether the folded part shows: something in it is wrong, or not as usual."""
        blank, ours = type(self.instance)(), usual()
        for bound in self.control_fields():
            start = ours.get(bound.name, getattr(blank, bound.name))
            if bound.errors or str(bound.value() or "") != str(start or ""):
                return True
        return False
