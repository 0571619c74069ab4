"""Output of a worker elsewhere: it comes home whole, each byte once, whatever breaks off on the way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from django.db import OperationalError

from accounts.models import User
from tasks import output
from tasks.models import OutputPiece, Run, RunHost, SentFile
from tasks.output import Hints, OutputFile
from tasks.services.claim import Claim, Watch, claim_run
from tasks.services.execute import execute_run
from tasks.services.jobs import Job
from tasks.sites import sending
from tasks.sites.receiving import receive, receive_all
from tasks.sites.sending import Outgoing
from tasks.tasks import receive_output
from tests.tasks.engine_things import FakeLane, a_run, lose

pytestmark = pytest.mark.django_db
Turn = Callable[[str], None]


@pytest.fixture
def turn_to(settings, tmp_path: Path) -> Turn:
    """Stand on a machine: "home" is the portal's, the others send."""

    def turn(name: str) -> None:
        settings.RUN_DIR = tmp_path / name
        settings.RUN_SENDS_OUTPUT = name != "home"

    turn("home")
    return turn


@pytest.fixture
def run(admin: User, turn_to: Turn) -> Run:
    return a_run(admin, 2)


def begun(run: Run) -> tuple[Claim, Outgoing, list[int]]:
    claim = claim_run(pk=run.pk, worker="there")
    assert claim is not None
    outgoing = Outgoing(claim, Watch(claim))
    rows = list(run.hosts.order_by("pk").values_list("pk", flat=True))
    outgoing.follow(rows)
    return claim, outgoing, rows


def write(run: Run, row: int | None, text: str) -> None:
    path = output.path_of(run.pk, row)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(text)


def at_home(run: Run, row: int | None) -> str:
    receive(run.pk)
    path = output.path_of(run.pk, row)
    return path.read_text() if path.exists() else ""


def test_what_a_worker_writes_stands_in_the_portals_files(
    run: Run, turn_to: Turn
) -> None:
    turn_to("there")
    _claim, outgoing, (first, second) = begun(run)
    write(run, first, "one\n")
    write(run, None, "TASK\n")
    assert outgoing.send()
    turn_to("home")
    assert at_home(run, first) == "one\n"
    assert at_home(run, None) == "TASK\n"
    assert at_home(run, second) == ""
    turn_to("there")
    write(run, first, "two\n")
    outgoing.send()
    turn_to("home")
    assert at_home(run, first) == "one\ntwo\n"
    assert not OutputPiece.objects.exists()
    assert (output.path_of(run.pk, first).stat().st_mode & 0o777) == 0o600


