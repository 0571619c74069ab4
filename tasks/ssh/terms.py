"""On what terms work goes on: who gets its output, who may stop it, how long it may take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tasks.ssh.ways import Patience, never

Stream = Literal["stdout", "stderr"]
OnOutput = Callable[[bytes, Stream], None]


@dataclass(frozen=True)
class Terms:
    """Who gets the output (raw bytes, and "stdout" or "stderr"), who is asked a few times a second whether to stop, and the
    time-outs in seconds: `timeout` counts from the start of the work, `idle_timeout` from its last output,
    `connect_timeout` covers each step before it.
    """

    on_output: OnOutput
    timeout: float
    connect_timeout: float = 10.0
    idle_timeout: float | None = None
    cancelled: Callable[[], bool] = never

    @property
    def patience(self) -> Patience:
        """How patient one is on the way to the host."""
        return Patience(self.connect_timeout, self.cancelled)
