"""The inbox of approvals: page after page of a long history at a bounded price, and a fresh proof where a site wants one to read."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as portal
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from adminset.http import PROVED_AT
from delivery.engine.advance import advance
from delivery.engine.controlling import cancel_deploy
from delivery.models import Deploy
from delivery.safety.approvals import decide
from tasks.approvals import beside
from tasks.models import Approval
from tests.delivery.safety.safety_things import Paper
from tests.factories import make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
INBOX = "/tasks/approvals/inbox/"
MAY = ("delivery.view_deploy", "delivery.decide_deploy")
SEES_ALL = (*MAY, "tasks.view_approval")


@pytest.fixture
def deploy(paper: Paper) -> Deploy:
    return paper.ask(approvals_needed=1)


@pytest.fixture
def stale(client_of: Signed) -> Callable[[User], Client]:
    """Sign somebody in whose last proof is old."""

    def signed(user: User) -> Client:
        client = client_of(user)
        session: Any = client.session
        session[PROVED_AT] = time.time() - portal.STEP_UP_SECONDS - 10
        session.save()
        return client

    return signed


def test_pages_of_both_kinds_follow_each_other_without_counting_history(
    client_of: Signed, admin: User, deploy: Deploy, monkeypatch: Any
) -> None:
    monkeypatch.setattr(beside, "PAGE", 2)
    ann = make_user("ann", perms=SEES_ALL)
    decide(actor=ann, deploy=deploy, yes=False, reason="not now")
    advance(deploy.pk)
    at = deploy.votes.get().at
    for number, minutes in enumerate((-2, -1, 1, 2)):
        moment = at + timedelta(minutes=minutes)
        Approval.objects.create(
            kind="run",
            object_id=number,
            title=f"work{number}",
            status="approved",
            decided_at=moment,
            expires_at=moment,
        )
    names = ["work3", "work2", str(deploy.get_absolute_url()), "work1", "work0"]
    client = client_of(ann)
    for page, shown in ((1, names[:2]), (2, names[2:4]), (3, names[4:])):
        with CaptureQueriesContext(connection) as seen:
            text = client.get(f"{INBOX}?show=decided&page={page}").content.decode()
        assert [name for name in names if name in text] == shown
        assert ("Older" in text) == (page < 3)
        assert ("Newer" in text) == (page > 1)
        history = [one["sql"] for one in seen if "ORDER BY" in one["sql"]]
        assert not any("UNION" in sql for sql in history)
        limit = f"LIMIT {page * 2 + 1}"
        assert sum(limit in sql for sql in history) == 2
    for wrong in ("0", "x", "9" * 40, "-1"):
        assert client.get(f"{INBOX}?show=decided&page={wrong}").status_code == 200


def test_a_deploy_that_nobody_decided_is_not_among_the_decided(
    client_of: Signed, paper: Paper, deploy: Deploy
) -> None:
    late = paper.ask(approvals_needed=1, artefact=paper.artefact(2))
    cancel_deploy(actor=paper.user, deploy=deploy)
    old = timezone.now() - timedelta(seconds=1)
    Deploy.objects.filter(pk=late.pk).update(approve_until=old)
    for one in (deploy, late):
        advance(one.pk)
        one.refresh_from_db()
        assert not one.is_open
    ann = client_of(make_user("ann", perms=MAY))
    text = ann.get(f"{INBOX}?show=decided").content.decode()
    assert deploy.get_absolute_url() not in text
    assert late.get_absolute_url() not in text
    assert "deploys whose pipeline wants it" in text
    mine = client_of(paper.user).get(f"{INBOX}?show=mine").content.decode()
    assert deploy.get_absolute_url() in mine
    assert f"{paper.pipeline}: 1 approval" in mine


@pytest.mark.parametrize("wanted", ["tasks.view_approval", "delivery.view_deploy"])
def test_where_reading_asks_for_a_fresh_proof_so_does_the_inbox(
    stale: Signed, settings: Any, deploy: Deploy, wanted: str
) -> None:
    settings.STEP_UP_PERMISSIONS = frozenset({wanted})
    answer = stale(make_user("ann", perms=SEES_ALL)).get(INBOX)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/confirm/")


def test_what_only_acts_ask_a_proof_for_is_listed_without_one(
    stale: Signed, settings: Any, deploy: Deploy
) -> None:
    settings.STEP_UP_PERMISSIONS = frozenset(
        {"delivery.decide_deploy", "delivery.add_deploy", "tasks.view_approval"}
    )
    answer = stale(make_user("ann", perms=MAY)).get(INBOX)
    assert answer.status_code == 200
    assert deploy.get_absolute_url() in answer.content.decode()
