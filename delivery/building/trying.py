"""Tries rules on the source as it is now, before any stage has run: what they would take, and where the bulk lies."""

import uuid
from typing import Any

from delivery.artefacts.previewing import Preview, preview
from delivery.artefacts.rules import Rules
from delivery.building import rooms
from delivery.sources.face import BRANCH, UPLOAD, Ref
from delivery.sources.opening import source_of


def try_on_source(*, actor: Any, project: Any, rules: Rules, seconds: int) -> Preview:
    """Lay the default branch (of uploads the newest one) into a room of its own and count what rules take of it.

    Args:
        seconds: patience with the source.

    Raises:
        DomainError: what the source says.
    """
    source = source_of(project, actor=actor, seconds=seconds)
    refs = source.refs()
    newest = [Ref(BRANCH, refs.default)] if refs.default else []
    newest += [Ref(BRANCH, branch.name) for branch in refs.branches[:1]]
    newest += [Ref(UPLOAD, tag.name) for tag in refs.tags[:1]]
    room = rooms.room_of(f"try-{uuid.uuid4().hex}", project.pk)
    rooms.make_clean(room)
    try:
        if newest:
            source.fetch(newest[0], room.source)
        return preview(room.source, rules)
    finally:
        rooms.clear(room)
