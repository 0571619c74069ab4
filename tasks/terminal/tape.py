"""The recording of a terminal as the terminal sees it: it goes on without one, unless the policy asks for one."""

from collections.abc import Callable
from typing import TypeVar

from django.utils import timezone

from tasks.models import TerminalSession
from tasks.recording import sealing
from tasks.recording.recorder import Recorder, RecordingError
from tasks.ssh.shell import Size

T = TypeVar("T")


class NoRecordingError(Exception):
    """The recording failed, and without one there is no terminal; the text says why."""


class Tape:
    """Writes what happens, for as long as that works.

    Attributes:
        problem: why it does not (any more), "" while it does.
    """

    def __init__(self, session: TerminalSession, size: Size) -> None:
        self._session = session
        self._recorder: Recorder | None = None
        self.problem = ""
        try:
            self._recorder = Recorder(session, timezone.now(), *size)
        except RecordingError as error:
            self._failed(error)

    @property
    def runs(self) -> bool:
        """Whether what happens is written."""
        return self._recorder is not None and not self.problem

    def output(self, data: bytes) -> None:
        """Take in what the host printed; raises NoRecordingError."""
        self._do(lambda recorder: recorder.output(data))

    def resize(self, size: Size) -> None:
        """Take in a new size; raises NoRecordingError."""
        self._do(lambda recorder: recorder.resize(*size))

    def mark(self, text: str) -> int:
        """Take in a command that was entered, and give its time in milliseconds; raises NoRecordingError."""
        return self._do(lambda recorder: recorder.mark(text)) or 0

    def flush(self) -> None:
        """Write what waits; raises NoRecordingError."""
        self._do(lambda recorder: recorder.flush())

    def close(self) -> None:
        """Write the rest and seal it."""
        if self._recorder is not None:
            self._recorder.close()

    def _do(self, work: Callable[[Recorder], T]) -> T | None:
        if self._recorder is not None and not self.problem:
            try:
                return work(self._recorder)
            except RecordingError as error:
                self._failed(error)
        return None

    def _failed(self, error: RecordingError) -> None:
        self.problem = str(error.message)
        if sealing.failed(self._session, error):
            raise NoRecordingError(self.problem) from error
