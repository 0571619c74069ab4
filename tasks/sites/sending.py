"""Sends the output of runs home, from a worker on another machine: through the database, piece by piece, each once.

The worker writes its files as any other does. What has grown is copied into rows in the order of the file, and how far is
written down in the same transaction: a transaction that broke off, or whose answer was lost, is seen there, and the next one
goes on from where the database says. The portal puts the pieces into its own files (receiving.py).
"""

import logging
import os
import shutil
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import redis
from celery import current_app
from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db import transaction
from django.db.models import F, Max
from kombu.exceptions import OperationalError

from adminset import redis_door
from tasks.models import OutputPiece, SentFile
from tasks.output import CHUNK_BYTES, WHOLE_RUN, path_of, size
from tasks.services.claim import Claim, Watch, drop_connection

SEND_SECONDS = 1.0
# Bytes of one transaction.
MOST_BYTES = 4 * 2**20
HOME = "run-output-home"
RECEIVE = "tasks.receive_output"
# A call that nobody took for so long is not needed any more; a Redis that is away is left alone for so long.
RECEIVE_SECONDS = 10
SILENT_SECONDS = 30.0
# Longer than any run: files that nobody wrote to for so long were sent.
OLD_SECONDS = 8 * 24 * 3600
WHOLE = 0
logger = logging.getLogger(__name__)


def source() -> str:
    """Name this machine's folder of output by a word that is made once and lies in it."""
    path = Path(settings.RUN_DIR) / "source"
    with suppress(FileNotFoundError):
        return path.read_text().strip()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"source.{uuid.uuid4()}")
    fresh.write_text(f"{uuid.uuid4()}\n")
    with suppress(FileExistsError):
        os.link(fresh, path)
    fresh.unlink()
    return path.read_text().strip()


class Outgoing:
    """What a worker sends of one batch of a part: the files of the hosts that it has begun, and that of the whole run."""

    def __init__(self, claim: Claim, watch: Watch) -> None:
        self._claim = claim
        self._watch = watch
        self._source = source()
        self._rows = {WHOLE}
        self._sent: dict[int, int] = {}
        self._looked = self._silent_until = 0.0
        forget_old()

    @property
    def due(self) -> bool:
        """Whether it is time to look for what has grown."""
        return time.monotonic() - self._looked >= SEND_SECONDS

    def follow(self, row_ids: Iterable[int]) -> None:
        """Send the output of these hosts from now on."""
        self._rows.update(row_ids)

    def leave(self, row_ids: Iterable[int]) -> None:
        """Look no more for the output of hosts that have ended."""
        self._rows.difference_update(row_ids)

    def send(self) -> bool:
        """Send all that the files hold by now; False where the database is away: it is tried again."""
        self._looked = time.monotonic()
        sent = 0
        try:
            while self._send_some():
                sent += 1
        except DatabaseProblem:
            words = "run %s: its output waits for the database"
            logger.warning(words, self._claim.run_id, exc_info=True)
            drop_connection()
            return False
        if sent:
            self._call_home()
        return True

    def _call_home(self) -> None:
        """Have the portal take it in now, for those who watch; where Redis is away it does so by itself."""
        if self._looked < self._silent_until:
            return
        try:
            current_app.send_task(
                RECEIVE,
                (self._claim.run_id,),
                queue=settings.CELERY_TASK_DEFAULT_QUEUE,
                expires=RECEIVE_SECONDS,
            )
        except (OperationalError, redis.RedisError, OSError):
            self._silent_until = time.monotonic() + SILENT_SECONDS

    def _send_some(self) -> bool:
        grown = [row for row in self._rows if self._size(row) > self._sent.get(row, 0)]
        if not grown:
            return False
        with transaction.atomic():
            if not self._claim.renew():
                # Somebody else has the part: its output is theirs from here on.
                self._watch.stop("lost")
                return False
            files = self._files(grown)
            pieces = self._pieces(files)
            OutputPiece.objects.bulk_create(pieces)
            SentFile.objects.bulk_update(files, ["base", "sent"])
        self._sent.update({file.row_id: file.sent for file in files})
        return bool(pieces)

    def _size(self, row: int) -> int:
        return size(self._claim.run_id, row or WHOLE_RUN)

    def _files(self, rows: list[int]) -> list[SentFile]:
        """Give (and lock) how far these files were sent; each goes on behind what other machines sent of it."""
        run = self._claim.run_id
        of_all = SentFile.objects.filter(run=run, row_id__in=rows)
        mine = of_all.filter(source=self._source)
        fresh = [SentFile(run_id=run, row_id=row, source=self._source) for row in rows]
        # Another process of this machine may come at the same moment with the file of the whole run.
        SentFile.objects.bulk_create(fresh, ignore_conflicts=True)
        others = of_all.exclude(source=self._source).order_by().values_list("row_id")
        ends = dict(others.annotate(end=Max(F("base") + F("sent"))))
        files = list(mine.select_for_update())
        for file in files:
            # A host may have been tried here, then on another machine, and here again.
            file.base = max(file.base, ends.get(file.row_id, 0) - file.sent)
        return files

    def _pieces(self, files: list[SentFile]) -> list[OutputPiece]:
        made, room = [], MOST_BYTES
        for file in files:
            data = self._read(file, min(CHUNK_BYTES, room))
            if data:
                place = file.base + file.sent
                made.append(OutputPiece(file=file, offset=place, data=data))
                file.sent += len(data)
                room -= len(data)
        return made

    def _read(self, file: SentFile, most: int) -> bytes:
        with path_of(file.run_id, file.row_id or WHOLE_RUN).open("rb") as local:
            local.seek(file.sent)
            return local.read(most)


def forget_old() -> None:
    """Delete files of runs that ended long ago; never in the portal's own folder."""
    home = redis_door.noted(HOME)
    if not home or home == source():
        return
    oldest = time.time() - OLD_SECONDS
    for folder in Path(settings.RUN_DIR).iterdir():
        # Another process of this machine may do the same at this moment.
        with suppress(OSError):
            if folder.name.isdecimal() and folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)
