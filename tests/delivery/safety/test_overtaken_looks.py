"""A look that a deploy overtook."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from adminset.models import AuditEntry
from delivery.models import LiveRelease
from delivery.safety import drift
from tasks.legs.reading import HostReport
from tests.delivery.safety.safety_things import Paper

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("seconds", "said"), [(-60, "2-bb"), (60, "1-aa")])
def test_what_a_deploy_wrote_meanwhile_stays(
    paper: Paper, seconds: int, said: str
) -> None:
    now, host = timezone.now(), paper.hosts[0]
    row = LiveRelease.objects.create(
        environment=paper.environment,
        host=host,
        expected="2-bb",
        said="2-bb",
        read_at=now,
    )
    asked = now + timedelta(seconds=seconds)
    report = HostReport(
        host.pk, "web", "ok", 0, "", {"live": "1-aa"}, asked, timezone.now()
    )
    drift.note_reports(paper.environment, {host.pk: report})
    row.refresh_from_db()
    assert row.said == said
    told = AuditEntry.objects.filter(verb="liverelease.drift").count()
    assert told == (1 if said == "1-aa" else 0)
