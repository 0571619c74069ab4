"""The page of a build: what it prints is followed by byte offset to its end, as text, by who may see the project."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from delivery.building.log import BuildLog
from tests.delivery.factories import make_build, make_deploy, make_step
from tests.delivery.pages.conftest import Place

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


@pytest.fixture
def client(client_of: Signed, deployer: User) -> Client:
    return client_of(deployer)


def test_a_growing_output_is_followed_to_its_end(client: Client, here: Place) -> None:
    build = make_build(here.project, status="running")
    log = BuildLog(build.pk)
    log.write("grün\n".encode())
    address = reverse("delivery:build_output", args=[build.pk])
    first = client.get(address).json()
    assert [one["text"] for one in first["messages"]] == ["grün\n"]
    assert (first["offset"], first["ended"]) == (6, False)
    log.write(b"end\n")
    log.close()
    build.status = "failed"
    build.save()
    second = client.get(address, {"offset": first["offset"]}).json()
    assert [one["type"] for one in second["messages"]] == ["output", "end"]
    assert second["messages"][-1]["status"] == "danger"
    assert second["ended"]
    for offset in ("9" * 15, "-1", "x", "9" * 40):
        assert client.get(address, {"offset": offset}).status_code == 200


def test_what_a_build_prints_is_text(client: Client, here: Place) -> None:
    build = make_build(here.project, status="failed", explanation="<b>no</b>")
    log = BuildLog(build.pk)
    log.write(b"</pre><script>alert(1)</script>\x1b]0;title\x07\n")
    log.close()
    text = client.get(build.get_absolute_url()).content.decode()
    assert "<script>alert" not in text
    assert "<b>no</b>" not in text


def test_the_log_of_a_build_stands_on_the_page_of_its_deploy(
    client: Client, here: Place
) -> None:
    build = make_build(here.project, status="running")
    BuildLog(build.pk).write(b"compiling ...\n")
    deploy = make_deploy(here.environment, status="running")
    make_step(deploy, "build", "running", build=build)
    text = client.get(deploy.get_absolute_url()).content.decode()
    assert "compiling ..." in text
    assert reverse("delivery:build_output", args=[build.pk]) in text


def test_builds_of_others_are_not_there(client: Client, elsewhere: Place) -> None:
    build = make_build(elsewhere.project, status="running")
    for verb in ("detail", "output"):
        address = reverse(f"delivery:build_{verb}", args=[build.pk])
        assert client.get(address).status_code == 404
