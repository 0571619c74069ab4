"""How the launcher speaks about what dies."""

from pathlib import Path

import pytest

from adminset.launch.supervisor import State
from adminset.launch.watch import MOST_RESTARTS, Watch
from tests.launch.places import make_place


class Pretended:
    """A supervisord that says what a test wants."""

    def __init__(self) -> None:
        self.said: dict[str, State] = {}
        self.stopped: list[str] = []

    def states(self) -> dict[str, State]:
        return self.said

    def give_up(self, state: State) -> None:
        self.stopped.append(state.name)
        self.said[state.name] = State(state.name, state.group, "STOPPED", 0, "")

    def say(self, word: str, pid: int) -> None:
        self.said["worker"] = State("worker", "portal", word, pid, "")


@pytest.fixture
def watched(tmp_path: Path) -> tuple[Watch, Pretended, list[float]]:
    pretended, now = Pretended(), [0.0]
    place = make_place(tmp_path)
    place.log_dir.mkdir(parents=True)
    (place.log_dir / "worker.log").write_text("line one\nMemoryError\n")
    watch = Watch(place, pretended, lambda: now[0])  # type: ignore[arg-type]
    pretended.say("RUNNING", 10)
    watch.look()
    return watch, pretended, now


Watched = tuple[Watch, Pretended, list[float]]


def test_a_program_that_stays_is_not_spoken_of(
    watched: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    watch, _pretended, _now = watched
    assert watch.look() is False
    assert capsys.readouterr().out == ""


def test_a_restart_is_said_with_the_new_pid(
    watched: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    watch, pretended, _now = watched
    pretended.say("STARTING", 11)
    assert watch.look() is True
    assert "worker died and was started again (pid 11" in capsys.readouterr().out
    assert watch.pids == {"worker": 11}


def test_what_keeps_dying_is_given_up_with_its_last_lines(
    watched: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    watch, pretended, now = watched
    for number in range(MOST_RESTARTS + 1):
        now[0] += 10
        pretended.say("RUNNING", 20 + number)
        watch.look()
    assert pretended.stopped == ["worker"]
    said = capsys.readouterr().out
    assert "worker keeps dying and was given up" in said
    assert "MemoryError" in said
    assert "start portal:worker" in said
    assert watch.pids == {}


def test_a_death_a_day_is_no_reason_to_give_up(watched: Watched) -> None:
    watch, pretended, now = watched
    for number in range(20):
        now[0] += 86_400
        pretended.say("RUNNING", 20 + number)
        watch.look()
    assert pretended.stopped == []


def test_a_fatal_program_is_said_once_and_its_return_as_well(
    watched: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    watch, pretended, _now = watched
    pretended.say("FATAL", 0)
    watch.look()
    watch.look()
    assert capsys.readouterr().out.count("keeps dying") == 1
    pretended.say("RUNNING", 30)
    watch.look()
    assert "worker was started again by hand (pid 30)" in capsys.readouterr().out