def test_the_portal_is_called_to_take_it_in_and_left_alone_while_redis_is_away(
    run: Run, turn_to: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[tuple[str, tuple, str]] = []

    def send_task(name: str, args: tuple, queue: str, expires: int) -> None:
        called.append((name, args, queue))
        if len(called) == 2:
            raise redis.ConnectionError

    monkeypatch.setattr("tasks.sites.sending.current_app.send_task", send_task)
    turn_to("there")
    _claim, outgoing, (first, _second) = begun(run)
    assert outgoing.send()
    assert called == []
    for text in ("one", "two", "three"):
        write(run, first, text)
        assert outgoing.send()
    assert called == [("tasks.receive_output", (run.pk,), "adminset")] * 2
    turn_to("home")
    receive_output(run.pk)
    assert output.path_of(run.pk, first).read_text() == "onetwothree"


def test_large_output_goes_in_pieces(
    run: Run, turn_to: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "CHUNK_BYTES", 7)
    monkeypatch.setattr(sending, "MOST_BYTES", 10)
    turn_to("there")
    _claim, outgoing, (first, second) = begun(run)
    write(run, first, "0123456789" * 50)
    write(run, second, "abcdefghij" * 50)
    outgoing.send()
    assert OutputPiece.objects.count() > 100
    turn_to("home")
    assert at_home(run, first) == "0123456789" * 50
    assert at_home(run, second) == "abcdefghij" * 50


def test_a_transaction_that_broke_off_is_sent_again_once(
    run: Run, turn_to: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn_to("there")
    _claim, outgoing, (first, _second) = begun(run)
    write(run, first, "one\n")
    with monkeypatch.context() as broken:
        broken.setattr(
            SentFile.objects,
            "bulk_update",
            lambda *a: (_ for _ in ()).throw(OperationalError),
        )
        assert not outgoing.send()
    assert not OutputPiece.objects.exists()
    assert outgoing.send()
    # The answer to the transaction was lost: the database knows how far it came.
    outgoing._sent.clear()
    write(run, first, "two\n")
    outgoing.send()
    turn_to("home")
    assert at_home(run, first) == "one\ntwo\n"


def test_a_piece_that_was_written_before_a_crash_is_not_written_again(
    run: Run, turn_to: Turn
) -> None:
    turn_to("there")
    _claim, outgoing, (first, _second) = begun(run)
    write(run, first, "one\ntwo\n")
    outgoing.send()
    turn_to("home")
    write(run, first, "one\n")
    assert at_home(run, first) == "one\ntwo\n"


def test_a_worker_that_lost_its_part_sends_no_more_and_the_next_one_goes_on_behind(
    run: Run, turn_to: Turn
) -> None:
    turn_to("there")
    _claim, outgoing, (first, _second) = begun(run)
    write(run, first, "before\n")
    outgoing.send()
    lose(run)
    run.parts.update(status="queued")
    turn_to("elsewhere")
    _next, other, _rows = begun(run)
    write(run, first, "after\n")
    other.send()
    turn_to("there")
    write(run, first, "too late\n")
    outgoing.send()
    assert outgoing._watch.why == "lost"
    turn_to("home")
    assert at_home(run, first) == "before\nafter\n"


@pytest.mark.parametrize("at_once", [True, False])
def test_a_host_that_comes_back_to_a_machine_loses_nothing(
    run: Run, turn_to: Turn, at_once: bool
) -> None:
    told = ""
    # There are many bytes of the first machine, so that a wrong place would cut off what comes later.
    for number, name in enumerate(["there", "elsewhere", "there", "elsewhere"]):
        run.parts.update(status="queued")
        turn_to(name)
        _claim, outgoing, (first, _second) = begun(run)
        text = f"{name} {number}\n" * (50 - number)
        write(run, first, text)
        outgoing.send()
        told += text
        turn_to("home")
        if not at_once:
            assert at_home(run, first) == told
    assert at_home(run, first) == told


def test_a_shared_folder_is_not_written_twice(
    run: Run, turn_to: Turn, settings, tmp_path: Path
) -> None:
    settings.RUN_SENDS_OUTPUT = True
    _claim, outgoing, (first, _second) = begun(run)
    write(run, first, "one\n")
    write(run, None, "all\n")
    outgoing.send()
    turn_to("home")
    assert (at_home(run, first), at_home(run, None)) == ("one\n", "all\n")
    assert not OutputPiece.objects.exists()


def test_a_host_that_has_ended_has_all_its_output_at_home(
    run: Run, turn_to: Turn, monkeypatch: pytest.MonkeyPatch, fake_lane: FakeLane
) -> None:
    def during(job: Job, row: RunHost) -> None:
        file = OutputFile(run.pk, row.pk, [], Hints(run.pk))
        file.write(f"out of {row.host_name}\n".encode())
        file.close()

    fake_lane.during = during
    turn_to("there")
    execute_run(pk=run.pk, worker="there")
    run.refresh_from_db()
    assert run.status == "ok"
    turn_to("home")
    for row in run.hosts.all():
        assert at_home(run, row.pk) == f"out of {row.host_name}\n"


def test_old_files_are_forgotten_but_never_at_home(
    run: Run, turn_to: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "OLD_SECONDS", -10)
    write(run, None, "all\n")
    receive_all()
    turn_to("there")
    write(run, None, "all\n")
    sending.forget_old()
    assert not output.folder(run.pk).exists()
    turn_to("home")
    sending.forget_old()
    assert output.folder(run.pk).exists()
