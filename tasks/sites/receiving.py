"""Puts the output that workers on other machines sent into the portal's own files, each byte once."""

import os
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import transaction

from adminset import redis_door
from tasks.models import OutputPiece, SentFile
from tasks.output import WHOLE_RUN, Hints, path_of
from tasks.sites.sending import HOME, WHOLE, source

# Pieces of one transaction, and for how long the word holds where home is.
AT_ONCE = 32
HOME_SECONDS = 120


def receive(run_id: int | None = None) -> None:
    """Put what came of a run (of all runs, where none is named) into its files; whoever reads them asks for this first.

    Nothing happens on a machine that sends its own output home.
    """
    if settings.RUN_SENDS_OUTPUT:
        return
    came = OutputPiece.objects.all()
    if run_id is not None:
        came = came.filter(file__run=run_id)
    files = came.order_by().values_list("file__run", "file__row_id")
    for run, row in set(files):
        while _receive_some(run, row):
            pass


def receive_all() -> None:
    """Put all that came into its files, and say where home is."""
    if settings.RUN_SENDS_OUTPUT:
        return
    redis_door.note(HOME, source(), HOME_SECONDS)
    receive()


@transaction.atomic
def _receive_some(run_id: int, row_id: int) -> bool:
    """Take the next pieces of one file, whichever machines sent them; who else wants them waits, and finds none."""
    sent = SentFile.objects.filter(run=run_id, row_id=row_id).order_by("pk")
    sources = dict(sent.select_for_update().values_list("pk", "source"))
    pieces = list(OutputPiece.objects.filter(file__in=sources).order_by("pk")[:AT_ONCE])
    if not pieces:
        return False
    # A folder that is shared with the sender holds it already.
    here = source()
    foreign = [piece for piece in pieces if sources[piece.file_id] != here]
    if foreign:
        _append(path_of(run_id, row_id or WHOLE_RUN), foreign, alone=row_id != WHOLE)
    OutputPiece.objects.filter(pk__in=[piece.pk for piece in pieces]).delete()
    transaction.on_commit(partial(Hints(run_id).output, row_id or WHOLE_RUN))
    return len(pieces) == AT_ONCE


def _append(path: Path, pieces: list[OutputPiece], *, alone: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    with os.fdopen(os.open(path, flags, 0o600), "ab") as home:
        for piece in pieces:
            data = bytes(piece.data)
            if alone:
                # Of one host one machine writes at a time, so its place tells what stood there before a crash.
                there = os.fstat(home.fileno()).st_size - piece.offset
                data = data[max(there, 0) :]
            home.write(data)
            home.flush()
        os.fsync(home.fileno())
