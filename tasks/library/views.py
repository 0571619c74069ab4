"""Pages of versions: judged, compared, downloaded; the ways from an item to the launch."""

import io
import re
import zipfile
from typing import Any

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from adminset.crud.resource import Resource
from adminset.crud.views import find
from adminset.http import requires, safe_next
from tasks.library import diffs, judging
from tasks.library.choosing import files_of, path_of
from tasks.library.panels import version_asked
from tasks.library.resources import VERSIONS
from tasks.models import Version

APPROVE = (
    "tasks.approve_script",
    "tasks.approve_playbook",
    "tasks.approve_role",
    "tasks.approve_storedfile",
)
SUFFIXES = {"sh": ".sh", "python": ".py", "powershell": ".ps1"}
REASON_LENGTH = 200


def _judge(request: HttpRequest, pk: int, service: Any, said: str) -> HttpResponse:
    version = find(VERSIONS, request.user, pk)
    reason = request.POST.get("reason", "")[:REASON_LENGTH]
    done = service(actor=request.user, version=version, reason=reason)
    messages.success(request, said % {"version": done})
    return redirect(safe_next(request, done.get_absolute_url()))


@requires(*APPROVE)
@require_POST
def version_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a version run."""
    return _judge(request, pk, judging.approve_version, _("%(version)s may run now."))


@requires(*APPROVE)
@require_POST
def version_retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a version run nowhere."""
    said = _("%(version)s is retired: it runs nowhere.")
    return _judge(request, pk, judging.retire_version, said)


@requires(*APPROVE)
@require_POST
def version_reinstate(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a retired version run again."""
    said = _("%(version)s may run again.")
    return _judge(request, pk, judging.reinstate_version, said)


@requires("tasks.view_version")
@require_safe
def version_download(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a version as a file."""
    return download_of(find(VERSIONS, request.user, pk))  # type: ignore[return-value]


def download_of(version: Version) -> FileResponse:
    """Answer with the content of a version: a text, a role as zip, the bytes of a file."""
    if version.file_id is not None:
        body: Any = path_of(version).open("rb")
    elif version.role_id is not None:
        body = _zipped(files_of(version))
    else:
        body = io.BytesIO(version.text.encode())
    answer = FileResponse(
        body,
        as_attachment=True,
        filename=file_name(version),
        content_type="application/octet-stream",
    )
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


def _zipped(files: dict[str, str]) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    made.seek(0)
    return made


def file_name(version: Version) -> str:
    """Name a download: the item's name without what file systems dislike, and the number."""
    name = re.sub(r"[^\w.-]+", "_", str(version.item)).strip("._") or "version"
    if version.file_id is not None:
        return name
    if version.script is not None:
        suffix = SUFFIXES.get(version.script.language, ".txt")
    else:
        suffix = ".zip" if version.role_id is not None else ".yml"
    return f"{name.removesuffix(suffix)}-v{version.number}{suffix}"


@require_safe
def diff_page(request: HttpRequest, resource: Resource, pk: int) -> HttpResponse:
    """Compare two versions of an item: `?from=1&to=2`, `&view=side` for two columns; else the newest with the one before."""
    item = find(resource, request.user, pk)
    older, newer = _chosen(request, item)
    context = {
        "object": item,
        "resource": resource,
        "page_title": _("Compare versions"),
        "crumbs": [
            (resource.verbose_name_plural, resource.url("list")),
            (str(item), f"{resource.url('detail', pk)}?tab=versions"),
            (_("Compare versions"), None),
        ],
        "older": older,
        "newer": newer,
        "files": diffs.compare(older, newer),
        "side": request.GET.get("view") == "side",
        "numbers": item.versions.order_by("-number").values_list("number", flat=True),
    }
    return render(request, "tasks/library/diff.html", context)


def _chosen(request: HttpRequest, item: Any) -> tuple[Version, Version]:
    newer = _numbered(item, request.GET.get("to", "")) or version_asked(request, item)
    if newer is None:
        raise Http404(_("There is no version yet."))
    before = item.versions.filter(number__lt=newer.number).order_by("-number").first()
    older = _numbered(item, request.GET.get("from", "")) or before or newer
    return older, newer


def _numbered(item: Any, asked: str) -> Version | None:
    if not asked:
        return None
    if not (asked.isascii() and asked.isdigit() and len(asked) < 9):
        raise Http404(_("There is no such version."))
    found: Version = get_object_or_404(item.versions, number=int(asked))
    return found


@require_safe
def run_page(request: HttpRequest, resource: Resource, pk: int) -> HttpResponse:
    """Lead from an item to the launch page."""
    find(resource, request.user, pk)
    kinds = {"storedfile": "files"}
    kind = kinds.get(resource.model_name, resource.model_name)
    field = "file" if kind == "files" else kind
    return redirect(f"{reverse('tasks:run_add')}?kind={kind}&{field}={pk}")
