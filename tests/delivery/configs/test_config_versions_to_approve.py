"""Versions of configuration in the inbox of approvals: there for who may approve them and for who wrote them, for nobody else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from appconf.config.versions import approve_version, refuse_version
from appconf.models import ConfigVersion
from delivery.configs.approving import waiting_for
from tests.app_factories import grant_on, make_project
from tests.appconf.config_things import make_file, newest
from tests.factories import make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
INBOX = "/tasks/approvals/inbox/"
MAY = ("appconf.view_configversion", "appconf.approve_configversion")


@pytest.fixture
def version(admin: User) -> ConfigVersion:
    """A version that waits."""
    file = make_file(
        admin, make_project("shop"), "a\n", "/etc/shop.conf", approval=True
    )
    return newest(file)


def text_of(client: Client, show: str = "waiting") -> str:
    answer = client.get(f"{INBOX}?show={show}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_version_waits_in_the_inbox_of_who_may_approve_it(
    client_of: Signed, version: ConfigVersion
) -> None:
    ann = make_user("ann", perms=MAY)
    text = text_of(client_of(ann))
    assert "Waiting for me (1)" in text
    assert f'href="{version.get_absolute_url()}"' in text
    assert "/etc/shop.conf needs approval" in text
    approve_version(actor=ann, version=version, reason="fine")
    assert "Waiting for me (0)" in text_of(client_of(ann))
    assert version.get_absolute_url() in text_of(client_of(ann), "decided")


def test_who_wrote_it_does_not_approve_it_and_finds_it_as_asked_for(
    client_of: Signed, admin: User, version: ConfigVersion
) -> None:
    client = client_of(admin)
    assert "Waiting for me (0)" in text_of(client)
    assert version.get_absolute_url() in text_of(client, "mine")
    refuse_version(actor=make_user("ann", perms=MAY), version=version, reason="not now")
    text = text_of(client, "mine")
    assert version.get_absolute_url() in text
    assert "refused" in text


def test_drafts_and_what_needs_no_approval_stand_nowhere(
    client_of: Signed, admin: User, version: ConfigVersion
) -> None:
    ConfigVersion.objects.update(status="draft")
    make_file(admin, version.file.project, "b\n", "/etc/free.conf")
    client = client_of(make_user("ann", perms=MAY))
    for show in ("waiting", "mine", "decided"):
        assert "/appconf/config-versions/" not in text_of(client, show)
        assert "/appconf/config-versions/" not in text_of(client_of(admin), show)


@pytest.mark.parametrize("perms", [MAY[1:], (MAY[0], "tasks.view_approval")])
def test_who_may_not_look_or_may_not_approve_finds_nothing_that_waits(
    client_of: Signed, version: ConfigVersion, perms: tuple[str, ...]
) -> None:
    text = text_of(client_of(make_user("eve", perms=perms)))
    assert "Waiting for me (0)" in text
    assert version.get_absolute_url() not in text


def test_a_grant_on_another_project_and_a_token_show_nothing(
    client_of: Signed, version: ConfigVersion
) -> None:
    eve = make_user("eve")
    grant_on(eve, list(MAY), make_project("elsewhere"))
    for show in ("waiting", "mine", "decided"):
        assert version.get_absolute_url() not in text_of(client_of(eve), show)
    ann = make_user("ann", perms=MAY)
    assert list(waiting_for(ann)) == [version]
    ann.token = object()  # type: ignore[assignment]
    assert not waiting_for(ann)
