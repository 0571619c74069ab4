"""The commits that lie between two artefacts, as the plans of deploys told them: no source is asked."""

from typing import Any

from delivery.models import Artefact, Deploy

MOST = 200


def commits_of(older: Artefact, newer: Artefact) -> list[dict[str, Any]]:
    """Give the commits that came with the newer artefact since the older, newest first: {commit, subject, author, at}.

    Known are those of plans whose deploys brought one of the artefacts between, and the artefacts' own commits.
    """
    between = Artefact.objects.filter(
        project=older.project_id, number__gt=older.number, number__lte=newer.number
    )
    found: dict[str, dict[str, Any]] = {}
    for artefact in between.order_by("-number")[:MOST]:
        if artefact.commit and artefact.commit != older.commit:
            found.setdefault(artefact.commit, _own(artefact))
    rows = Deploy.objects.filter(artefact__in=between, kind=Deploy.Kind.DEPLOY)
    for plan in rows.order_by("-pk").values_list("plan", flat=True)[:50]:
        # What a plan took away did not come with it.
        came = [one for one in plan.get("commits", []) if not one.get("gone")]
        for one in _until(came, older.commit):
            found.setdefault(str(one.get("commit", "")), one)
    listed = [one for one in found.values() if one.get("commit")]
    return sorted(listed, key=lambda one: str(one.get("at", "")), reverse=True)[:MOST]


def _own(artefact: Artefact) -> dict[str, Any]:
    at = artefact.committed_at.isoformat() if artefact.committed_at else ""
    return {
        "commit": artefact.commit,
        "subject": artefact.subject,
        "author": artefact.author,
        "at": at,
    }


def _until(commits: list[dict[str, Any]], last: str) -> list[dict[str, Any]]:
    """Give the commits before (newer than) the last one, which is left out."""
    kept = []
    for one in commits:
        if last and one.get("commit") == last:
            break
        kept.append(one)
    return kept
