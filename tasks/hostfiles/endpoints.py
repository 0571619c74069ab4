"""What the page of a host's files asks for in JSON: new folders, names, modes, hashes, deleting and purging."""

from typing import Any

from django.http import JsonResponse
from django.views.decorators.http import require_POST

from adminset.http import requires
from tasks.hostfiles import acts, downloads, paths, waste
from tasks.hostfiles.access import (
    DELETE,
    DOWNLOAD,
    EDIT,
    PURGE,
    UPLOAD,
    permission,
    place_of,
)
from tasks.hostfiles.asked import body_of, path_in, text_in


@requires(permission(UPLOAD))
@require_POST
def host_files_folder(request: Any, pk: int) -> JsonResponse:
    """Make a folder: {"path", "may_be_there"}."""
    place, body = place_of(request, pk, UPLOAD), body_of(request)
    path = path_in(body)
    there = body.get("may_be_there") is True
    acts.make_folder(place=place, path=path, may_be_there=there)
    return JsonResponse({"path": paths.written(path)}, status=201)


@requires(permission(EDIT))
@require_POST
def host_files_rename(request: Any, pk: int) -> JsonResponse:
    """Rename or move: {"path", "to"}."""
    place, body = place_of(request, pk, EDIT), body_of(request)
    to = path_in(body, "to")
    acts.rename(place=place, path=path_in(body), to=to)
    return JsonResponse({"path": paths.written(to)})


@requires(permission(EDIT))
@require_POST
def host_files_mode(request: Any, pk: int) -> JsonResponse:
    """Set the mode of a file or folder: {"path", "mode"}."""
    place, body = place_of(request, pk, EDIT), body_of(request)
    path, mode = path_in(body), text_in(body, "mode")
    acts.change_mode(place=place, path=path, mode=mode)
    return JsonResponse({"path": paths.written(path), "mode": mode})


@requires(permission(DOWNLOAD))
@require_POST
def host_files_hash(request: Any, pk: int) -> JsonResponse:
    """Have a file hashed on the host: {"path"}; gives its size and SHA-256."""
    place, body = place_of(request, pk, DOWNLOAD), body_of(request)
    return JsonResponse(downloads.hash_of(place=place, path=path_in(body)))


@requires(permission(DELETE))
@require_POST
def host_files_waste(request: Any, pk: int) -> JsonResponse:
    """Move a file or folder into the waste: {"path"}; gives where it lies."""
    place, body = place_of(request, pk, DELETE), body_of(request)
    lies = waste.throw_away(place=place, path=path_in(body))
    told = {"waste": paths.written(lies), "shown": paths.shown(lies)}
    return JsonResponse(told)


@requires(permission(PURGE))
@require_POST
def host_files_purge(request: Any, pk: int) -> JsonResponse:
    """Remove for good what lies in the waste: {"path"}; gives how many it was."""
    place, body = place_of(request, pk, PURGE), body_of(request)
    return JsonResponse({"count": waste.purge(place=place, path=path_in(body))})
