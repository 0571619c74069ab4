"""Two people in two browsers, two deploys of one project to one environment: one waits and says who is first; who will not wait is told who it is."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.browser import complaints_of
from tests.e2e.conftest import PASSWORD, Portal, planted, sign_in
from tests.e2e.delivery_steps import wait_for
from tests.e2e.steps import PATIENCE
from tests.farm import SshFarm, why_not

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("portal"),
    pytest.mark.timeout(570),
]
SECOND, WORD = "tucker", "the word of the second tucker 4812"
# Rows as the pages make them (test_delivery.py does it by the pages): a project with two artefacts, whose switch waits for a gate.
PREPARE = """
import json
from pathlib import Path
from accounts.models import Grant, Role, User
from cmdb.models import Credential, Host
from delivery.models import Pipeline
from tests.app_factories import make_environment, make_project
from tests.delivery.engine.deploy_things import Stage
told = json.loads(Path({told!r}).read_text())
login = {{"username": told["user"], "private_key": Path(told["key"]).read_text()}}
key = Credential.objects.create(name="weavers", **login)
host = Host.objects.create(hostname="loom", credential=key, **told["host"])
admin = User.objects.get(username="admin")
second = User.objects.create_user({name!r}, {word!r})
Grant.objects.create(user=second, role=Role.objects.get(name="developer"), everything=True)
project = make_project("Cloth", code="cloth", source_type="upload", deploy_path=told["root"])
environment = make_environment(project, "mill", hosts=[host], by=admin)
wait = f'while [ ! -e "{{told["gate"]}}" ]; do sleep 0.1; done'
pipeline = Pipeline.objects.create(project=project, name="weave", timeout_seconds=120, restart=wait)
stage = Stage(admin, pipeline, environment, [host], {{}}, Path(told["folder"]))
print("made", stage.artefact("linen").pk, stage.artefact("wool").pk)
"""


@dataclass
class Mill:
    """What two people deliver to."""

    root: Path
    gate: Path
    artefacts: list[str]

    def live(self) -> str:
        """Give what the file `word` of the live release says."""
        return (self.root / "current" / "word").read_text()


@pytest.fixture
def mill(portal: Portal, tmp_path: Path) -> Iterator[Mill]:
    """A project, its environment on one real host, two artefacts."""
    if why_not():
        pytest.skip(why_not())
    root, gate, told = tmp_path / "host" / "cloth", tmp_path / "gate", tmp_path / "told"
    with SshFarm(1, tmp_path / "farm") as farm:
        planted.add("private key of the weavers", farm.client_key.read_text())
        planted.add(f"password of {SECOND}", WORD)
        told.write_text(_told(farm, root, gate, tmp_path))
        code = PREPARE.format(told=str(told), name=SECOND, word=WORD)
        (said,) = re.findall(r"made (\d+) (\d+)", portal.manage("shell", "-c", code))
        yield Mill(root, gate, list(said))
        gate.touch()


def _told(farm: SshFarm, root: Path, gate: Path, folder: Path) -> str:
    server = farm.hosts[0]
    host = {
        "address": server.address,
        "ssh_port": server.port,
        "host_key": server.host_key,
    }
    about = {"user": farm.user, "key": str(farm.client_key), "host": host}
    places = {"root": str(root), "gate": str(gate), "folder": str(folder)}
    return json.dumps(about | places)


@pytest.fixture
def people(browser: Any, portal: Portal, mill: Mill) -> Iterator[list[Any]]:
    """The administrator and somebody whom the mill knows, each signed in with a browser of their own."""
    contexts = [
        browser.new_context(base_url=portal.url, locale="en-US") for _ in range(2)
    ]
    pages = [context.new_page() for context in contexts]
    for page, (name, word) in zip(
        pages, (("admin", PASSWORD), (SECOND, WORD)), strict=True
    ):
        page.complaints = complaints_of(page)
        page.own_name = name
        sign_in(page, name, word)
    yield pages
    for context in contexts:
        context.close()


def _see_plan(page: Any, artefact: str, reason: str) -> Any:
    """Go from an artefact to its plan; give the button that says yes."""
    page.goto(f"/delivery/artefacts/{artefact}/deploy/")
    page.wait_for_selector("select[name=ref]", state="attached", timeout=PATIENCE)
    page.click("text=Show the plan")
    page.wait_for_selector("text=Say yes to this plan", timeout=PATIENCE)
    page.fill("[name=reason]", reason)
    return page.locator("button:has-text('Deploy to 1 host')")


def _in_turn(people: list[Any]) -> list[Any]:
    """Give the page whose deploy runs, and the one whose waits: the database says who was first."""
    for page in people:
        page.wait_for_selector("[data-deploy-status=running], [data-waiting-for]")
    return sorted(people, key=lambda page: page.locator("[data-waiting-for]").count())


def test_of_two_people_who_deploy_at_once_one_waits_and_reads_who_is_first(
    people: list[Any], mill: Mill
) -> None:
    words = ("The linen is ready", "The wool is ready")
    buttons = [
        _see_plan(page, artefact, reason)
        for page, artefact, reason in zip(people, mill.artefacts, words, strict=True)
    ]
    for button in buttons:
        button.click(no_wait_after=True)
    for page in people:
        page.wait_for_selector("#deploy-state", timeout=PATIENCE)
    first, second = _in_turn(people)
    told = second.inner_text("[data-waiting-for]")
    assert first.own_name in told
    assert first.url.rstrip("/").rpartition("/")[2] in told

    asked = second.url
    button = _see_plan(second, mill.artefacts[0], "Now or never")
    second.uncheck("[name=wait]")
    button.click()
    second.wait_for_selector("#begin [role=alert]", timeout=PATIENCE)
    refused = second.inner_text("#begin")
    assert "is locked by deploy" in refused
    assert f"of {first.own_name} since" in refused

    mill.gate.touch()
    wait_for(first, "ok")
    second.goto(asked)
    wait_for(second, "ok")
    last = people.index(second)
    assert mill.live() == ("linen", "wool")[last]
    second.goto("/delivery/deploys/")
    rows = second.locator("tbody tr").all_inner_texts()
    assert sum(word in row for word in words for row in rows) == len(words)
    assert not any("Now or never" in row for row in rows)
    assert [page.complaints for page in people] == [[], []]
