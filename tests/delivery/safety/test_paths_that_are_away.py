"""A deploy path that cannot be reached, a mount that is gone: nobody reads that as a host that runs nothing."""

from __future__ import annotations

import pytest
from django.utils import timezone

from adminset.models import AuditEntry
from delivery.models import LiveRelease
from delivery.safety import drift
from tasks.legs.reading import HostReport
from tests.delivery.factories import make_live
from tests.delivery.safety.safety_things import Paper

pytestmark = pytest.mark.django_db
WORDS = "The deploy path /srv/paper is not there yet."


def read(paper: Paper) -> LiveRelease:
    """Let the first host say that its deploy path is not there."""
    host, now = paper.hosts[0], timezone.now()
    said = {"root_refused": WORDS, "why": WORDS}
    report = HostReport(host.pk, "web", "ok", 0, "", said, now, now)
    drift.note_reports(paper.environment, {host.pk: report})
    return LiveRelease.objects.get(host=host)


def test_what_was_known_of_a_host_stays_while_its_path_is_away(paper: Paper) -> None:
    kept = [{"release": "1-aa", "good": True, "bad": False}]
    before = make_live(
        paper.environment, paper.hosts[0], "2-bb", previous="1-aa", kept=kept
    )
    row = read(paper)
    assert row.problem == WORDS
    assert (row.said, row.previous, row.kept) == ("2-bb", "1-aa", kept)
    assert (row.read_at, row.has_drifted) == (before.read_at, False)
    assert not AuditEntry.objects.filter(verb="liverelease.drift").exists()


def test_a_host_of_which_nothing_is_known_has_no_path_yet(paper: Paper) -> None:
    row = read(paper)
    assert (row.said, row.problem, row.has_drifted) == ("", "", False)
    assert row.read_at
