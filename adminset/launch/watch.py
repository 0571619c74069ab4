"""Watches the programs: says what died and came back, and gives up loudly on what keeps dying."""

import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from adminset.launch.config import Place
from adminset.launch.files import tail
from adminset.launch.progress import say
from adminset.launch.supervisor import State, Supervisor

# supervisord itself counts only what dies within two seconds of its start.
MOST_RESTARTS = 5
WITHIN_SECONDS = 120.0


class Watch:
    """Compares what supervisord says now with what it said before."""

    def __init__(
        self,
        place: Place,
        supervisor: Supervisor,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.place = place
        self.supervisor = supervisor
        self.clock = clock
        self.pids: dict[str, int] = {}
        self.given_up: set[str] = set()
        self._restarts: dict[str, list[float]] = defaultdict(list)

    def look(self) -> bool:
        """Look once; True when a pid has changed.

        Raises:
            ConnectionError: supervisord does not answer.
        """
        before = dict(self.pids)
        for state in self.supervisor.states().values():
            self._look_at(state)
        return before != self.pids

    def _look_at(self, state: State) -> None:
        if state.word == "FATAL":
            self._lost(state)
            return
        if state.word == "STOPPED" or not state.pid:
            return
        if state.name in self.given_up:
            self.given_up.discard(state.name)
            say(f"{state.name} was started again by hand (pid {state.pid}).")
        last = self.pids.get(state.name)
        self.pids[state.name] = state.pid
        if last and last != state.pid:
            self._restarted(state)

    def _restarted(self, state: State) -> None:
        say(
            f"{state.name} died and was started again (pid {state.pid}, log: {self._log(state)})."
        )
        now = self.clock()
        recent = [
            moment
            for moment in self._restarts[state.name]
            if now - moment < WITHIN_SECONDS
        ]
        self._restarts[state.name] = [*recent, now]
        if len(recent) + 1 > MOST_RESTARTS:
            self.supervisor.give_up(state)
            self._lost(state)

    def _lost(self, state: State) -> None:
        self.pids.pop(state.name, None)
        self._restarts.pop(state.name, None)
        if state.name in self.given_up:
            return
        self.given_up.add(state.name)
        say(self.obituary(state))

    def obituary(self, state: State) -> str:
        """Say that a program was given up, why, and how to start it again."""
        lines = tail(self._log(state)) or state.why or "(its log is empty)"
        control = self.place.venv / "bin" / "supervisorctl"
        configuration = self.place.run_dir / "supervisord.conf"
        return (
            f"!!! {state.name} keeps dying and was given up; the rest goes on. "
            f"The last lines of {self._log(state)}:\n{lines}\n"
            f"!!! Cure it, then: {control} -c {configuration} start {state.group}:{state.name}"
        )

    def _log(self, state: State) -> Path:
        return self.place.log_dir / f"{state.name}.log"
