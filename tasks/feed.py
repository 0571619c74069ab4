"""What a watcher of a run is told next: new output, hosts that stand otherwise, the end. Web socket and polling share it."""

import time
from collections import deque
from typing import Any

from django.db.models import QuerySet

from tasks import output
from tasks.models import Run, RunHost
from tasks.sites.receiving import receive

PIECES_AT_ONCE = 8
STATUS_SECONDS = 1.0
# Whoever only looks and is further behind than this goes on near the end: nobody reads a hundred megabytes as they come.
FAR_BEHIND = 2**20
SHOWN_BYTES = 256 * 1024
Message = dict[str, Any]


def hosts_seen(user: Any, run: Run) -> QuerySet[RunHost]:
    """Give the hosts of a run that the user may see."""
    return RunHost.objects.visible_to(user).filter(run=run)


def sees_all(user: Any, run: Run) -> bool:
    """Say whether the user sees every host of a run: only then its output as a whole."""
    return hosts_seen(user, run).count() == run.hosts.count()


class Feed:
    """One watcher's place in the output of a run: of one host (RunHost's id), or of the run as a whole (None).

    Args:
        skips: who is far behind is led on to the newest part, and told so; else all comes, piece by piece.
    """

    def __init__(
        self,
        user: Any,
        run_id: int,
        host_id: int | None,
        offset: int,
        *,
        skips: bool = False,
    ) -> None:
        self.user = user
        self.skips = skips
        self.run_id = run_id
        self.ended = False
        self._known: dict[int, str] = {}
        self._asked = 0.0
        self.host_id, self.offset = host_id, max(offset, 0)
        self._allowed: bool | None = None
        self._newest = 0
        self._wishes: deque[tuple[int | None, int]] = deque(maxlen=1)

    def turn_to(self, host_id: int | None, offset: int) -> None:
        """Watch another host, from a byte offset on; the next read goes there.

        May be called while a read goes on in another thread: what that was allowed to read it still reads, and nothing else.
        """
        self._wishes.append((host_id, max(offset, 0)))

    def see_as(self, user: Any) -> None:
        """Go on with the eyes of a user who was asked for anew."""
        self.user = user
        self._allowed = None

    def run(self) -> Run | None:
        """Give the run, as long as the user may see it."""
        return (
            Run.objects.visible_to(self.user)
            .filter(pk=self.run_id)
            .defer("playbook_text")
            .first()
        )

    def read(self) -> list[Message] | None:
        """Give what is new; None when the user may not see the run (any more)."""
        if self._wishes:
            self.host_id, self.offset = self._wishes.pop()
            self._allowed, self._newest = None, 0
        run = self.run()
        if run is None:
            return None
        # First the status, then the files: a run that has ended has written all.
        receive(self.run_id)
        found = self._output(run)
        pieces = [one for one in found if one["type"] == "output"]
        more = len(pieces) == PIECES_AT_ONCE
        if not run.is_open or time.monotonic() - self._asked >= STATUS_SECONDS:
            found += self._hosts(run)
        self.ended = not run.is_open and not more
        if self.ended:
            found.append(
                {
                    "type": "end",
                    "status": run.state,
                    "label": run.label,
                    "word": run.status,
                }
            )
        return found

    def _output(self, run: Run) -> list[Message]:
        found: list[Message] = []
        if not self._may_read(run):
            return found
        if self.skips:
            found += self._skipped()
        for _number in range(PIECES_AT_ONCE):
            piece = output.read(
                self.run_id, self.host_id, self.offset, last=not run.is_open
            )
            if not piece.text:
                break
            self.offset = piece.next_offset
            found.append(
                {
                    "type": "output",
                    "host": self.host_id,
                    "offset": piece.offset,
                    "next": piece.next_offset,
                    "text": piece.text,
                }
            )
        return found + (self._newest_part() if run.is_open and self.skips else [])

    def _skipped(self) -> list[Message]:
        size = output.size(self.run_id, self.host_id)
        if size - self.offset <= FAR_BEHIND:
            return []
        piece = output.read_before(self.run_id, self.host_id, size, most=SHOWN_BYTES)
        self.offset = piece.offset
        return [{"type": "skip", "host": self.host_id, "offset": self.offset}]

    def _newest_part(self) -> list[Message]:
        """Give the last lines of an output of which more comes than is kept: its file grows no more until it ends."""
        received, text = output.newest(self.run_id, self.host_id)
        if received == self._newest:
            return []
        self._newest = received
        return [
            {
                "type": "newest",
                "host": self.host_id,
                "received": received,
                "text": text,
            }
        ]

    def _may_read(self, run: Run) -> bool:
        if self._allowed is None:
            if self.host_id is None:
                self._allowed = sees_all(self.user, run)
            else:
                self._allowed = (
                    hosts_seen(self.user, run).filter(pk=self.host_id).exists()
                )
        return self._allowed

    def _hosts(self, run: Run) -> list[Message]:
        self._asked = time.monotonic()
        rows = hosts_seen(self.user, run).order_by().values_list("pk", "status")
        found: list[Message] = []
        for pk, status in rows:
            if self._known.get(pk, RunHost.Status.NOT_STARTED) != status:
                state, label = RunHost.STATES[status], str(RunHost.Status(status).label)
                found.append(
                    {
                        "type": "host",
                        "host": pk,
                        "status": state,
                        "label": label,
                        "word": status,
                    }
                )
            self._known[pk] = status
        return found
