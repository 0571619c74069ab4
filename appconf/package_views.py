"""The file of a package: sent at once or in pieces, and fetched."""

from typing import Any, cast

from django.contrib import messages
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    JsonResponse,
)
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from accounts.models import User
from adminset import audit
from adminset.crud.views import find
from adminset.errors import DomainError
from adminset.http import form_refuses, requires
from adminset.texts import number_of
from appconf import package_pieces, package_store, services
from appconf.forms import PackageFileForm
from appconf.resources import PACKAGE


@requires("appconf.download_package")
@require_safe
def package_download(request: HttpRequest, pk: int) -> Any:
    """Give the file of a package; its SHA-256 stands in a header."""
    package = find(PACKAGE, request.user, pk, "download")
    if not package.has_file:
        raise Http404(_("The portal keeps no file of this package."))
    try:
        file = package_store.path_of(package.sha256).open("rb")
    except FileNotFoundError as error:
        raise Http404(_("The file of this package is gone.")) from error
    audit.record(cast("User", request.user), "package.download", package)
    answer = FileResponse(
        file,
        as_attachment=True,
        filename=package.file_name,
        content_type="application/octet-stream",
    )
    answer["X-Checksum-Sha256"] = package.sha256
    return answer


@requires("appconf.change_package")
@require_http_methods(["GET", "HEAD", "POST"])
def package_upload(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the file of a package."""
    package = find(PACKAGE, request.user, pk, "change")
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    form = PackageFileForm(*posted)
    if posted and form.is_valid() and _stored(request, package, form):
        messages.success(request, _("%(name)s is saved.") % {"name": package})
        return redirect(package.get_absolute_url())
    title = _("Upload file")
    context = {
        "form": form,
        "package": package,
        "page_title": title,
        "crumbs": [
            (PACKAGE.verbose_name_plural, PACKAGE.url("list")),
            (str(package), package.get_absolute_url()),
            (title, None),
        ],
        "cancel_url": package.get_absolute_url(),
        "piece_bytes": package_pieces.piece_bytes(),
    }
    status = 422 if form.errors else 200
    return render(request, "appconf/package_upload.html", context, status=status)


def _stored(request: HttpRequest, package: Any, form: PackageFileForm) -> bool:
    upload = form.cleaned_data["upload"]
    try:
        services.store_package_file(
            actor=request.user,
            package=package,
            name=upload.name,
            chunks=upload.chunks(),
            sha256=form.cleaned_data["sha256"],
        )
    except DomainError as error:
        form_refuses(form, error, "upload")
        return False
    return True


@requires("appconf.change_package")
@require_POST
def package_pieces_begin(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin to take a file in pieces: {"ticket"}."""
    package = find(PACKAGE, request.user, pk, "change")
    return JsonResponse({"ticket": package_pieces.begin(package)})


@requires("appconf.change_package")
@require_POST
def package_piece(request: HttpRequest, pk: int, ticket: str) -> HttpResponse:
    """Take the piece that begins at `?offset=`: {"size"}, the bytes that are there now."""
    package = find(PACKAGE, request.user, pk, "change")
    offset = number_of(request.GET.get("offset", ""))
    begins = -1 if offset is None else offset
    size = package_pieces.add(package, ticket, begins, request.body)
    return JsonResponse({"size": size})


@requires("appconf.change_package")
@require_POST
def package_pieces_finish(request: HttpRequest, pk: int, ticket: str) -> HttpResponse:
    """Keep what came in pieces: {"url"}, the page of the package."""
    package = find(PACKAGE, request.user, pk, "change")
    saved = services.store_package_pieces(
        actor=request.user,
        package=package,
        name=request.POST.get("name", ""),
        ticket=ticket,
        sha256=request.POST.get("sha256", "").strip().lower(),
    )
    messages.success(request, _("%(name)s is saved.") % {"name": saved})
    return JsonResponse({"url": saved.get_absolute_url()})
