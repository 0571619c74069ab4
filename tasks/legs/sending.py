"""Files for the programs of legs: whether this machine has them, by which way they go, again from where it broke off."""

import logging
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from tasks.ansible_files import sockets_of
from tasks.ansible_stop import stop
from tasks.ansible_wiping import wipe
from tasks.legs.hearing import Ear
from tasks.services.jobs import Job
from tasks.services.orphans import living_below
from tasks.ssh.commands import Clock
from tasks.ssh.leftovers import end_leftovers
from tasks.ssh.openssh import Client
from tasks.ssh.streams import Feed, Source, run_stream
from tasks.ssh.terms import Terms
from tasks.targets import CommandResult, Target

# A connection that breaks while bytes arrive is opened anew so often, in one turn of a host.
TRIES = 3
logger = logging.getLogger(__name__)


class Sending:
    """The files of one leg, and OpenSSH's client while a host needs it."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._files = job.run.leg.send
        self._lock = threading.Lock()
        self._users = 0
        self._directory: Path | None = None
        self._sockets: Path | None = None
        self._client: Client | None = None

    def of(self, host_id: int) -> Source | None:
        """Give the file for a host; None where nothing goes there."""
        found = self._files.get(str(host_id))
        return Source(Path(found["path"]), found["size"]) if found else None

    def run(
        self, target: Target, feed: Feed, terms: Terms, new_ear: Callable[[], Ear]
    ) -> CommandResult:
        """Run the program with the file on its stdin; where the connection breaks off while bytes go, try again.

        Args:
            new_ear: gives who hears the program: of each try another one, as each says anew from where on it wants the file.
        """
        if words := self.missing(feed.source):
            return Clock().result("failed", words)
        with self._at_hand(terms.connect_timeout) as client:
            for left in reversed(range(TRIES)):
                ear = new_ear()
                tried = replace(feed, client=client, listener=ear)
                result = _once(target, tried, replace(terms, on_output=ear), ear)
                broke_off = result.status == "unreachable" and ear.ready is not None
                if not left or not broke_off or not self._job.run.repeatable:
                    break
                logger.info("the connection to %s broke off", target.label)
                refused = end_leftovers(target, feed.token, terms)
                if refused is not None:
                    return refused
        return result

    def missing(self, source: Source) -> str:
        """Say why a file cannot be sent from here; "" where it can."""
        try:
            size = source.path.stat().st_size
        except OSError:
            size = -1
        if size == source.size:
            return ""
        if settings.RUN_SENDS_OUTPUT:
            return _(
                "This worker stands on another machine and does not have the files of the portal: to send them from here, "
                "the folder ADMINSET_ARTEFACTS_DIR of the portal must be shared with it under the same path."
            )
        return _(
            "The file for this host is not there any more, or not whole: prepare it anew."
        )

    @contextmanager
    def _at_hand(self, connect_timeout: float) -> Iterator[Client | None]:
        """Give OpenSSH's client, None where there is none here; its private directory goes with the last user."""
        with self._lock:
            self._users += 1
            if self._client is None and shutil.which("ssh"):
                root = self._job.private_root
                root.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._directory = Path(tempfile.mkdtemp(prefix="send-", dir=root))
                self._sockets = sockets_of(self._directory)
                self._client = Client(self._directory, self._sockets, connect_timeout)
            client = self._client
        try:
            yield client
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._clear()

    def _clear(self) -> None:
        directory, sockets = self._directory, self._sockets
        self._directory = self._sockets = self._client = None
        if directory is None or sockets is None:
            return
        # Connections to jump hosts that were kept for the next.
        if any(directory.glob("jump-*.conf")):
            stop(living_below(directory), None)
        wipe(directory, sockets)


def _once(target: Target, feed: Feed, terms: Terms, ear: Ear) -> CommandResult:
    try:
        return run_stream(target, feed, terms)
    finally:
        ear.close()
