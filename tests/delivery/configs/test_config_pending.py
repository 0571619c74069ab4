"""Which files are not on hosts as they should be: told beside a deploy once somebody has begun with them."""

from __future__ import annotations

import pytest

from accounts.models import User
from appconf.config.versions import add_version
from appconf.models import Environment
from delivery.configs.pending import pending_of
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
    before = pending_of(environment, ids)
    assert before.hosts == {}
    assert [one.path for one in before.unpushed] == ["/etc/app.conf", "/etc/never.conf"]
    assert before.unpushed[0].file == file.pk
    row = ConfigDrift.objects.create(
        environment=environment,
        file=file,
        host=first,
        path="/etc/app.conf",
        state="same",
        version=newest(file),
    )

    def states() -> dict[int, list[str]]:
        found = pending_of(environment, ids)
        assert [one.path for one in found.unpushed] == ["/etc/never.conf"]
        return {pk: [one.state for one in each] for pk, each in found.hosts.items()}

    assert states() == {second.pk: ["unpushed"]}
    row.state = "drifted"
    row.save()
    assert states() == {first.pk: ["drifted"], second.pk: ["unpushed"]}
    row.state = "same"
    row.save()
    add_version(actor=admin, file=file, text="c\n")
    assert states() == {first.pk: ["newer"], second.pk: ["unpushed"]}
    row.path = "/etc/elsewhere.conf"
    row.save()
    assert states()[first.pk] == ["moved"]
    (found,) = pending_of(environment, [first.pk]).hosts[first.pk]
    assert (found.path, found.drift, found.file) == ("/etc/app.conf", row.pk, file.pk)
