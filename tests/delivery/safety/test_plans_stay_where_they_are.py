"""The plan of a deploy to many hosts is large: what joins deploys to say who holds what does not bring it along."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from delivery.models import DeployLock, SetRun
from delivery.releasesets.advance import advance
from delivery.releasesets.finding import progress_of
from delivery.safety import locks
from delivery.selectors import places_of
from tests.delivery.factories import make_live
from tests.delivery.safety.safety_things import Paper

pytestmark = pytest.mark.django_db
PLAN = '"delivery_deploy"."plan"'


def test_lists_that_join_deploys_bring_no_plan(
    paper: Paper, client_of: Callable[[User], Client]
) -> None:
    deploy = paper.ask()
    make_live(paper.environment, paper.hosts[0], "1-a", deploy=deploy)
    DeployLock.objects.create(
        environment=paper.environment, deploy=deploy, owner_name="x", reason="y"
    )
    going = SetRun.objects.create(name="all", state="going", requested_by=paper.user)
    going.parts.create(
        position=1,
        state="going",
        pipeline=paper.pipeline,
        environment=paper.environment,
    )
    client = client_of(paper.user)
    with CaptureQueriesContext(connection) as caught:
        lock = locks.holder(paper.environment)
        assert lock is not None
        assert str(deploy.pk) in locks.words_of(lock)
        assert places_of(paper.user, [paper.environment])[0].lock == lock
        assert client.get(reverse("delivery:deploylock_list")).status_code == 200
        assert progress_of(paper.user, going)["parts"]
        advance(going.pk)
    told = [one["sql"] for one in caught.captured_queries if PLAN in one["sql"]]
    assert told == []
