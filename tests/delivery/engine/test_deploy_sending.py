"""Packs on their way: made by workers and never while rows are held; what a host could not use is packed anew and sent once more."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path
from typing import Any

import pytest

from delivery.artefacts import packs, store
from delivery.engine import handlers
from delivery.engine.controlling import retry_deploy
from delivery.models import Deploy, DeployStep
from tests.delivery.engine.deploy_things import Stage, kinds

pytestmark = pytest.mark.django_db
Kind = DeployStep.Kind


class Engine:
    """Knows whether the engine holds the rows of a deploy, and what it did meanwhile that takes long."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch, self._holds = patch, False
        self.wrong: list[str] = []

    def hold_in(self, found: dict[str, Any], kind: str) -> None:
        """Look while a step of a kind begins, or is judged."""
        real = found[kind]

        def handled(step: DeployStep) -> Any:
            self._holds = True
            try:
                return real(step)
            finally:
                self._holds = False

        self._patch.setitem(found, kind, handled)

    def forbid(self, room: Any, name: str) -> None:
        """Keep a name where that is called meanwhile."""
        real = getattr(room, name)

        def called(*given: Any, **more: Any) -> Any:
            if self._holds:
                self.wrong.append(name)
            return real(*given, **more)

        self._patch.setattr(room, name, called)


@pytest.fixture
def read_or_built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What read a pack whole, built one, or waited for the store, while the engine held the rows."""
    engine = Engine(monkeypatch)
    for kind in (Kind.PACK, Kind.DISTRIBUTE):
        engine.hold_in(handlers.BEGIN, kind)
        engine.hold_in(handlers.JUDGE, kind)
    engine.forbid(packs, "write")
    engine.forbid(hashlib, "file_digest")
    engine.forbid(store, "holding")
    return engine.wrong


def damage(path: Path) -> None:
    """Change bytes in the middle, but not how many there are."""
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(64 - byte % 2 for byte in range(64))
    path.chmod(0o600)
    path.write_bytes(data)


def packed(deploy: Deploy) -> DeployStep:
    return deploy.steps.get(kind=Kind.PACK)


def test_no_pack_is_read_or_built_while_the_engine_holds_the_rows(
    stage: Stage, read_or_built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stage.deploy(stage.artefact("one")).status == "ok"
    # As if another process had packed.
    stage.during[Kind.DISTRIBUTE] = lambda step: packs._hashed.clear()
    # The bytes of one host's base are not what they were.
    file = stage.roots[stage.hosts[1].pk] / "current" / "pad"
    damage(file)
    deploy = stage.deploy(stage.artefact("two"))
    assert deploy.status == "ok", (deploy.explanation, kinds(deploy))
    assert stage.live() == ["two", "two", "two"]
    assert read_or_built == []
    sent = deploy.steps.get(kind=Kind.DISTRIBUTE)
    assert (packed(deploy).attempt, sent.attempt) == (2, 2)
    assert "host1" in sent.past[0]["explanation"]
    assert sent.explanation.startswith("It was packed anew. host1: ")
    assert sent.found["whole"] == [stage.hosts[1].pk]
    assert len(sent.found["received"]) == 2
    # Only the host that lacks it got anything the second time.
    assert sent.run is not None
    assert [row.host_id for row in sent.run.hosts.all()] == [stage.hosts[1].pk]


def test_of_a_small_file_a_host_gets_what_changed_and_has_all_of_it(
    stage: Stage,
) -> None:
    lines = [f"{number:09}" for number in range(2000)]
    stage.deploy(stage.artefact("one", lib="\n".join(lines)))
    lines[1000:1001] = ["other", "lines"]
    artefact = stage.artefact("two", lib="\n".join(lines))
    deploy = stage.deploy(artefact)
    assert deploy.status == "ok", (deploy.explanation, kinds(deploy))
    name = next((store.root() / "packs").glob(f"{artefact.sha256[:32]}-*.pack"))
    with tarfile.open(name) as pack:
        ops = pack.extractfile("patch/0/ops")
        assert ops is not None
        # In blocks of its own: those of large files would be most of it.
        assert ops.read().decode().splitlines()[0] == "b 512"
        assert "tree/lib" not in pack.getnames()
    for root in stage.roots.values():
        assert (root / "current" / "lib").read_text() == "\n".join(lines)


def test_a_pack_that_hosts_refuse_is_made_anew_and_the_deploy_goes_on(
    stage: Stage,
) -> None:
    artefact = stage.artefact("one")
    damaged: list[Path] = []

    def spoil(step: DeployStep) -> None:
        if not damaged:
            damaged.extend((store.root() / "packs").glob("*.pack"))
            for path in damaged:
                damage(path)

    stage.during[Kind.DISTRIBUTE] = spoil
    deploy = stage.deploy(artefact)
    assert deploy.status == "ok", (deploy.explanation, kinds(deploy))
    assert len(damaged) == 1
    assert stage.live() == ["one", "one", "one"]
    assert packed(deploy).attempt == 2
    sent = deploy.steps.get(kind=Kind.DISTRIBUTE)
    assert sent.found["refused"] == sorted(host.pk for host in stage.hosts)


def test_where_the_second_pack_is_refused_too_it_fails_and_a_retry_packs_anew(
    stage: Stage,
) -> None:
    def spoil(step: DeployStep) -> None:
        for path in (store.root() / "packs").glob("*.pack"):
            damage(path)

    stage.during[Kind.DISTRIBUTE] = spoil
    deploy = stage.deploy(stage.artefact("one"))
    assert deploy.status == "failed", kinds(deploy)
    assert "The pack could not be unpacked" in deploy.explanation
    assert deploy.steps.get(kind=Kind.DISTRIBUTE).attempt == 2
    assert stage.live() == ["", "", ""]
    assert not any(stage.locked())
    del stage.during[Kind.DISTRIBUTE]
    packs._hashed.clear()
    again = stage.drive(retry_deploy(actor=stage.user, deploy=deploy))
    assert again.status == "ok", (again.explanation, kinds(again))
    assert stage.live() == ["one", "one", "one"]


def test_packs_that_were_cleared_away_meanwhile_are_made_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, gone = packs.at_hand, list[Path]()

    def cleared(new: str, base: str, mark: Any) -> Any:
        if not gone:
            gone.extend((store.root() / "packs").iterdir())
            for path in gone:
                path.unlink()
        return real(new, base, mark)

    monkeypatch.setattr("delivery.engine.send_steps.at_hand", cleared)
    deploy = stage.deploy(stage.artefact("one"))
    assert deploy.status == "ok", (deploy.explanation, kinds(deploy))
    assert (len(gone), packed(deploy).attempt) == (2, 2)
    assert stage.live() == ["one", "one", "one"]
