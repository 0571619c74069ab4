"""Scripts and files through the run engine on three real hosts: values, arguments, time-outs by name, files of the library."""

from __future__ import annotations

import errno
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cmdb.models import Host
from tasks import kept_output, output
from tasks.library import blobs
from tasks.models import Run, StoredFile, Version
from tasks.services.execute import execute_run
from tests.tasks.conftest import results

pytestmark = pytest.mark.django_db
Do = Callable[..., Run]


@pytest.fixture
def stored(settings: Any, tmp_path: Path) -> StoredFile:
    settings.LIBRARY_DIR = tmp_path / "library"
    digest, size = blobs.keep([b"welcome\n"], 1000)
    item = StoredFile.objects.create(name="motd")
    Version.objects.create(file=item, number=1, sha256=digest, size=size)
    return item


def text_of(run: Run, name: str = "host0") -> str:
    return output.read(run.pk, run.hosts.get(host_name=name).pk, 0).text


def test_a_script_runs_everywhere_with_its_arguments_and_values(do: Do) -> None:
    text = 'printf "%s|" "$@"; echo "$ADMINSET_LIST/$ADMINSET_ON/$ADMINSET_TOKEN"'
    run = do(
        kind="script",
        command="",
        script_text=text,
        script_arguments="'two words' \"it's\" '$(id)'",
        variables={"list": ["a", "b"], "on": True},
        secret_answers={"token": "sesame-open"},
    )
    assert results(run) == dict.fromkeys(["host0", "host1", "host2"], ("ok", 0))
    assert text_of(run) == "two words|it's|$(id)|a\nb/true/••••\n"
    assert "sesame" not in json.dumps(list(Run.objects.values()), default=str)


def test_arguments_that_cannot_be_told_apart_reach_no_host(
    ask: Do, tmp_path: Path, hosts: list[Host]
) -> None:
    run = ask(
        kind="script", command="", script_text=f"touch {tmp_path}/ran", on=hosts[:1]
    )
    Run.objects.filter(pk=run.pk).update(script_arguments="it's")
    execute_run(pk=run.pk, worker="test")
    row = run.hosts.get()
    assert row.status == "failed"
    assert "Close each quote" in row.explanation
    assert not (tmp_path / "ran").exists()


def test_a_host_that_falls_silent_is_timed_out_by_that(
    do: Do, hosts: list[Host]
) -> None:
    run = do(command="echo begun; sleep 60", idle_timeout_seconds=1, on=hosts[:1])
    row = run.hosts.get()
    assert (row.status, row.limit) == ("timed_out", "idle")
    run = do(command="echo begun; sleep 60", timeout_seconds=1, on=hosts[:1])
    row = run.hosts.get()
    assert (row.status, row.limit) == ("timed_out", "host")


def test_a_host_that_does_not_answer_in_time_is_unreachable_by_that(
    do: Do, hosts: list[Host]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hosts[0].ssh_port = silent.getsockname()[1]
        hosts[0].save()
        run = do(command="true", connect_timeout_seconds=1, on=hosts[:1])
    row = run.hosts.get()
    assert (row.status, row.limit) == ("unreachable", "connect")
    assert "within 1 s" in row.explanation


def test_a_file_of_the_library_is_brought_to_a_host_once(
    do: Do, hosts: list[Host], stored: StoredFile, tmp_path: Path
) -> None:
    place = tmp_path / "motd"
    entry = {"file": stored.pk, "path": str(place), "mode": "0640", "backup": True}
    run = do(kind="files", command="", distribution=[entry], on=hosts[:1])
    row = run.hosts.get()
    assert row.status == "ok", row.explanation
    assert row.explanation.endswith(": 1 sent.")
    assert place.read_text() == "welcome\n"
    assert f"{place}: sent 8 bytes" in text_of(run)
    run = do(kind="files", command="", distribution=[entry], on=hosts[:1])
    assert run.hosts.get().explanation.endswith(": 1 unchanged.")


def test_a_file_whose_bytes_are_gone_reaches_no_host(
    ask: Do, hosts: list[Host], stored: StoredFile, tmp_path: Path
) -> None:
    entry = {"file": stored.pk, "path": str(tmp_path / "motd")}
    run = ask(kind="files", command="", distribution=[entry], on=hosts[:2])
    version = stored.versions.get()
    blobs.path_of(version.sha256).unlink()
    execute_run(pk=run.pk, worker="test")
    assert {row.status for row in run.hosts.all()} == {"failed"}
    assert "are missing on the portal's machine" in run.hosts.first().explanation
    assert not (tmp_path / "motd").exists()


def test_a_disk_that_is_full_ends_the_host_that_writes_and_no_other(
    ask: Do, hosts: list[Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ask(command="echo a; sleep 0.05; echo b; sleep 1.5; echo c")
    unlucky = f"{run.hosts.get(host_name='host1').pk}.log"
    append = kept_output.append_to

    def full(path: Path, data: bytes) -> None:
        if path.name == unlucky and b"b" in data:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        append(path, data)

    monkeypatch.setattr(kept_output, "append_to", full)
    execute_run(pk=run.pk, worker="test")
    assert results(run) == {
        "host0": ("ok", 0),
        "host1": ("failed", None),
        "host2": ("ok", 0),
    }
    told = run.hosts.get(host_name="host1").explanation
    assert "could not be taken in. Its processes there have ended." in told
    assert told.endswith("could be kept: No space left on device.")
