"""Makes templates, items of the library and task modules for tests of the launch."""

import itertools
from typing import Any

from accounts.models import User
from cmdb.models import Host
from tasks.models import TaskModule, Template

_numbers = itertools.count(1)


def make_template(host: Host | None, owner: User, **fields: Any) -> Template:
    """Make a template of a command, on a host where one is given."""
    name = fields.pop("name", "") or f"template {next(_numbers)}"
    values = {"command": "uptime", "owner": owner} | fields
    made = Template.objects.create(name=name, **values)
    if host is not None:
        made.hosts.add(host)
    return made


def make_module(*questions: dict[str, Any], run: str = "echo {word}") -> TaskModule:
    """Make a task module that runs a command; without questions it asks for a word."""
    number = next(_numbers)
    fields = list(questions) or [{"name": "word"}]
    definition = {
        "name": f"module-{number}",
        "title": f"Module {number}",
        "fields": fields,
        "command": run,
    }
    return TaskModule.objects.create(
        name=f"module-{number}", title=f"Module {number}", definition=definition
    )
