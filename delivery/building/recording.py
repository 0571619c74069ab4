"""Artefacts as rows: a number for what was built."""

from typing import Any

from django.db import transaction

from adminset import audit
from delivery.artefacts.store import Stored
from delivery.models import Artefact
from delivery.sources.face import Fetched


@transaction.atomic
def record(*, actor: Any, project: Any, stored: Stored, fetched: Fetched) -> Artefact:
    """Give what was built a number; the same bytes of the same commit keep the one they have, unless it is marked as bad."""
    type(project)._default_manager.select_for_update().get(pk=project.pk)
    rows = Artefact.objects.filter(project=project)
    same = rows.filter(sha256=stored.sha256, commit=fetched.commit[:64], bad=False)
    found = same.order_by("-number").first()
    if found is not None:
        if found.cleared_at is not None:
            found.cleared_at = None
            found.save(update_fields=["cleared_at"])
        return found
    last = rows.order_by("-number").values_list("number", flat=True).first() or 0
    made = Artefact.objects.create(
        project=project,
        number=last + 1,
        sha256=stored.sha256,
        size=stored.size,
        file_count=stored.count,
        commit=fetched.commit[:64],
        branch=fetched.branch[:200],
        tag=fetched.tag[:200],
        subject=fetched.subject[:300],
        author=fetched.author[:200],
        committed_at=fetched.when,
        source_words=fetched.words[:500],
        built_by=actor if getattr(actor, "pk", None) else None,
        built_by_name=str(actor)[:150],
    )
    audit.record(actor, "artefact.add", made)
    return made
