"""What is done at the portal: fetch the source, build the artefact, make the packs that the hosts need, run what comes behind the switch."""

from collections.abc import Callable
from typing import Any

from delivery.artefacts import packs
from delivery.building import after
from delivery.building import work as building
from delivery.building.work import Hand
from delivery.engine.send_steps import bases_of, sender_of, wanted_sha
from delivery.models import DeployStep

Kind = DeployStep.Kind


def pack(hand: Hand) -> dict[str, Any]:
    """Make each pack that a host of the deploy needs, once; the step that sends them knows them by the marks that are left.

    In another attempt hosts could not use what came: those packs are hashed first, and made anew where they are damaged.
    """
    sha256 = wanted_sha(hand.step)
    bases = bases_of(sender_of(hand.step)).values()
    wanted = sorted({base for _release, base in bases})
    marks: dict[str, Any] = {}
    for number, base in enumerate(wanted):
        hand.tell(number, len(wanted))
        if hand.step.attempt > 1:
            packs.doubt(sha256, base)
        marks[base] = packs.pack_for(sha256, base or None).mark()
    hand.tell(len(wanted), len(wanted))
    return {"packs": marks}


WORK: dict[str, Callable[[Any], dict[str, Any]]] = {
    **building.WORK,
    Kind.PACK: pack,
    Kind.AFTER: after.run,
}
