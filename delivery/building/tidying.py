"""Takes away what nobody needs any more of sources, builds and artefacts; the night calls it."""

import time
from pathlib import Path

from django.conf import settings

from appconf import package_pieces
from delivery.artefacts import keeping
from delivery.building import log, rooms, rows
from delivery.models import Deploy
from delivery.sources import git_mirror, uploads

# The room of a deploy that ended is left for so long: its worker may still be about to go.
ROOM_SECONDS = 3600


def tidy() -> dict[str, int]:
    """Take away mirrors, uploads, outputs, rooms, caches, packs, artefacts and half-sent packages that are old enough and not wanted; how many of each."""
    return {
        "builds": rows.close_lost(),
        "rooms": clear_rooms(),
        "caches": clear_caches(),
        "mirrors": git_mirror.clean(),
        "uploads": uploads.clean(),
        "outputs": log.clean(),
        "artefacts": keeping.clean(),
        "packages": package_pieces.clear(),
    }


def clear_caches() -> int:
    """Clear the caches of projects that are too large: their builds failed, and none came after; give how many."""
    folders = (Path(settings.BUILD_DIR) / "caches").glob("*")
    return sum(rooms.limit_caches(rooms.Room(folder, folder)) for folder in folders)


def clear_rooms() -> int:
    """Clear the rooms of deploys that have ended, with an end to what still runs there; give how many."""
    rows = Deploy.objects.open().values_list("pk", flat=True)
    open_ones = {f"deploy-{pk}" for pk in rows}
    went, old = 0, time.time() - ROOM_SECONDS
    for folder in (Path(settings.BUILD_DIR) / "work").glob("*-*"):
        if folder.name in open_ones:
            continue
        if folder.stat().st_mtime < old:
            rooms.clear(rooms.Room(folder, folder))
            went += 1
    return went
