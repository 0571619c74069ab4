"""Tabs: the text of a file, its versions, what it becomes on a host; of an environment the variables that win there, and its files."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.crud.resource import Panel
from adminset.unseen import lines_of, visible
from appconf.config.judging import acts_on
from appconf.config.precedence import (
    Candidate,
    Decided,
    level_names,
)
from appconf.config.questions import files_of, in_force, newest_of, version_in_force
from appconf.config.rendering import preview, seen_by
from appconf.config.resolving import resolve
from appconf.models import ConfigFile, ConfigVersion, Environment
from appconf.vouching import hosts_of
from cmdb.models import Host

MOST_HOSTS = 500
MOST_VERSIONS = 200
VIEW_VARIABLE = "appconf.view_variable"


def content_context(request: HttpRequest, file: ConfigFile) -> dict[str, Any]:
    """Give the version that is open (`?version=`, else the newest) with its lines, and the one that counts."""
    version = _numbered(request, file) or newest_of(file)
    force = version_in_force(file)
    return {
        "version": version,
        "force": force,
        "lines": lines_of(version.text) if version else [],
        "size": len(version.text.encode()) if version else 0,
    }


def _numbered(request: HttpRequest, file: ConfigFile) -> ConfigVersion | None:
    asked = request.GET.get("version", "")
    if not (asked.isascii() and asked.isdigit() and len(asked) < 9):
        return None
    return file.versions.filter(number=int(asked)).first()


def versions_context(request: HttpRequest, file: ConfigFile) -> dict[str, Any]:
    """Give the newest versions, each with what the reader may do about it."""
    rows = list(file.versions.defer("text").order_by("-number")[:MOST_VERSIONS])
    for row in rows:
        row.file = file
    force = version_in_force(file)
    return {
        "versions": [(row, acts_on(request.user, row)) for row in rows],
        "comparable": len(rows) > 1,
        "force": force,
    }


def preview_context(request: HttpRequest, file: ConfigFile) -> dict[str, Any]:
    """Give what a version becomes in an environment (`?environment=`) on a host (`?host=`)."""
    version = _numbered(request, file) or version_in_force(file) or newest_of(file)
    environments = _environments(request.user, file)
    environment = _chosen(request, "environment", environments)
    hosts = hosts_seen(request.user, environment)
    host = _chosen(request, "host", hosts)
    rendered = None
    if version is not None and environment is not None:
        version.file = file
        rendered = preview(request.user, version, environment, host)
    return {
        "version": version,
        "environments": environments,
        "environment": environment,
        "hosts": hosts,
        "host": host,
        "rendered": rendered,
        "lines": lines_of(rendered.text) if rendered else [],
        "problem": visible(rendered.problem) if rendered else "",
    }


def _environments(user: Any, file: ConfigFile) -> list[Environment]:
    rows = Environment.objects.visible_to(user).filter(project=file.project_id)
    if file.environment_id is not None:
        rows = rows.filter(pk=file.environment_id)
    return list(rows.select_related("project").order_by("position", "name"))


def hosts_seen(user: Any, environment: Environment | None) -> list[Host]:
    """List the hosts of an environment that are delivered to and that a user may see."""
    if environment is None:
        return []
    seen = Host.objects.visible_to(user).order_by().values("pk")
    # Those that are delivered to: values and secrets of others are no matter of this environment.
    rows: QuerySet[Host] = hosts_of(environment).filter(pk__in=seen)
    return list(rows.order_by("hostname", "pk")[:MOST_HOSTS])


def _chosen(request: HttpRequest, name: str, rows: Iterable[Any]) -> Any:
    """Find what the address names among some rows; else the first."""
    listed = list(rows)
    asked = request.GET.get(name, "")
    found = [row for row in listed if str(row.pk) == asked]
    return (found or listed or [None])[0]


@dataclass(frozen=True)
class Row:
    """A name as the page of precedence shows it: the winner, and the others, each with the value that the reader may see."""

    name: str
    why: str
    winner: "Shown | None"
    others: list["Shown"]
    is_clash: bool


@dataclass(frozen=True)
class Shown:
    """One value as a reader may see it."""

    level: str
    owner: str
    value: str
    url: str
    is_secret: bool
    is_clash: bool = False
    left_out: str = ""


def variables_context(request: HttpRequest, environment: Environment) -> dict[str, Any]:
    """Give which variables win in an environment, on a host of it (`?host=`), and why."""
    hosts = hosts_seen(request.user, environment)
    asked = request.GET.get("host", "")
    host = next((each for each in hosts if str(each.pk) == asked), None)
    decided = resolve(environment.project, environment, host)
    seen = seen_by(request.user)
    rows = [_row(each, seen) for each in decided.values()]
    return {
        "hosts": hosts,
        "host": host,
        "rows": rows,
        "clashes": sum(row.is_clash for row in rows),
    }


def _row(decided: Decided, seen: set[int]) -> Row:
    winner = decided.winner
    return Row(
        decided.name,
        decided.why,
        _shown(winner, seen) if winner else None,
        [_shown(each, seen, decided.clashes) for each in decided.lost],
        bool(decided.clashes),
    )


def _shown(
    one: Candidate, seen: set[int], clashes: tuple[Candidate, ...] = ()
) -> Shown:
    known = one.row.pk in seen
    return Shown(
        level_names()[one.level],
        one.owner if known else "",
        visible(one.value()) if known else "",
        reverse("appconf:variable_detail", args=[one.row.pk]) if known else "",
        one.is_secret,
        one in clashes,
        one.left_out,
    )


def files_context(request: HttpRequest, environment: Environment) -> dict[str, Any]:
    """Give the files of an environment that the reader may see, each with the version that counts."""
    seen = ConfigFile.objects.visible_to(request.user).filter(
        project=environment.project_id
    )
    keys = set(seen.values_list("pk", flat=True))
    files = [file for file in files_of(environment) if file.pk in keys]
    force = in_force(files)
    return {"files": [(file, force.get(file.pk)) for file in files]}


def version_context(request: HttpRequest, version: ConfigVersion) -> dict[str, Any]:
    """Give a version's lines, and what the reader may do about it."""
    return {
        "version": version,
        "lines": lines_of(version.text),
        "size": len(version.text.encode()),
        "acts": acts_on(request.user, version),
    }


FILE_PANELS = (
    Panel("content", _("Content"), "appconf/config/_content.html", content_context),
    Panel("versions", _("Versions"), "appconf/config/_versions.html", versions_context),
    Panel(
        "preview",
        _("Preview"),
        "appconf/config/_preview.html",
        preview_context,
        VIEW_VARIABLE,
    ),
)
VERSION_PANELS = (
    Panel("content", _("Content"), "appconf/config/_version.html", version_context),
)
ENVIRONMENT_PANELS = (
    Panel(
        "variables",
        _("Variables"),
        "appconf/config/_precedence.html",
        variables_context,
        VIEW_VARIABLE,
    ),
    Panel(
        "config",
        _("Configuration files"),
        "appconf/config/_files.html",
        files_context,
        "appconf.view_configfile",
    ),
)
