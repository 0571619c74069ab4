"""Makes variables and configuration files for tests."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from appconf.config.versions import keep_text
from appconf.models import ConfigFile, ConfigVersion, Environment, Variable
from cmdb.models import Host, HostGroup, ProductLine

LEVELS: dict[type, str] = {
    ProductLine: "line",
    Environment: "environment",
    HostGroup: "group",
    Host: "host",
}


def make_variable(owner: Any, name: str, value: str = "", **fields: Any) -> Variable:
    """Make a variable of a product line, project, environment, group or host; `secret` seals one."""
    level = LEVELS.get(type(owner), "project")
    fields["is_secret"] = "secret" in fields
    return Variable.objects.create(
        level=level,
        name=name,
        value=value,
        **{Variable.OWNERS[level]: owner},
        **fields,
    )


def make_file(
    author: User,
    project: Any,
    text: str = "",
    path: str = "/etc/app.conf",
    **fields: Any,
) -> ConfigFile:
    """Make a file with a first version, if there is a text."""
    fields.setdefault("name", path.rpartition("/")[2])
    file = ConfigFile.objects.create(project=project, path=path, **fields)
    if text:
        keep_text(actor=author, file=file, text=text, reason="first")
    return file


def newest(file: ConfigFile) -> ConfigVersion:
    """Give the newest version of a file."""
    return file.versions.order_by("-number")[0]
