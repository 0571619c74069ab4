"""The inventory for Ansible: its shape, who sees what, and that nothing a host says is an option or a template."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from cmdb import inventory, selectors
from cmdb.models import Credential, Host, HostGroup
from tests.factories import make_group, make_host, make_user

pytestmark = pytest.mark.django_db
URL = "/api/v1/inventory/ansible/"
EVIL = "{{ lookup('pipe', 'touch /tmp/owned') }}"


def whole(user: User | None = None) -> Any:
    """The inventory that somebody gets; the portal's own without a user."""
    hosts, names = inventory.hosts_of(user), inventory.names_of(user)
    return json.loads("".join(inventory.ansible(user, hosts, names)))


@pytest.fixture
def fleet(group: HostGroup, other_group: HostGroup) -> list[Host]:
    """Two hosts of two groups, one of none, and one with a hostile name."""
    root = Credential.objects.create(
        name="root", username="root", password="top-secret-1", become_method="sudo"
    )
    return [
        make_host("web-1", groups=[group], credential=root, ssh_port=2222),
        make_host("db-1", groups=[group, other_group]),
        make_host("db-1", owner=EVIL, os_name=EVIL),
        make_host(f"x ansible_connection=local {EVIL}"),
    ]


def test_it_has_the_shape_of_ansible_inventory(
    client_of: Any, admin: User, fleet: list[Host]
) -> None:
    found = json.loads(client_of(admin).get(URL).getvalue())
    names = list(found["_meta"]["hostvars"])
    assert names[:3] == ["web-1", "db-1", f"db-1-{fleet[2].pk}"]
    assert found["web"] == {"hosts": ["web-1", "db-1"]}
    assert found["database"] == {"hosts": ["db-1"]}
    assert found["all"] == {"children": ["ungrouped", "database", "web"]}
    assert found["ungrouped"]["hosts"] == names[2:]
    web = found["_meta"]["hostvars"]["web-1"]
    assert (web["ansible_host"], web["ansible_port"]) == (fleet[0].address, 2222)
    assert (web["ansible_user"], web["ansible_become_method"]) == ("root", "sudo")
    assert "top-secret-1" not in json.dumps(found)


def test_no_text_of_a_host_is_a_template_or_an_option(fleet: list[Host]) -> None:
    found = whole()
    texts = [
        text
        for known in found["_meta"]["hostvars"].values()
        for text in map(str, known.values())
    ]
    assert any("lookup('pipe'" in text for text in texts)
    assert not any("{" in text or "}" in text for text in texts)
    assert not any(set(name) & set(" ={}'\"") for name in found["_meta"]["hostvars"])


def test_ansible_itself_reads_it(
    client_of: Any, admin: User, fleet: list[Host], tmp_path: Path
) -> None:
    told = tmp_path / "told.json"
    told.write_bytes(client_of(admin).get(URL).getvalue())
    script = tmp_path / "inventory.py"
    script.write_text(f"#!{sys.executable}\nprint(open({str(told)!r}).read())\n")
    script.chmod(0o755)
    program = Path(sys.executable).with_name("ansible-inventory")
    done = subprocess.run(
        [program, "-i", script, "--list"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    sent = json.loads(told.read_text())
    assert read["_meta"]["hostvars"] == sent["_meta"]["hostvars"]
    assert read["web"] == sent["web"]
    assert set(read["all"]["children"]) == set(sent["all"]["children"])
    assert read["ungrouped"] == sent["ungrouped"]


def test_it_tells_only_what_the_asker_sees(
    client_of: Any, operator: User, fleet: list[Host]
) -> None:
    found = json.loads(client_of(operator).get(URL).getvalue())
    assert list(found["_meta"]["hostvars"]) == ["web-1", "db-1"]
    assert "database" not in found


def test_it_is_refused_to_others(client: Any, client_of: Any, stranger: User) -> None:
    assert client.get(URL).status_code == 401
    assert client_of(stranger).get(URL).status_code == 403


def test_a_second_asker_gets_304_until_something_changes(
    client_of: Any, admin: User, fleet: list[Host]
) -> None:
    client = client_of(admin)
    etag = client.get(URL)["ETag"]
    again = client.get(URL, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    make_host("new")
    assert client.get(URL, headers={"If-None-Match": etag}).status_code == 200


def test_the_number_of_queries_does_not_grow(django_assert_num_queries: Any) -> None:
    for number in range(12):
        make_host(groups=[make_group()], hostname=f"h{number}")
    with django_assert_num_queries(4):
        whole()


def test_a_group_cannot_take_a_name_of_ansibles() -> None:
    make_host("a", groups=[make_group("all")])
    found = whole()
    assert found["all"] == {"children": ["ungrouped", "group_all"]}


def test_a_run_reaches_only_hosts_on_which_the_user_may_run(
    operator: User, group: HostGroup, other_group: HostGroup, fleet: list[Host]
) -> None:
    everything = [host.pk for host in fleet]
    both = [group.pk, other_group.pk]
    chosen = selectors.hosts_for_run(operator, everything, both)
    assert list(chosen) == [fleet[1], fleet[0]]
    looker = make_user(perms=["cmdb.view_host", "cmdb.view_hostgroup"])
    assert not selectors.hosts_for_run(looker, everything, both).exists()
    by_group = selectors.hosts_for_run(operator, [], [group.pk, other_group.pk])
    assert set(by_group) == {fleet[0], fleet[1]}
