"""The tabs of an item's page: its content, its versions, what uses it, its runs."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.crud.resource import Panel
from adminset.querysets import everywhere, may
from tasks.library import repositories, trees
from tasks.library.judging import may_judge
from tasks.library.shown import shown_content
from tasks.library.used_by import users_of
from tasks.library.writing import kind_of
from tasks.library_models import LibraryItem, StoredFile, Version
from tasks.models import GitSource, Run

LATEST = 20
# A file's runs are looked for among so many of the newest that bring files.
LOOKED_AT = 500


def content_context(request: HttpRequest, item: Any) -> dict[str, Any]:
    """Give the version that is open (`?version=`, else the newest) and what of it is shown."""
    version = version_asked(request, item)
    return {
        "version": version,
        "may_edit": item.git_source_id is None and may(request.user, "change", item),
        **(of_version(version, request.GET.get("file", "")) if version else {}),
    }


def of_version(version: Version, path: str = "") -> dict[str, Any]:
    """Give what a page shows of one version."""
    tree = trees.tree_of(version.files) if version.role_id is not None else []
    return {"version": version, "tree": tree, **shown_content(version, path)}


def version_asked(request: HttpRequest, item: Any) -> Version | None:
    """Find the version whose number the address names, else the newest."""
    asked = request.GET.get("version", "")
    if asked.isascii() and asked.isdigit() and len(asked) < 9:
        found: Version | None = item.versions.filter(number=int(asked)).first()
        return found
    return trees.newest_of(item)


def _versions(request: HttpRequest, item: Any) -> dict[str, Any]:
    versions = list(_plain(item.versions.order_by("-number")))
    rows = [(version, may_judge(request.user, version)) for version in versions]
    return {"versions": rows, "comparable": len(rows) > 1}


def _plain(versions: QuerySet) -> QuerySet:
    """A list of versions reads no texts."""
    return versions.defer("text", "files").select_related(*Version.ITEMS, "author")


def _used_by(request: HttpRequest, item: LibraryItem) -> dict[str, Any]:
    return {"kinds": users_of(item, request.user)}


def _runs(request: HttpRequest, item: LibraryItem) -> dict[str, Any]:
    rows = Run.objects.visible_to(request.user).defer("playbook_text", "script_text")
    if not isinstance(item, StoredFile):
        found = rows.filter(**{str(item._meta.model_name): item})
        return {"runs": found.select_related("schedule")[:LATEST]}
    listed = rows.filter(kind=Run.Kind.FILES)[:LOOKED_AT]
    bringing = [run for run in listed if _brings(run, item)]
    return {"runs": bringing[:LATEST]}


def _brings(run: Run, file: StoredFile) -> bool:
    return any(
        isinstance(one, dict) and one.get("file") == file.pk for one in run.distribution
    )


def source_context(request: HttpRequest, source: GitSource) -> dict[str, Any]:
    """Give the items that are read from a repository, and whether the reader may fetch it."""
    items = [
        item
        for item in repositories.items_of(source)
        if may(request.user, "view", item)
    ]
    return {"items": items, "may_fetch": everywhere(request.user, repositories.FETCH)}


def _one_version(request: HttpRequest, version: Version) -> dict[str, Any]:
    return {
        "acts": may_judge(request.user, version),
        "diff_url": reverse(f"tasks:{kind_of(version)}_diff", args=[version.item.pk])
        if version.item
        else "",
        **of_version(version, request.GET.get("file", "")),
    }


ITEM_PANELS = (
    Panel("content", _("Content"), "tasks/library/_content.html", content_context),
    Panel("versions", _("Versions"), "tasks/library/_versions.html", _versions),
    Panel("used-by", _("Used by"), "tasks/library/_used_by.html", _used_by),
    Panel("runs", _("Runs"), "tasks/_runs.html", _runs, "tasks.view_run"),
)
VERSION_PANELS = (
    Panel("content", _("Content"), "tasks/library/_version.html", _one_version),
)
SOURCE_PANELS = (
    Panel("items", _("Items"), "tasks/library/_source.html", source_context),
)
