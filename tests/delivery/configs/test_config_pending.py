"""Which files are not on hosts as they should be: told beside a deploy once somebody has begun with them."""

from __future__ import annotations

import pytest

from accounts.models import User
from appconf.config.versions import add_version
from appconf.models import Environment
from delivery.configs.pending import pending_by_host
from delivery.models import ConfigDrift
from tests.app_factories import make_environment, make_project
from tests.appconf.config_things import make_file, newest
from tests.factories import make_host

pytestmark = pytest.mark.django_db


@pytest.fixture
def environment() -> Environment:
    hosts = [make_host("web1"), make_host("web2")]
    return make_environment(make_project("shop"), "live", hosts=hosts)


def test_a_file_that_differs_is_old_or_never_came_is_pending_once_it_was_pushed(
    admin: User, environment: Environment
) -> None:
    file = make_file(admin, environment.project, "a\n", "/etc/app.conf")
    make_file(admin, environment.project, "b\n", "/etc/never.conf")
    first, second = environment.all_hosts().order_by("hostname")
    ids = [first.pk, second.pk]
    assert pending_by_host(environment, ids) == {}
    row = ConfigDrift.objects.create(
        environment=environment,
        file=file,
        host=first,
        state="same",
        version=newest(file),
    )
    assert pending_by_host(environment, ids) == {second.pk: ("/etc/app.conf",)}
    row.state = "drifted"
    row.save()
    assert set(pending_by_host(environment, ids)) == {first.pk, second.pk}
    row.state = "same"
    row.save()
    add_version(actor=admin, file=file, text="c\n")
    assert pending_by_host(environment, [first.pk]) == {first.pk: ("/etc/app.conf",)}
