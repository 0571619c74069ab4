"""The portal's side of the delivery benches: hosts, packs, legs done by one worker, in one process. Told on stdin, tells on stdout."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402 - Django must be set up first

from accounts.models import User  # noqa: E402 - likewise
from cmdb.models import Credential, Host  # noqa: E402 - likewise
from delivery.artefacts import store  # noqa: E402 - likewise
from delivery.artefacts.packs import pack_for  # noqa: E402 - likewise
from delivery.artefacts.rules import Rules  # noqa: E402 - likewise
from delivery.onhost import legs  # noqa: E402 - likewise
from delivery.onhost.context import Health, Hooks, HostContext  # noqa: E402 - likewise
from tasks.legs.asking import Leg, request_leg  # noqa: E402 - likewise
from tasks.legs.judging import JUDGES  # noqa: E402 - likewise
from tasks.services.execute import execute_part  # noqa: E402 - likewise

# What a real pipeline would ask, on the cheap: the switch is measured, not an application.
HOOKS = Hooks(restart="true")
HEALTH = Health(kind="command", target="test -f REVISION", attempts=1)


class Desk:
    """A portal with hosts; each has a deploy path of its own on this one machine."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.user = User.objects.create_superuser("bench", None)
        self.root = told["root"]
        credential = Credential.objects.create(
            name="farm", username=told["user"], private_key=told["key"]
        )
        Host.objects.bulk_create(
            Host(
                hostname=name,
                address=address,
                ssh_port=port,
                host_key=key,
                credential=credential,
            )
            for name, address, port, key in told["places"]
        )
        self.ids = list(Host.objects.order_by("pk").values_list("pk", flat=True))
        JUDGES["delivery"] = lambda run, hosts: {host.pk for host in hosts}
        self._count = 0

    def context(self, number: int, artefact: store.Stored, forks: int) -> HostContext:
        """Give the context of a deploy of an artefact."""
        return HostContext(
            root=self.root,
            deploy_id=number,
            who="bench",
            release=f"{number}-{artefact.sha256[:8]}",
            artefact_sha256=artefact.sha256,
            hooks=HOOKS,
            health=HEALTH,
            forks=forks,
        )

    def do(self, leg: Leg) -> float:
        """Ask for a leg, do it, and say how many seconds both took; each host must end well."""
        own = {
            pk: {**leg.host_values.get(pk, {}), "AS_ROOT": f"{self.root}/{pk}"}
            for pk in leg.host_ids
        }
        self._count += 1
        began = time.perf_counter()
        run = request_leg(
            actor=self.user,
            leg=replace(leg, host_values=own),
            key=f"bench-{self._count}",
        )
        for part in run.parts.all():
            execute_part(run_id=run.pk, queue=part.queue, worker="bench")
        took = time.perf_counter() - began
        run.refresh_from_db()
        bad = run.hosts.exclude(status="ok").values("explanation", "report").first()
        if bad:
            raise RuntimeError(f"{leg.purpose}: {run.ok_count} hosts: {bad}")
        return took


def stored(folder: str) -> store.Stored:
    """Make an artefact of a folder."""
    return store.add(Path(folder), Rules())


def send(desk: Desk, told: dict[str, Any]) -> dict[str, float]:
    """Send a release to all hosts at once, then a second one with a little changed."""
    first, second = stored(told["first"]), stored(told["second"])
    one = desk.context(1, first, len(desk.ids))
    two = desk.context(2, second, len(desk.ids))
    whole, delta = pack_for(first.sha256), pack_for(second.sha256, first.sha256)
    desk.do(legs.claim_leg(one, desk.ids))
    wall = desk.do(legs.receive_leg(one, dict.fromkeys(desk.ids, whole)))
    desk.do(legs.unlock_leg(one, desk.ids))
    desk.do(legs.claim_leg(two, desk.ids))
    bases = dict.fromkeys(desk.ids, one.release)
    again = desk.do(legs.receive_leg(two, dict.fromkeys(desk.ids, delta), bases))
    return {"wall": wall, "again": again, "whole": whole.size, "delta": delta.size}


def switch(desk: Desk, told: dict[str, Any]) -> dict[str, float]:
    """Switch all hosts to a release, then to another, then take that back; the last two are measured."""
    forks = min(len(desk.ids), 200)
    contexts = []
    for number, folder in enumerate((told["first"], told["second"]), 1):
        context = desk.context(number, stored(folder), forks)
        pack = pack_for(context.artefact_sha256)
        desk.do(legs.claim_leg(context, desk.ids))
        desk.do(legs.receive_leg(context, dict.fromkeys(desk.ids, pack)))
        took = desk.do(legs.activate_leg(context, desk.ids))
        finished = desk.do(legs.finish_leg(context, desk.ids))
        contexts.append(context)
    back = replace(contexts[1], deploy_id=3, rollback=True)
    began = time.perf_counter()
    desk.do(legs.claim_leg(back, desk.ids))
    only = desk.do(legs.switch_back_leg(back, desk.ids, contexts[0].release))
    undone = time.perf_counter() - began
    return {"switch": took, "finish": finished, "undo": undone, "back": only}


ACTS: dict[str, Callable[[Desk, dict[str, Any]], dict[str, float]]] = {
    "send": send,
    "switch": switch,
}


def main() -> None:
    """Do what is told and print the seconds."""
    told = json.load(sys.stdin)
    settings.ARTEFACTS_DIR = Path(told["store"])
    json.dump(ACTS[told["act"]](Desk(told), told), sys.stdout)


if __name__ == "__main__":
    main()
