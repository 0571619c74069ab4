"""What a host refers to is named only to who may see that: on its page, in lists, exports, inventories and service discovery."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from cmdb.models import Credential, Host, HostGroup, ProductLine
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
SECRET_WORDS = ("rogue-metal", "rogue-line", "rogue-login")


@pytest.fixture
def host(group: HostGroup) -> Host:
    """A host of the group that refers to what lies outside."""
    line = ProductLine.objects.create(name="rogue-line", code="rogue")
    login = Credential.objects.create(name="rogue-key", username="rogue-login")
    return make_host(
        "mine",
        groups=[group],
        hypervisor=make_host("rogue-metal"),
        product_line=line,
        credential=login,
    )


@pytest.fixture
def reader(group: HostGroup) -> User:
    """Sees the hosts of the group and nothing else."""
    return make_user(perms=["cmdb.view_host", "cmdb.view_hostgroup"], groups=[group])


@pytest.mark.parametrize(
    "address",
    [
        "/cmdb/hosts/{pk}/",
        "/cmdb/hosts/",
        "/cmdb/hosts/?export=csv",
        "/api/v1/inventory/ansible/",
        "/api/v1/inventory/prometheus/",
    ],
)
def test_what_is_out_of_sight_is_not_named(
    client_of: Signed, host: Host, reader: User, address: str
) -> None:
    answer = client_of(reader).get(address.format(pk=host.pk))
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    text = body.decode()
    assert answer.status_code == 200
    assert "mine" in text
    assert not [word for word in SECRET_WORDS if word in text]


def test_who_may_see_it_is_told(client_of: Signed, host: Host, admin: User) -> None:
    browser = client_of(admin)
    page = browser.get(f"/cmdb/hosts/{host.pk}/").content.decode()
    assert "rogue-metal" in page
    assert "rogue-line" in page
    answer: Any = browser.get("/api/v1/inventory/ansible/")
    told = b"".join(answer.streaming_content).decode()
    assert "rogue-line" in told
    assert "rogue-login" in told
