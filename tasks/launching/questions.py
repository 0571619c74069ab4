"""What the page asks while it is filled in: how many hosts a filter finds, and which questions a task module has."""

from dataclasses import dataclass, field
from typing import Any, Self

from cmdb.models import Host
from tasks.launching import host_filter
from tasks.models import TaskModule
from tasks.taskmodules.forms import ModuleForm, form_for
from tasks.taskmodules.parsing import DefinitionError

FIRST = 8


@dataclass(frozen=True)
class FilterQuestion:
    """What a filter of the host list finds now.

    Attributes:
        count: hosts on which the user may run work. seen: hosts that he sees. problems: why it cannot be asked.
    """

    query: str = ""
    count: int = 0
    seen: int = 0
    names: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, user: Any, text: str) -> Self:
        """Ask."""
        if not text.strip():
            return cls()
        try:
            query = host_filter.filter_of(text)
        except ValueError as error:
            return cls(problems=[str(error)])
        if problems := host_filter.problems_of(user, query):
            return cls(query, problems=problems)
        found = host_filter.matching_hosts(user, query).order_by()
        runs = Host.objects.visible_to(user, "run")
        mine = runs.filter(pk__in=found.values("pk"))
        names = mine.order_by("hostname", "pk").values_list("hostname", flat=True)
        return cls(query, mine.count(), found.count(), list(names[:FIRST]))

    @property
    def more(self) -> bool:
        """Whether there are more than the named ones."""
        return self.count > len(self.names)


def module_questions(user: Any, key: str) -> tuple[ModuleForm | None, str]:
    """Give the form of a task module, None while none is chosen; and why there is none, where its definition is broken.

    Raises:
        LookupError: there is no such module that the user may run.
    """
    if not key:
        return None, ""
    rows = TaskModule.objects.visible_to(user, "use").filter(enabled=True)
    number = int(key) if key.isascii() and key.isdecimal() and len(key) < 16 else 0
    found = rows.filter(pk=number).first()
    if found is None:
        raise LookupError(key)
    try:
        return form_for(found, user), ""
    except DefinitionError as error:
        return None, str(error)
