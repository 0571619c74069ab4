"""What is done at the portal: fetch the source, build the artefact, make the packs that the hosts need."""

from collections.abc import Callable
from typing import Any, Protocol

from delivery.artefacts.packs import pack_for
from delivery.building import work as building
from delivery.engine.send_steps import bases_of, wanted_sha
from delivery.models import DeployStep

Kind = DeployStep.Kind


class Hand(Protocol):
    """A worker with a step in its hand: see local_work."""

    step: DeployStep

    def look(self) -> None: ...

    def tell(self, done: int, total: int) -> None: ...


def pack(hand: Hand) -> dict[str, Any]:
    """Make each pack that a host of the deploy needs, once; they are kept for the step that sends them."""
    deploy = hand.step.deploy
    sha256 = wanted_sha(hand.step)
    bases = bases_of(hand.step)
    hosts = deploy.hosts.values_list("host_id", flat=True)
    wanted = sorted({bases.get(pk or 0, ("", ""))[1] for pk in hosts})
    told: dict[str, int] = {}
    for number, base in enumerate(wanted):
        hand.tell(number, len(wanted))
        told[base or "whole"] = pack_for(sha256, base or None).size
    hand.tell(len(wanted), len(wanted))
    return {"packs": told}


WORK: dict[str, Callable[[Any], dict[str, Any]]] = {**building.WORK, Kind.PACK: pack}
