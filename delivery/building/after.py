"""A command at the portal behind the switch, such as a smoke test: in a clean room with the files of the release."""

from typing import Any

from delivery.artefacts.laying import lay_out
from delivery.building import rooms, rows
from delivery.building.rows import Hands
from delivery.building.work import Hand, environment_of, patience, run_stage
from delivery.models import Artefact, Deploy
from delivery.stages import AFTER


def run(hand: Hand) -> dict[str, Any]:
    """Run the command of a stage, once for all hosts; another attempt of a lost worker begins anew.

    Raises:
        DomainError: it did not end well, or the files of the release are not there any more.
    """
    deploy = hand.step.deploy
    with rows.building(hand.step, hand.look) as hands:
        room = rooms.room_of(f"deploy-{deploy.pk}", deploy.pipeline.project_id)
        rooms.make_clean(room)
        hand.tell(0, 1)
        artefact = _artefact_of(deploy)
        lay_out(artefact.sha256, room.source, hand.look)
        # Nothing is begun of what was cancelled meanwhile.
        hand.look()
        stage = {"kind": AFTER, "title": hand.step.title, **hand.step.options}
        seconds = min(patience(stage), deploy.way["build_timeout_seconds"])
        environment = _environment(deploy, artefact, hands)
        run_stage(hand, hands, room, stage, environment, seconds)
        hands.ended_well(artefact)
        rooms.clear(room)
    return {}


def _artefact_of(deploy: Deploy) -> Artefact:
    # Nothing is switched before there is one.
    return Artefact.objects.get(pk=deploy.artefact_id or 0)


def _environment(deploy: Deploy, artefact: Artefact, hands: Hands) -> dict[str, str]:
    told = environment_of(deploy, hands, artefact.commit, artefact.branch, artefact.tag)
    return told | {
        "ADMINSET_RELEASE": deploy.release,
        "ADMINSET_ENVIRONMENT": deploy.environment.code,
    }
