"""Bytes from and to a host's files: uploads in pieces, downloads as streams."""

from typing import Any

from django.http import HttpResponse, JsonResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from adminset.body_limit import length_of
from adminset.errors import DomainError
from adminset.http import requires
from adminset.streams import stream
from tasks.hostfiles import downloads, paths, uploads
from tasks.hostfiles.access import DOWNLOAD, UPLOAD, permission, place_of
from tasks.hostfiles.asked import body_of, number_in, path_in, text_in


@requires(permission(DOWNLOAD))
@require_GET
def host_files_download(request: Any, pk: int) -> HttpResponse:
    """Give the file of `?path=`, or an archive where that is a folder or there are several."""
    place = place_of(request, pk, DOWNLOAD)
    flow = downloads.download(place=place, wanted=paths.all_of_query(request))
    answer = stream(
        request, flow, content_type="application/octet-stream", file_name="file"
    )
    # Control characters and quotes of a name must not get out of the header.
    name = paths.shown(flow.name)
    answer["Content-Disposition"] = str(content_disposition_header(True, name))
    # Whatever a host has is bytes, and never a page of ours.
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "no-store"
    if flow.size is not None:
        answer["Content-Length"] = str(flow.size)
    return answer  # type: ignore[return-value]


@requires(permission(UPLOAD))
@require_POST
def host_files_upload(request: Any, pk: int) -> JsonResponse:
    """Begin an upload, or go on with it: {"path", "size", "mark", "replace"}; gives the token, the offset, the size of a piece."""
    place, body = place_of(request, pk, UPLOAD), body_of(request)
    begun = uploads.begin(
        place=place,
        path=path_in(body),
        size=number_in(body, "size"),
        mark=text_in(body, "mark"),
        replace=body.get("replace") is True,
    )
    told = {
        "token": begun.token,
        "offset": begun.offset,
        "piece_bytes": begun.piece_bytes,
    }
    return JsonResponse(told, status=201)


@requires(permission(UPLOAD))
@require_POST
def host_files_piece(request: Any, pk: int) -> JsonResponse:
    """Take the bytes of the body at ?offset= of the upload that the header X-Upload names; X-Sha256 is their hash."""
    place = place_of(request, pk, UPLOAD)
    offset = request.GET.get("offset", "")
    if not (offset.isascii() and offset.isdecimal() and len(offset) < 16):
        words = _("The address says at which byte the piece belongs.")
        raise DomainError(words, code="bad_request", status=400)
    size = length_of(request.headers.get("Content-Length", ""))
    piece = uploads.Piece(request, size, request.headers.get("X-Sha256", ""))
    token = request.headers.get("X-Upload", "")
    at = uploads.take(place=place, token=token, offset=int(offset), piece=piece)
    return JsonResponse({"offset": at})


@requires(permission(UPLOAD))
@require_POST
def host_files_finish(request: Any, pk: int) -> JsonResponse:
    """Compare and place a whole upload: {"token", "sha256"}; gives size and SHA-256."""
    place, body = place_of(request, pk, UPLOAD), body_of(request)
    token, sha256 = text_in(body, "token"), text_in(body, "sha256")
    return JsonResponse(uploads.finish(place=place, token=token, sha256=sha256))


@requires(permission(UPLOAD))
@require_POST
def host_files_abandon(request: Any, pk: int) -> JsonResponse:
    """Give an upload up: {"token"}."""
    place, body = place_of(request, pk, UPLOAD), body_of(request)
    uploads.abandon(place=place, token=text_in(body, "token"))
    return JsonResponse({})
