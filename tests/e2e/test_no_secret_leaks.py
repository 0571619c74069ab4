"""Secrets of every kind go through a real portal; while it works, and after all tests of this folder, they stand nowhere in clear."""

import base64
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from adminset.redaction import MASK
from tests import dump
from tests.canaries import Canaries, watched
from tests.e2e.conftest import PASSWORD, Portal, planted, wait_until
from tests.farm import SshFarm, make_key, throw_away_user, why_not

pytestmark = pytest.mark.xdist_group("portal")

TOKEN = re.compile(r"[0-9a-f]{12}\.[\w-]{43}")
PLAYBOOK = """\
- hosts: all
  gather_facts: false
  tasks:
    - command: sleep 1
    - debug: msg="pw {{ ansible_password | default('') }} {{ ansible_become_password | default('') }}"
    - fail: msg="it is {{ ansible_become_password }}"
"""
RUN = """
import json
from accounts.models import User
from cmdb.models import Credential, Host
from tasks.models import Playbook
from tasks.services.launch import RunSpec
from tasks.tasks import enqueue_run
given = json.loads({given!r})
for host in given["hosts"]:
    host["credential"] = Credential.objects.get(name=host["credential"])
ids = tuple(Host.objects.create(**host).pk for host in given["hosts"])
playbook = Playbook.objects.create(name="canaries", content=given["playbook"])
spec = RunSpec(kind="playbook", playbook=playbook, host_ids=ids)
print(enqueue_run(actor=User.objects.get(username="admin"), spec=spec).pk)
"""
STATE = "from tasks.models import Run as R, RunHost as H; r = R.objects.get(pk={pk}); print(r.status); print(*H.objects.filter(run=r).values_list('explanation', flat=True))"

CONTROL = """
from adminset.audit import SystemActor
from cmdb.models import Host
from adminset import audit
audit.record(SystemActor("test"), "host.create", Host.objects.create(hostname="control-host"))
"""


class Visitor(requests.Session):
    """Somebody with a browser that runs no script."""

    def __init__(self, portal: Portal, username: str, password: str) -> None:
        super().__init__()
        self.base = portal.url
        answer = self.send_form(
            "/accounts/sign-in/", username=username, password=password
        )
        if "sessionid" in self.cookies:
            planted.add(f"session of {username}", self.cookies["sessionid"])
        self.status = answer.status_code

    def send_form(self, path: str, **data: object) -> requests.Response:
        address = self.base + path
        self.get(address, timeout=20)
        data["csrfmiddlewaretoken"] = self.cookies["csrftoken"]
        return self.post(address, data, headers={"Referer": address}, timeout=30)


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshFarm]:
    if why_not():
        pytest.skip(why_not())
    with SshFarm(2, tmp_path_factory.mktemp("farm"), with_password=True) as started:
        yield started


@pytest.fixture(scope="module")
def user() -> Iterator[tuple[str, str]]:
    with throw_away_user() as made:
        yield made


@pytest.fixture
def admin(portal: Portal) -> Visitor:
    portal.wait_ready()
    return Visitor(portal, "admin", PASSWORD)


def test_tokens_passwords_and_codes_pass_through(
    portal: Portal, admin: Visitor
) -> None:
    wrong = planted.add("a wrong password", "canary wrong guess 88213")
    assert Visitor(portal, "admin", wrong).status == 422
    password = planted.add("password of a user", "canary user pass 51907")
    made = admin.send_form(
        "/accounts/users/add/", username="canary", password=password, is_active="on"
    )
    assert "canary" in made.url or made.status_code == 200

    page = admin.send_form("/accounts/me/tokens/add/", name="canary token", days=1)
    text = planted.add("API token", _token(page))
    headers = {"Authorization": f"Bearer {text}"}
    asked = requests.get(f"{portal.url}/api/v1/hosts/", headers=headers, timeout=20)
    assert asked.status_code == 200
    page = admin.send_form(
        "/cmdb/enrolment-tokens/add/", name="canary rack", use_limit=1, days=1
    )
    planted.add("enrolment token", _token(page))
    _set_up_a_second_factor(Visitor(portal, "canary", password))


def _token(page: requests.Response) -> str:
    found = TOKEN.search(page.text)
    assert found, page.status_code
    return found[0]


