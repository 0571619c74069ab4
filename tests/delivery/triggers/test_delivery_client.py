"""The command-line client as a process of its own: from an archive to three real hosts and back again."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from delivery.asked import answerers
from delivery.asked.answering import answer
from delivery.models import Artefact, Deploy, DeployRequest
from delivery.triggers import wishing
from delivery.triggers.making import make
from tasks.run_api import waiting
from tests.delivery.engine.conftest import stage, three
from tests.delivery.engine.deploy_things import Stage
from tests.tasks.run_api.api_things import token_of
from tests.tasks.run_api.client_things import Cli, until

__all__ = ["stage", "three"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


@pytest.fixture(autouse=True)
def source() -> None:
    """Nothing stands for the source: what is delivered lies at the portal."""


@pytest.fixture(autouse=True)
def wished(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be the worker: wishes and questions are treated as soon as they come."""

    class Worker:
        def send_task(self, name: str, args: tuple[str], queue: str) -> None:
            answerers.join()
            answer(*args)

    monkeypatch.setattr("adminset.calling.current_app", Worker())
    monkeypatch.setattr(wishing, "call_for", lambda pk, kind: make(pk))


@pytest.fixture
def cli(
    live_server: Any, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cli]:
    """The client, with a token of the stage's user."""
    monkeypatch.setattr(waiting, "LONGEST_SECONDS", 1.0)
    yield Cli(live_server.url, token_of(stage.user), tmp_path)
    until(lambda: waiting._waiting == 0)


def driven(stage: Stage, cli: Cli, *words: str) -> tuple[int, str, str]:
    """Ask for a deploy, do what it has to do, and follow it to its end; give how the client ended.

    One after the other: the server of the tests shares its connection with them, and two threads at once on it can lock up.
    """
    asked = cli(*words)
    if asked.returncode:
        return asked.returncode, asked.stdout, asked.stderr
    deploy = Deploy.objects.latest("pk")
    stage.drive(deploy)
    done = cli("deploys", "--follow", str(deploy.pk))
    return done.returncode, asked.stdout + done.stdout, done.stderr


def archive(folder: Path, word: str) -> Path:
    """Make an archive whose file `word` says so."""
    (folder / "word").write_text(word)
    path = folder / f"{word}.tar.gz"
    with tarfile.open(path, "w:gz") as made:
        made.add(folder / "word", "word")
    return path


def test_from_an_archive_to_hosts_and_back(
    cli: Cli, stage: Stage, settings: Any, tmp_path: Path
) -> None:
    settings.BUILD_DIR = tmp_path / "builds"
    project = stage.pipeline.project
    project.source_type = "upload"
    project.save()
    for word in ("first", "second"):
        sent = cli("artefact", "upload", "shop", str(archive(tmp_path, word)))
        assert sent.returncode == 0, sent.stderr
        sha256 = sent.stdout.split()[0]
        words = (
            "deploy",
            "shop/main",
            "live",
            "--ref",
            sha256,
            "--ref-kind",
            "upload",
            "--reason",
            word,
        )
        code, out, err = driven(stage, cli, *words, "--yes")
        assert code == 0, out + err
        assert stage.live() == [word] * 3
        assert out.splitlines()[0].startswith(sha256[:12])
        assert "3 host(s)" in out
        assert f"deploy #{Deploy.objects.latest('pk').pk}: ok" in out
        assert sum(line.endswith(": ok") for line in out.splitlines()) >= 3
    code, out, err = driven(stage, cli, "rollback", "shop/live", "--reason", "broken")
    assert code == 0, out + err
    assert stage.live() == ["first"] * 3
    listed = cli("deploys", "--most", "2").stdout
    assert len(listed.splitlines()) == 2
    built = cli("artefact", "list", "shop").stdout
    assert len(built.splitlines()) == Artefact.objects.count() == 2
    assert [row.reason for row in Deploy.objects.order_by("pk")] == [
        "first",
        "second",
        "broken",
    ]


def test_without_a_yes_nothing_begins(cli: Cli, stage: Stage) -> None:
    stage.artefact("first")
    words = (
        "deploy",
        "shop/main",
        "live",
        "--ref",
        str(Artefact.objects.get().pk),
        "--ref-kind",
        "artefact",
    )
    told = cli(*words, "--reason", "x")
    assert told.returncode == 2
    assert "3 host(s)" in told.stdout
    assert "Nothing was begun" in told.stderr
    assert not DeployRequest.objects.exists()


def test_a_plan_that_cannot_be_made_says_why(cli: Cli, stage: Stage) -> None:
    for words in (
        ("shop/main", "nowhere"),
        ("shop/none", "live"),
        ("shop/main", "live"),
    ):
        told = cli(
            "deploy",
            *words,
            "--ref",
            "77777",
            "--ref-kind",
            "artefact",
            "--reason",
            "x",
            "--yes",
        )
        assert told.returncode == 2, told.stdout
        assert told.stderr.startswith("adminset-cli: ")
    assert not DeployRequest.objects.exists()


def test_what_hosts_and_people_wrote_obeys_no_terminal(cli: Cli, stage: Stage) -> None:
    artefact = stage.artefact("first")
    stage.way(after_switch="printf '\x1b]0;x\x07\x1b[2J'")
    words = (
        "deploy",
        "shop/main",
        "live",
        "--ref",
        str(artefact.pk),
        "--ref-kind",
        "artefact",
        "--reason",
        "\x1b[31m",
    )
    told = cli(*words, "--yes")
    assert told.returncode == 0, told.stderr
    assert "\x1b" not in told.stdout + told.stderr
    assert "\x07" not in told.stdout + told.stderr


def test_a_deploy_is_cancelled(cli: Cli, stage: Stage) -> None:
    deploy = stage.ask(stage.artefact("first"))
    told = cli("deploys", "--cancel", str(deploy.pk), "--reason", "wrong")
    assert told.returncode == 0, told.stderr
    deploy.refresh_from_db()
    assert deploy.cancel_requested_at is not None
    stage.drive(deploy)
    assert cli("deploys", "--follow", str(deploy.pk)).returncode == 3
