"""What flows from a host to a browser: never held in memory, counted and hashed on its way, told in the trail at its end."""

import hashlib
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack

from django.utils.translation import gettext as _

from adminset import context
from adminset.errors import DomainError, Forbidden
from tasks.hostfiles.access import DOWNLOAD, Place
from tasks.hostfiles.door import broken
from tasks.ssh.sftp import TROUBLE

# Pieces are gathered to this size: each costs a change of threads.
GATHERED_BYTES = 512 * 1024
# Who may download is asked again this often while it goes on.
ASK_SECONDS = 30.0


class Flow(Iterator[bytes]):
    """Bytes on their way, with the open session that they come from.

    It ends by `close`, which the answer calls whatever happened to the browser.

    Attributes:
        name: of the file that the browser gets. size: None where it is not known before.
        sent: bytes given so far. whole: whether it came to its end.
    """

    def __init__(
        self,
        place: Place,
        opened: ExitStack,
        pieces: Iterable[bytes],
        ended: Callable[["Flow"], None],
    ) -> None:
        self.name = b""
        self.size: int | None = None
        self.sent = 0
        self.whole = False
        self._place = place
        self._opened = opened
        self._pieces = gathered(pieces)
        self._ended = ended
        self._digest = hashlib.sha256()
        self._asked = time.monotonic()
        self._closed = False
        self._context = context.current.get()

    @property
    def sha256(self) -> str:
        """Hash of what was given so far."""
        return self._digest.hexdigest()

    def __iter__(self) -> "Flow":
        return self

    def __next__(self) -> bytes:
        if self._closed:
            raise StopIteration
        try:
            self._ask()
            piece = next(self._pieces)
        except StopIteration:
            self.whole = self.size in (None, self.sent)
            self.close()
            if not self.whole:
                raise self._cut_short() from None
            raise
        except TROUBLE as error:
            self.close()
            raise broken(self._place.host, error) from error
        except DomainError:
            self.close()
            raise
        self.sent += len(piece)
        self._digest.update(piece)
        return piece

    def close(self) -> None:
        """Give the connection back and write the line of the trail; a second time it does nothing."""
        if self._closed:
            return
        self._closed = True
        token = context.current.set(self._context)
        try:
            self._release()
            self._ended(self)
        finally:
            context.current.reset(token)

    def _release(self) -> None:
        try:
            with self._opened:
                self._pieces.close()
        except (DomainError, *TROUBLE):
            # The connection is gone as well: there is nothing left to give back.
            return

    def __del__(self) -> None:
        # An answer that nobody came for.
        if not getattr(self, "_closed", True):
            self._closed = True
            self._release()

    def _ask(self) -> None:
        """Ask once in a while whether this may still go on."""
        if time.monotonic() - self._asked < ASK_SECONDS:
            return
        self._asked = time.monotonic()
        if not self._place.still_may(DOWNLOAD):
            raise Forbidden(
                _("You may no longer download from this host."),
                code="download_refused",
            )

    def _cut_short(self) -> DomainError:
        return DomainError(
            _("The file became shorter while it was read."),
            _("Download it again."),
            code="cut_short",
        )


def gathered(pieces: Iterable[bytes]) -> Generator[bytes, None, None]:
    """Put small pieces together."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= GATHERED_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
