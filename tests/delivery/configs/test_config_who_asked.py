"""What a worker fills in later is for who may still ask for it then: nobody whose account or right is gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Grant, User
from delivery.asked import answering, asking, keeping
from delivery.configs import preparing
from delivery.configs.reading import request_read
from delivery.models import ConfigPush
from tasks.models import Run
from tests.app_factories import grant_on, make_environment, make_project
from tests.appconf.config_things import make_file
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(db: None) -> User:
    """Somebody who delivers."""
    return make_user("reader")


@pytest.fixture
def asked(admin: User, reader: User, settings: Any, tmp_path: Any) -> ConfigPush:
    """A reading that a worker is to fill in."""
    settings.RUN_DIR = tmp_path / "runs"
    settings.CONFIG_PUSH_AT_ONCE = 0
    project = make_project("papers", config_path="/etc/papers")
    environment = make_environment(project, "live", hosts=[make_host()], by=admin)
    grant_on(reader, ("appconf.deploy_environment",), project)
    make_file(admin, project, "a\n", "a.conf")
    return request_read(actor=reader, environment=environment)


def test_a_reading_of_who_may_still_deploy_there_begins(asked: ConfigPush) -> None:
    preparing.prepare(asked.pk)
    assert ConfigPush.objects.get().run == Run.objects.get()


@pytest.mark.parametrize("gone", ["account", "right"])
def test_a_reading_of_who_may_not_any_more_reads_nothing(
    asked: ConfigPush, reader: User, gone: str
) -> None:
    if gone == "right":
        Grant.objects.filter(user=reader).delete()
    else:
        over = timezone.now() - timedelta(days=1)
        User.objects.filter(pk=reader.pk).update(expires_at=over)
    preparing.prepare(asked.pk)
    asked.refresh_from_db()
    assert (asked.status, asked.lock) == ("failed", None)
    words = "may not sign in" if gone == "account" else "You may not"
    assert words in asked.explanation
    assert not Run.objects.exists()


def test_a_question_of_an_account_whose_time_is_over_is_not_answered(
    reader: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[User] = []
    monkeypatch.setitem(
        answering.ANSWERERS, "refs", lambda user, about: heard.append(user)
    )
    question = asking.ask(reader, "refs", {})
    over = timezone.now() - timedelta(days=1)
    User.objects.filter(pk=reader.pk).update(expires_at=over)
    answering.answer(question.key)
    found = keeping.find(question.key)
    assert found is not None
    assert (found.state, heard) == ("failed", [])
