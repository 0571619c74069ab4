"""Pages of versions: decided about, compared, brought back; each act is a button that says why."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from adminset.crud.views import find
from adminset.http import requires, safe_next
from adminset.text_diffs import compare_texts
from appconf.config import versions
from appconf.config.judging import APPROVE
from appconf.config.questions import newest_of
from appconf.config.resources import CONFIG_FILES, CONFIG_VERSIONS
from appconf.models import ConfigFile, ConfigVersion

CHANGE = "appconf.change_configfile"
REASON_LENGTH = 250


def _act(
    request: HttpRequest, pk: int, act: Callable[..., Any], said: str
) -> HttpResponse:
    version = find(CONFIG_VERSIONS, request.user, pk)
    reason = request.POST.get("reason", "")[:REASON_LENGTH]
    act(version, reason)
    messages.success(request, said % {"version": version})
    back = f"{version.file.get_absolute_url()}?tab=versions"
    return redirect(safe_next(request, back))


@requires(APPROVE)
@require_POST
def version_approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a version that waits count."""

    def act(version: ConfigVersion, reason: str) -> None:
        versions.approve_version(actor=request.user, version=version, reason=reason)

    return _act(request, pk, act, _("%(version)s is approved."))


@requires(APPROVE)
@require_POST
def version_refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a version that waits count for nothing."""

    def act(version: ConfigVersion, reason: str) -> None:
        versions.refuse_version(actor=request.user, version=version, reason=reason)

    return _act(request, pk, act, _("%(version)s is refused."))


@requires(CHANGE)
@require_POST
def version_submit(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand in a draft."""

    def act(version: ConfigVersion, reason: str) -> None:
        versions.submit_version(actor=request.user, version=version)

    return _act(request, pk, act, _("%(version)s is handed in."))


@requires(APPROVE)
@require_POST
def version_pin(request: HttpRequest, pk: int) -> HttpResponse:
    """Let an approved version count whatever comes after it."""

    def act(version: ConfigVersion, reason: str) -> None:
        versions.pin_version(
            actor=request.user, file=version.file, version=version, reason=reason
        )

    return _act(request, pk, act, _("%(version)s counts until it is unpinned."))


@requires(APPROVE)
@require_POST
def version_unpin(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the newest approved version count again."""

    def act(version: ConfigVersion, reason: str) -> None:
        versions.pin_version(
            actor=request.user, file=version.file, version=None, reason=reason
        )

    return _act(request, pk, act, _("The newest approved version counts again."))


@requires(CHANGE)
@require_POST
def version_roll_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring an earlier text back as a new version."""

    def act(version: ConfigVersion, reason: str) -> None:
        versions.roll_back(
            actor=request.user, file=version.file, to=version, reason=reason
        )

    return _act(request, pk, act, _("The text of %(version)s is back."))


@requires("appconf.view_configfile")
@require_safe
def configfile_diff(request: HttpRequest, pk: int) -> HttpResponse:
    """Compare two versions of a file: `?from=1&to=2`, `&view=side` for two columns; else the newest with the one before."""
    file = find(CONFIG_FILES, request.user, pk)
    older, newer = _chosen(request, file)
    same = older.sha256 == newer.sha256
    detail = CONFIG_FILES.url("detail", pk)
    context = {
        "object": file,
        "page_title": _("Compare versions"),
        "crumbs": [
            (CONFIG_FILES.verbose_name_plural, CONFIG_FILES.url("list")),
            (str(file), f"{detail}?tab=versions"),
            (_("Compare versions"), None),
        ],
        "older": older,
        "newer": newer,
        "file": None if same else compare_texts("", older.text, newer.text),
        "side": request.GET.get("view") == "side",
        "numbers": file.versions.order_by("-number").values_list("number", flat=True),
    }
    return render(request, "appconf/config/diff.html", context)


def _chosen(
    request: HttpRequest, file: ConfigFile
) -> tuple[ConfigVersion, ConfigVersion]:
    newer = _numbered(file, request.GET.get("to", "")) or newest_of(file)
    if newer is None:
        raise Http404(_("There is no version yet."))
    before = file.versions.filter(number__lt=newer.number).order_by("-number").first()
    older = _numbered(file, request.GET.get("from", "")) or before or newer
    return older, newer


def _numbered(file: ConfigFile, asked: str) -> ConfigVersion | None:
    if not asked:
        return None
    if not (asked.isascii() and asked.isdigit() and len(asked) < 9):
        raise Http404(_("There is no such version."))
    found: ConfigVersion = get_object_or_404(file.versions, number=int(asked))
    return found
