"""What both ways of a release run share: a part asks for its deploy, a part is settled, the run ends."""

from typing import Any

from django.utils import timezone

from adminset import audit
from delivery.models import Deploy, DeployRequest, SetPart, SetRun
from delivery.triggers.wishing import wish

ENGINE = audit.SystemActor("release sets")


def key_of(run_id: int) -> str:
    """Give how the keys of all requests of a release run begin."""
    return f"set:{run_id}:"


def asked(
    actor: Any, run: SetRun, part: SetPart, way: str, **wanted: Any
) -> DeployRequest | None:
    """Ask for a deploy of a part in the name of the actor; None where that user is gone."""
    if actor is None:
        return None
    return wish(
        actor=actor,
        key=f"{key_of(run.pk)}{part.pk}:{way}",
        pipeline=part.pipeline,
        environment=part.environment,
        trigger=Deploy.Trigger.SET,
        **wanted,
    )


def settle(part: SetPart, state: str, words: str) -> bool:
    """Write down how a part stands and why; there may be another move."""
    part.state, part.words = state, words[:2000]
    part.save(update_fields=["state", "words", "to_take_back"])
    return True


def end(run: SetRun, state: str, words: str) -> bool:
    """End a release run; there is no other move."""
    run.state, run.explanation, run.ended_at = (
        state,
        words.strip()[:4000],
        timezone.now(),
    )
    run.save(update_fields=["state", "explanation", "ended_at"])
    changes: list[audit.Change] = [{"field": "state", "old": None, "new": state}]
    audit.record(ENGINE, "releaseset.finish", run, changes=changes, reason=words[:500])
    return False
