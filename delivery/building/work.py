"""The two steps of a deploy that make its artefact: lay the source into a clean room, run the commands there and store what is left."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any, Protocol

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from delivery.artefacts import store
from delivery.artefacts.rules import Rules
from delivery.building import rooms, rows
from delivery.building.commands import TIMED_OUT, BuildError, run_command
from delivery.building.recording import record
from delivery.building.rooms import Room
from delivery.building.rows import Hands
from delivery.models import Artefact, Deploy, DeployStep
from delivery.sources.face import Fetched, Ref
from delivery.sources.opening import source_of
from delivery.stages import AT_PORTAL, paths, title_of

Stage = dict[str, Any]


class Hand(Protocol):
    """A worker with a step in its hand (delivery/engine/local_work.py); `look` and `tell` raise when it is not ours any more."""

    step: DeployStep

    def look(self) -> None: ...

    def tell(self, done: int, total: int) -> None: ...


def fetch(hand: Hand) -> dict[str, Any]:
    """Lay the commit that was said yes to into a clean room.

    Raises:
        DomainError: what the source says.
    """
    with rows.building(hand.step, hand.look) as hands:
        fetched = _fetched(hand, hands)
    return {"commit": fetched.commit}


def build(hand: Hand) -> dict[str, Any]:
    """Run the commands of the stages in the room, store what the rules take of it, and give the deploy its artefact.

    Raises:
        DomainError: a command failed, or what is left cannot be delivered.
    """
    with rows.building(hand.step, hand.look) as hands:
        room = _room(hand.step.deploy)
        rooms.end_orphans(room)
        fetched = _read_mark(room) or _fetched(hand, hands)
        # From here on the files are no longer those of the commit: another attempt begins with new ones.
        room.mark.unlink()
        artefact = _made(hand, hands, room, fetched)
        hands.ended_well(artefact)
        rooms.clear(room)
    return {"artefact": artefact.pk, "commit": fetched.commit}


def _room(deploy: Deploy) -> Room:
    return rooms.room_of(f"deploy-{deploy.pk}", deploy.pipeline.project_id)


def _fetched(hand: Hand, hands: Hands) -> Fetched:
    deploy = hand.step.deploy
    room = _room(deploy)
    rooms.make_clean(room)
    ref = Ref(deploy.ref_kind, deploy.ref)
    hands.say(_("Reading %(name)s %(commit)s") % _names(deploy))
    source = source_of(
        deploy.pipeline.project,
        actor=deploy.requested_by or rows.PORTAL,
        ref_kind=deploy.ref_kind,
        told=lambda percent: hand.tell(percent, 100),
    )
    origin = deploy.plan.get("origin", "")
    fetched = source.fetch(ref, room.source, at=deploy.commit, origin=origin)
    hands.say(
        _("%(files)s files, %(size)s KiB, commit %(commit)s")
        % {
            "files": fetched.files,
            "size": fetched.size // 1024,
            "commit": fetched.commit,
        }
    )
    for path in fetched.skipped:
        hands.say(_("The submodule %(path)s is left out.") % {"path": path})
    hands.now(commit=fetched.commit[:64])
    room.mark.write_text(_as_json(fetched), encoding="utf-8")
    return fetched


def _names(deploy: Deploy) -> dict[str, str]:
    return {"name": deploy.ref, "commit": deploy.commit[:12]}


def _made(hand: Hand, hands: Hands, room: Room, fetched: Fetched) -> Artefact:
    deploy = hand.step.deploy
    way = deploy.way
    stages = [stage for stage in way["stages"] if stage["kind"] in AT_PORTAL]
    caches = paths(way.get("cache_paths", ""))
    rooms.lend_caches(room, caches)
    environment = environment_of(
        deploy, hands, fetched.commit, fetched.branch, fetched.tag
    )
    end = time.monotonic() + way.get("build_timeout_seconds", settings.BUILD_SECONDS)
    for number, stage in enumerate(stages):
        hand.tell(number, len(stages) + 1)
        seconds = min(patience(stage), max(1, int(end - time.monotonic())))
        run_stage(hand, hands, room, stage, environment, seconds)
    rooms.end_orphans(room)
    hand.tell(len(stages), len(stages) + 1)
    rules = Rules(_lines(way.get("include", "")), _lines(way.get("exclude", "")))
    stored = store.add(room.source, rules)
    hands.say(
        _("Artefact %(sha)s: %(files)s files, %(size)s KiB")
        % {
            "files": stored.count,
            "size": stored.size // 1024,
            "sha": stored.sha256[:12],
        }
    )
    rooms.take_caches_back(room, caches)
    return _given(hand, stored, fetched)


@transaction.atomic
def _given(hand: Hand, stored: store.Stored, fetched: Fetched) -> Artefact:
    """Record the artefact and give it to the deploy, while the step is still ours."""
    # In the order of the engine, deploy before step: who takes them the other way round comes to a deadlock with a cancel.
    Deploy.objects.select_for_update().get(pk=hand.step.deploy_id)
    hand.look()
    deploy = hand.step.deploy
    artefact = record(
        actor=deploy.requested_by or rows.PORTAL,
        project=deploy.pipeline.project,
        stored=stored,
        fetched=fetched,
    )
    Deploy.objects.filter(pk=deploy.pk).update(
        artefact=artefact, commit=fetched.commit[:64]
    )
    return artefact


def patience(stage: Stage) -> int:
    """Give how many seconds the command of a stage may take."""
    return int(stage.get("timeout") or settings.BUILD_SECONDS)


def run_stage(
    hand: Hand,
    hands: Hands,
    room: Room,
    stage: Stage,
    environment: dict[str, str],
    seconds: int,
) -> None:
    """Run the command of a stage in a room.

    Raises:
        BuildError: it did not end well, or not within the seconds that it has.
    """
    title, command = title_of(stage), stage["command"]
    hands.now(stage=title[:100], command=command)
    hands.say(title)
    code = run_command(
        room, command, environment, hands.log, seconds=seconds, look=hand.look
    )
    hands.now(exit_code=code)
    if code == TIMED_OUT:
        raise BuildError(
            _("%(stage)s took longer than %(seconds)s s.")
            % {"stage": title, "seconds": seconds},
            _("Give the stage more time, or look in the output where it stands still."),
            exit_code=code,
        )
    if code:
        raise BuildError(
            _("%(stage)s ended with exit code %(code)s.")
            % {"stage": title, "code": code},
            _("Its output says why."),
            exit_code=code,
        )


def environment_of(
    deploy: Deploy, hands: Hands, commit: str, branch: str, tag: str
) -> dict[str, str]:
    """Give what commands at the portal are told of a deploy."""
    return {
        "ADMINSET_PROJECT": deploy.pipeline.project.code,
        "ADMINSET_COMMIT": commit,
        "ADMINSET_BRANCH": branch,
        "ADMINSET_TAG": tag,
        "ADMINSET_BUILD": str(hands.build.pk),
        "ADMINSET_DEPLOY": str(deploy.pk),
    }


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line for line in text.splitlines() if line.strip())


def _as_json(fetched: Fetched) -> str:
    values = asdict(fetched)
    values["when"] = fetched.when.isoformat() if fetched.when else None
    return json.dumps(values)


def _read_mark(room: Room) -> Fetched | None:
    """Read what lies in the room, where the step before left it whole."""
    try:
        values = json.loads(room.mark.read_text(encoding="utf-8"))
        when = values["when"]
        values["when"] = datetime.fromisoformat(when) if when else None
        return Fetched(**values)
    except (OSError, ValueError, TypeError, KeyError):
        return None


WORK: dict[str, Callable[[Any], dict[str, Any]]] = {
    DeployStep.Kind.FETCH: fetch,
    DeployStep.Kind.BUILD: build,
}
