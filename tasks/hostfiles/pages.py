"""The pages of a host's files: the browser, a folder in it, a text to read, a text to change."""

from contextlib import ExitStack
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from adminset.errors import DomainError
from adminset.http import requires
from adminset.unseen import lines_of
from cmdb.models import Host
from tasks.hostfiles import paths, texts
from tasks.hostfiles.access import (
    ACTIONS,
    BROWSE,
    DOWNLOAD,
    EDIT,
    Place,
    find,
    give_reason,
    permission,
    place_of,
)
from tasks.hostfiles.door import files_of, transfer_of
from tasks.hostfiles.listing import ORDERS, list_folder
from tasks.hostfiles.told import tell_look
from tasks.hostfiles.waste import waste_of

BOX = forms.Textarea(
    attrs={
        "id": "id_content",
        "class": "form-control code",
        "rows": 24,
        "spellcheck": "false",
        "autocapitalize": "off",
        "autocomplete": "off",
        "data-code": True,
    }
)


def address(name: str, host: Host, path: bytes = b"") -> str:
    """Give the address of a page of a host's files; the path keeps every byte."""
    found = reverse(f"tasks:{name}", args=[host.pk])
    return f"{found}?path={paths.written(path)}" if path else found


@requires(permission(BROWSE))
@require_http_methods(["GET", "HEAD", "POST"])
def host_files(request: Any, pk: int) -> HttpResponse:
    """Show the browser of a host's files; on a critical host ask first why."""
    host, path = find(request, pk, BROWSE), paths.of_query(request)
    problem: DomainError | None = None
    if request.method == "POST":
        try:
            give_reason(request, host, request.POST.get("reason", ""))
            return redirect(address("host_files", host, path))
        except DomainError as error:
            problem = error
    else:
        try:
            place_of(request, pk, BROWSE)
        except DomainError as error:
            problem = error
    context = _head(host, _("Files")) | {
        "problem": problem,
        "asks_reason": bool(problem and problem.code == "reason_needed"),
        "path": paths.written(path),
        "rows_url": address("host_files_rows", host, path),
        "may": {action: _may(request, action, host) for action in ACTIONS},
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "tasks/hostfiles/browser.html", context, status=status)


@requires(permission(BROWSE))
@require_safe
def host_files_rows(request: Any, pk: int) -> HttpResponse:
    """Draw the folder of `?path=`, the login's home where there is none; what stands in the way is said in its place."""
    host = find(request, pk, BROWSE)
    context: dict[str, Any] = {"host": host}
    try:
        path = paths.of_query(request)
        place = place_of(request, pk, BROWSE)
        context |= _folder(request, place, path)
    except DomainError as error:
        true = error.fields.get("path", "") if error.code == "through_link" else ""
        context |= {"problem": error, "true_path": true}
    context["may"] = {action: _may(request, action, host) for action in ACTIONS}
    return render(request, "tasks/hostfiles/_rows.html", context)


def _folder(request: Any, place: Place, path: bytes) -> dict[str, Any]:
    needle, order = request.GET.get("q", ""), request.GET.get("order", "")
    order = order if order.removeprefix("-") in ORDERS else ORDERS[0]
    with ExitStack() as stack:
        if needle:
            # All of a folder is read for it.
            stack.enter_context(transfer_of(place.actor.pk))
        files = stack.enter_context(files_of(place.host))
        listing = list_folder(files, path, needle=needle, order=order)
        waste = waste_of(files)
    where = paths.read(listing.path)
    tell_look(place, where)
    return {
        "listing": listing,
        "needle": needle,
        "order": order,
        "waste": paths.written(waste),
        "in_waste": paths.name_of(waste) in where.split(b"/"),
        "parent": paths.written(paths.parent_of(where)) if where != b"/" else "",
    }


@requires(permission(DOWNLOAD))
@never_cache
@require_safe
def host_files_view(request: Any, pk: int) -> HttpResponse:
    """Show the text file of `?path=`."""
    place, path = place_of(request, pk, DOWNLOAD), paths.of_query(request)
    text = texts.read_text(place=place, path=paths.checked(path))
    lines = None if text.content is None else lines_of(text.content)
    context = _file_head(place.host, path) | {
        "text": text,
        "lines": lines,
        "may_edit": place.may(EDIT),
    }
    return render(request, "tasks/hostfiles/view.html", context)


@requires(permission(EDIT))
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def host_files_edit(request: Any, pk: int) -> HttpResponse:
    """Change the text file of `?path=`: typed, compared with what stands there, then saved."""
    place = place_of(request, pk, EDIT)
    path = paths.checked(paths.of_query(request))
    again = request.method == "POST"
    text = texts.read_text(place=place, path=path, again=again)
    if text.content is None:
        raise DomainError(
            _("%(path)s is no text in UTF-8.") % {"path": paths.shown(path)},
            _("Download it instead."),
            code="no_text",
        )
    context = _file_head(place.host, path) | {"text": text}
    if again:
        typed = texts.as_saved(text, request.POST.get("content", ""))
        context |= _compared(request, text, typed)
        if context["saves"] and _saved(request, place, path, typed, context):
            seen = address("host_files_view", place.host, path)
            return redirect(seen if place.may(DOWNLOAD) else context["folder_url"])
    else:
        typed = text.content
    context["box"] = BOX.render("content", typed)
    status = 422 if context.get("problem") else 200
    return render(request, "tasks/hostfiles/edit.html", context, status=status)


def _compared(request: Any, text: texts.Text, typed: str) -> dict[str, Any]:
    """Compare what was typed with what stands there; it is saved only where both are what somebody saw compared."""
    digest = texts.sha256_of(typed)
    changed = request.POST.get("base") != text.sha256
    wants = request.POST.get("step") == "save"
    unseen = wants and request.POST.get("compared") != digest
    return {
        "difference": texts.difference(text, typed),
        "compared": digest,
        "changed": changed,
        "unseen": unseen,
        "saves": wants and not changed and not unseen,
    }


def _saved(
    request: Any, place: Place, path: bytes, typed: str, context: dict[str, Any]
) -> bool:
    base = context["text"].sha256
    try:
        texts.save_text(place=place, path=path, content=typed, base=base)
    except DomainError as error:
        context["problem"] = error
        return False
    words = _("%(path)s is saved, compared by SHA-256.")
    messages.success(request, words % {"path": paths.shown(path)})
    return True


def _may(request: Any, action: str, host: Host) -> bool:
    return Place(request.user, host).may(action)


def _head(host: Host, title: str) -> dict[str, Any]:
    return {
        "host": host,
        "page_title": title,
        "subtitle": host.hostname,
        "crumbs": [
            (_("Hosts"), reverse("cmdb:host_list")),
            (host.hostname, reverse("cmdb:host_detail", args=[host.pk])),
            (_("Files"), None),
        ],
    }


def _file_head(host: Host, path: bytes) -> dict[str, Any]:
    folder = address("host_files", host, paths.parent_of(path))
    return _head(host, paths.shown(paths.name_of(path))) | {
        "path": paths.written(path),
        "shown": paths.shown(path),
        "folder_url": folder,
        "crumbs": [
            (_("Hosts"), reverse("cmdb:host_list")),
            (host.hostname, reverse("cmdb:host_detail", args=[host.pk])),
            (_("Files"), folder),
            (paths.shown(path), None),
        ],
    }
