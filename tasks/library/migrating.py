"""Gives playbooks from before the library their first version; works on the historical models of a migration."""

import hashlib
from typing import Any


def first_versions(apps: Any) -> int:
    """Make version 1 of each playbook that has none, approved, as it stands; gives how many."""
    playbooks = apps.get_model("tasks", "Playbook").objects
    versions = apps.get_model("tasks", "Version").objects
    made = 0
    for playbook in playbooks.filter(versions__isnull=True).iterator():
        raw = playbook.content.encode()
        version = versions.create(
            playbook=playbook,
            number=1,
            text=playbook.content,
            files={},
            sha256=hashlib.sha256(raw).hexdigest(),
            size=len(raw),
            state="approved",
            author_name="-",
        )
        # When it was written, as far as anybody knows.
        versions.filter(pk=version.pk).update(created_at=playbook.updated_at)
        made += 1
    return made
