"""A release that is marked as bad is marked on the hosts that keep it, too: they refuse it, and do not count it among the good."""

from __future__ import annotations

import pytest

from adminset.errors import DomainError
from adminset.models import AuditEntry
from appconf.models import Environment
from delivery.engine.judging import judge
from delivery.models import Artefact
from delivery.safety.marks import mark_bad, unmark_bad
from tasks.models import Run
from tests.delivery.factories import make_live
from tests.delivery.safety.safety_things import Paper

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept(paper: Paper) -> Artefact:
    """An artefact that the first two hosts keep; on the third something else is live."""
    artefact = paper.artefact(7)
    for host in paper.hosts[:2]:
        row = {"release": artefact.release, "good": True, "bad": False}
        make_live(paper.environment, host, "8-b", kept=[{"release": "8-b"}, row])
    make_live(paper.environment, paper.hosts[2], "8-b", kept=[{"release": "8-b"}])
    return artefact


def test_hosts_that_keep_it_are_told_at_once(paper: Paper, kept: Artefact) -> None:
    mark_bad(actor=paper.user, artefact=kept, reason="loses orders")
    run = Run.objects.get()
    assert (run.purpose, run.leg.urgent) == ("delivery.mark", True)
    assert run.subject == f"delivery.mark:{paper.environment.pk}"
    first, second, other = paper.hosts
    assert set(run.hosts.values_list("host", flat=True)) == {first.pk, second.pk}
    assert judge(run, paper.hosts) == {first.pk, second.pk, other.pk}
    told = run.leg.values
    assert (told["AS_RELEASE"], told["AS_REASON"]) == (kept.release, "loses orders")
    assert told["AS_GOOD_AGAIN"] == ""
    unmark_bad(actor=paper.user, artefact=kept)
    assert Run.objects.latest("pk").leg.values["AS_GOOD_AGAIN"] == "1"


def test_what_nobody_keeps_is_marked_without_asking_a_host(paper: Paper) -> None:
    artefact = paper.artefact(9)
    mark_bad(actor=paper.user, artefact=artefact, reason="bad")
    artefact.refresh_from_db()
    assert artefact.bad
    assert not Run.objects.exists()


def test_the_mark_counts_where_hosts_cannot_be_told(
    paper: Paper, kept: Artefact
) -> None:
    Environment.objects.update(deploy_path="/etc")
    mark_bad(actor=paper.user, artefact=kept, reason="bad")
    kept.refresh_from_db()
    assert kept.bad
    assert not Run.objects.exists()
    assert AuditEntry.objects.filter(verb="artefact.mark_bad").count() == 1


def test_a_mark_without_a_reason_reaches_nobody(paper: Paper, kept: Artefact) -> None:
    with pytest.raises(DomainError, match="Say why"):
        mark_bad(actor=paper.user, artefact=kept, reason=" ")
    assert not Run.objects.exists()