def _set_up_a_second_factor(visitor: Visitor) -> None:
    address = "/accounts/me/second-factor/"
    page = visitor.get(visitor.base + address, timeout=20).text
    typed = re.search(r"(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}", page)
    assert typed
    planted.add("secret of the second factor, as it is shown", typed[0])
    secret = planted.add("secret of the second factor", typed[0].replace(" ", ""))
    totp = TOTP(base64.b32decode(secret), 6, SHA1(), 30)  # noqa: S303 - what apps speak
    answer = visitor.send_form(address, code=totp.generate(int(time.time())).decode())
    codes = set(re.findall(r"\b(?:[A-Z0-9]{4}-){2}[A-Z0-9]{4}\b", answer.text))
    assert len(codes) == 10
    for number, code in enumerate(sorted(codes)):
        planted.add(f"recovery code {number}", code)
        planted.add(f"recovery code {number}, bare", code.replace("-", ""))


@pytest.mark.timeout(240)
def test_a_run_with_passwords_and_keys_shows_none(
    portal: Portal, admin: Visitor, farm: SshFarm, user: Any, tmp_path: Path
) -> None:
    key = make_key(tmp_path / "key", passphrase="canary passphrase 60218")
    farm.authorize(key)
    credentials = {
        "canary key": {
            "username": farm.user,
            "private_key": key.read_text(),
            "passphrase": "canary passphrase 60218",
            "become_password": "canary become 77120",
        },
        "canary password": {"username": user[0], "password": user[1]},
    }
    for name, values in credentials.items():
        for field in {*values} - {"username"}:
            planted.add(f"{field} of {name}", values[field])
        made = admin.send_form("/cmdb/credentials/add/", name=name, port=22, **values)
        assert made.status_code == 200
        assert planted.found_in(made.content) == set()
    refused = planted.add("password of a refused form", "canary refused 10384")
    answer = admin.send_form("/cmdb/credentials/add/", name="x", password=refused)
    assert answer.status_code == 422
    assert planted.found_in(answer.content) == set()

    with watched(planted, psutil.Process(portal.launcher.pid)) as seen:
        status, explanations = _run(portal, farm, list(credentials))
    assert status == "failed"
    assert f"it is {MASK}" in explanations
    assert any("ansible-playbook" in line for line in seen.lines)
    assert seen.leaks == set()


def _run(portal: Portal, farm: SshFarm, names: list[str]) -> tuple[str, str]:
    hosts = [
        {
            "hostname": f"canary-{number}",
            "address": host.address,
            "ssh_port": host.port,
            "host_key": host.host_key,
            "credential": name,
        }
        for number, (host, name) in enumerate(zip(farm.hosts, names, strict=True))
    ]
    given = json.dumps({"hosts": hosts, "playbook": PLAYBOOK})
    pk = portal.manage("shell", "-v0", "-c", RUN.format(given=given)).split()[-1]

    def ended() -> list[str]:
        told = portal.manage("shell", "-v0", "-c", STATE.format(pk=pk)).splitlines()
        return [] if told[0] in {"queued", "running"} else told

    told = wait_until("the end of the run", ended, 120)
    return told[0], "\n".join(told[1:])


def test_the_search_reaches_every_place(portal: Portal, admin: Visitor) -> None:
    portal.manage("shell", "-v0", "-c", CONTROL)
    admin.get(f"{portal.url}/cmdb/hosts/", timeout=20)
    found = [*dump.stores(portal.folder), *dump.files(portal.folder)]
    kinds = Counter(place.split()[0] for place, _ in found)
    assert {"database", "session", "Redis", "MongoDB", "file"} <= set(kinds)
    names = {place for place, _ in found}
    assert {"file log/web.log", "file log/runner.log", "file up.log"} <= names
    control = Canaries()
    control.add("the name of a host", "control-host")
    places = {leak.place for leak in control.leaks(found)}
    assert {"database table cmdb_host", "database table adminset_auditentry"} <= places
    assert any(place.startswith("file db/") for place in places)
    assert any("Redis" in place and b"sign-in" in data for place, data in found)
    lines = [data for _, data in dump.processes(portal.launcher.pid)]
    assert any(b"adminset.asgi" in line for line in lines)
    assert any(b"MONGO_URL" in line for line in lines)
    assert planted.leaks(found) == []
