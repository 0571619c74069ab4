"""The process manager of `make up`: stores, database, processes, the ready line, and an orderly stop."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from adminset.launch import (
    account,
    config,
    prepare,
    processes,
    programs,
    ready,
    services,
)
from adminset.launch.config import Place
from adminset.launch.errors import LaunchError
from adminset.launch.programs import Program
from adminset.launch.progress import say, step
from adminset.launch.supervisor import Supervisor
from adminset.launch.watch import Watch

STEPS = len(prepare.RUNNING) + 2
STORE_SECONDS = 60.0
WEB_SECONDS = 120.0
READY_SECONDS = 120.0
LEAVE_SECONDS = 10.0
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody asked for the end: Ctrl-C, SIGTERM or a closed terminal."""


class Portal:
    """One run of the portal from the first process to the last."""

    def __init__(
        self, place: Place, listed: list[Program], told: dict[str, str]
    ) -> None:
        self.place = place
        self.told = told
        self.names = [program.name for program in listed]
        self.supervisor = Supervisor(place, listed)
        self.watch = Watch(place, self.supervisor)
        self.account: account.Account

    def start(self) -> None:
        """Start everything and say so when all answer."""
        step(6, STEPS, "Stores and database", self._stores)
        step(7, STEPS, "Web, workers, beat, agent", self._processes)
        self.watch.look()
        ready.announce(self.place, self.account.username, self._pids())
        chosen = self.place.is_set("ADMINSET_ADMIN_PASSWORD")
        say(
            f"AdminSet is ready at {self.place.url} - sign in as {self.account.sign_in(chosen)}"
        )

    def _stores(self) -> None:
        self.supervisor.start(self.told)
        self.supervisor.launch("valkey", "secantus")
        self._wait("valkey", lambda: self._store_answers("REDIS_URL"), STORE_SECONDS)
        # The database needs no measurements: SecantusDB may take its second meanwhile.
        self.account = account.prepare(self.place, self.told)
        self._wait("secantus", lambda: self._store_answers("MONGO_URL"), STORE_SECONDS)

    def _store_answers(self, name: str) -> bool:
        if self.place.is_set(name):
            return True
        port = self.told[name].rpartition(":")[2].partition("/")[0]
        return services.answers(int(port))

    def _processes(self) -> None:
        credential = programs.agent_folder(self.place) / "credential"
        known = ["agent"] if credential.exists() else []
        workers = ("worker", "runner", "urgent", "builder", "planner")
        self.supervisor.launch("web", "ingest", *workers, "beat", *known)
        if not known:
            self._enrol()
        self._wait("readyz", self._all_answer, READY_SECONDS)

    def _enrol(self) -> None:
        self._wait(
            "web", lambda: ready.ask(self.place, "/healthz").status == 200, WEB_SECONDS
        )
        if not self.account.enrolment_token:
            raise LaunchError(
                f"The agent of this machine is enrolled, but {programs.agent_folder(self.place)}/credential is gone. "
                "Put it back, or delete the agent on its host's page and start again."
            )
        account.enrol(self.place, self.told, self.account.enrolment_token)
        self.supervisor.launch("agent")

    def _all_answer(self) -> bool:
        words = {state.word for state in self.supervisor.states().values()}
        return words == {"RUNNING"} and ready.ask(self.place).ok

    def _wait(self, what: str, is_there: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not is_there():
            for state in self.supervisor.states().values():
                if state.word == "FATAL":
                    raise LaunchError(self.watch.obituary(state))
            if time.monotonic() > deadline:
                raise LaunchError(self._too_late(what, seconds))
            time.sleep(0.1)

    def _too_late(self, what: str, seconds: float) -> str:
        missing = ready.ask(self.place).missing if what == "readyz" else (what,)
        names = ", ".join(missing) or "the portal"
        return (
            f"{names} did not answer within {seconds:.0f} s. "
            f"The logs in {self.place.log_dir} say why; run make up again when that is cured."
        )

    def _pids(self) -> dict[str, int]:
        return {
            "launcher": os.getpid(),
            "supervisord": self.supervisor.pid,
            **self.watch.pids,
        }

    def keep(self) -> None:
        """Watch until somebody asks for the end.

        Raises:
            LaunchError: the process manager itself died.
        """
        while self.supervisor.alive:
            if self.watch.look():
                ready.announce(self.place, self.account.username, self._pids())
            time.sleep(0.5)
        raise ConnectionError

    def stop(self) -> None:
        """End every process of this portal."""
        self.supervisor.stop()
        ready.withdraw(self.place)


def main(root: Path = config.ROOT) -> int:
    """Run the portal; 0 after an orderly stop, 1 after a LaunchError."""
    for number in SIGNALS:
        signal.signal(number, _asked_to_stop)
    # Logs, spools and stores are nobody else's to read.
    os.umask(0o077)
    try:
        place = config.read(root)
        _after_another(place)
        chosen = services.choose(place)
        listed = programs.every(place, chosen, config.concurrency(place))
        return _run(Portal(place, listed, programs.environment(place, chosen)))
    except LaunchError as problem:
        say(f"AdminSet: {problem}")
        return 1
    except Stopped:
        return 0


def _run(portal: Portal) -> int:
    os.chdir(portal.place.run_dir)
    try:
        portal.start()
        portal.keep()
    except ConnectionError as error:
        raise LaunchError(
            "The process manager supervisord died, and everything was stopped. "
            f"See {portal.place.log_dir / 'supervisord.log'} and run make up again."
        ) from error
    except Stopped:
        say("Stopping ...")
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        portal.stop()
    say("AdminSet has stopped.")
    return 0


def _asked_to_stop(_number: int, _frame: FrameType | None) -> None:
    raise Stopped


def _after_another(place: Place) -> None:
    """A launcher that was killed leaves a process manager that is about to end."""
    processes.wait_for_keeper(str(place.data), LEAVE_SECONDS)
    processes.kill_all(str(place.data))
    ready.withdraw(place)


if __name__ == "__main__":
    sys.exit(main())
