"""Hostile names, variables and arguments stay text under Ansible."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adminset.errors import DomainError
from tasks.ansible import run_module
from tasks.ansible_messages import event_message
from tasks.targets import Login
from tests.farm import SshFarm, throw_away_user
from tests.tasks.doors import Case, clean_case


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshFarm]:
    with SshFarm(2, tmp_path_factory.mktemp("farm"), with_password=True) as made:
        yield made


@pytest.fixture(scope="module")
def user() -> Iterator[Login]:
    with throw_away_user() as (name, password):
        yield Login(name, password)


@pytest.fixture
def case(farm: SshFarm) -> Iterator[Case]:
    with clean_case(farm) as made:
        yield made


NAMES = [
    "{{ lookup('pipe', 'touch PROOF') }}",
    "a,b",
    "web[1:3]",
    "-oProxyCommand=touch PROOF",
    "web1:22",
    "all",
    "targets",
    "!host0",
    "x\ny",
    "主机一",
    "web1; touch PROOF",
    "../../etc",
]


def test_hostile_names_and_variables_are_nothing_but_text(
    case: Case, tmp_path: Path
) -> None:
    proof = tmp_path / "proof"
    evil = f"{{{{ lookup('pipe', 'touch {proof}') }}}}"
    one = replace(case.targets[0], variables={"note": evil, "deep": {"x": [evil]}})
    targets = [replace(one, name=name.replace("PROOF", str(proof))) for name in NAMES]
    result = case.playbook(
        "- hosts: all\n  gather_facts: false\n  tasks:\n"
        '    - debug: msg="{{ note }} {{ deep.x[0] }} {{ inventory_hostname }}"\n',
        targets,
    )
    assert result.status == "ok", case.text()
    assert set(result.hosts) == {target.name for target in targets}
    assert {host.status for host in result.hosts.values()} == {"ok"}
    assert case.text().count("lookup('pipe'") >= 2 * len(NAMES)
    assert not proof.exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"address": "-oProxyCommand=touch x"}, "neither a name nor an IP address"),
        ({"address": "{{ 7*7 }}"}, "neither a name nor an IP address"),
        ({"login": Login('root" ProxyCommand=x', "pw")}, "no user name has"),
        ({"login": Login("-x", "pw")}, "no user name has"),
        ({"login": Login("root")}, "neither a private key nor a password"),
        ({"variables": {"ansible_connection": "local"}}, "cannot be given to Ansible"),
        ({"variables": {"a b": "c"}}, "cannot be given to Ansible"),
        ({"variables": {"hostvars": "c"}}, "cannot be given to Ansible"),
        ({"login": Login("root", "pw", become_user="-x")}, "no user name has"),
    ],
)
def test_a_target_ssh_could_misread_is_refused(
    case: Case, change: dict[str, object], words: str
) -> None:
    target = replace(case.targets[0], **change)  # type: ignore[arg-type]
    result = case.module("command", "id", target)
    assert result.status == "unreachable"
    assert words in result.hosts["host0"].explanation
    assert case.events == []


KEYS = [
    "ansible_connection",
    "Ansible_Connection",
    "ansible_ssh_common_args",
    "ansible_python_interpreter",
    "\u0061nsible_connection",
    json.loads('"\\u0061nsible_connection"'),
    "ａnsible_connection",
    "_ansible_check_mode",
    "__ansible_unsafe",
    "hostvars",
    "inventory_hostname",
    "delegate_to",
    "a b",
    "a-b",
    "x\n",
    "",
    "{{ x }}",
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("place", ["variables", "secrets"])
def test_variables_that_steer_ansible_are_refused(
    case: Case, key: str, place: str
) -> None:
    with pytest.raises(DomainError, match="cannot be given to Ansible"):
        case.playbook("- hosts: all", None, **{place: {key: "local"}})
    assert case.events == []


def test_values_of_variables_are_never_evaluated(case: Case, tmp_path: Path) -> None:
    evil = f"{{{{ lookup('pipe', 'touch {tmp_path}/proof') }}}}"
    marked = {"__ansible_unsafe": evil, "__ansible_vault": evil, "x": [evil, {}]}
    one = case.targets[:1]
    result = case.playbook(
        "- hosts: all\n  gather_facts: false\n  tasks:\n"
        '    - debug: msg="{{ note }} {{ deep }} {{ number + 1 }}"\n',
        one,
        variables={"note": evil, "deep": marked, "number": 41},
        secrets={"hidden": "{% for x in y %}"},
    )
    assert result.status == "ok", case.text()
    assert case.text().count("lookup(") >= 4
    assert "42" in case.text()
    assert not (tmp_path / "proof").exists()


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        *((name, "") for name in ("-m", "Shell", "a b", "../x", "", "ping\n")),
        *(("ping", text) for text in ("-i /etc/passwd", " --version", "a\0b")),
    ],
)
def test_a_module_that_is_no_module_is_refused(
    case: Case, module: str, arguments: str
) -> None:
    result = case.module(module, arguments)
    assert result.status == "failed"
    assert result.hosts == {}
    assert case.events == []


def test_templates_in_module_arguments_are_not_evaluated(
    case: Case, tmp_path: Path
) -> None:
    evil = f"echo {{{{ lookup('pipe', 'touch {tmp_path}/proof') }}}} '{{% raw %}}'"
    case.module("command", evil, case.targets[0])
    assert "lookup(" in case.text()
    assert not (tmp_path / "proof").exists()


def test_a_long_private_root_still_works(case: Case) -> None:
    root = case.root / ("long-" * 20) / "it's 100% spaced"
    options = replace(case.options(), private_root=root)
    result = run_module(
        case.targets[:1], "command", "id", options, on_event=case.events.append
    )
    assert result.status == "ok", case.text()
    shutil.rmtree(case.root / ("long-" * 20))


def test_a_long_text_keeps_head_and_tail_and_a_mark() -> None:
    message = event_message({"event": "verbose", "stdout": "a" * 70_000 + "b" * 70_000})
    text = message["text"]
    assert text.startswith("aaa")
    assert text.endswith("bbb")
    assert "characters left out" in text
    assert len(text) < 70_000


def test_an_event_without_data_is_no_trouble() -> None:
    assert event_message({"event": "verbose"})["host"] is None
    assert event_message({"event": "runner_on_ok", "event_data": {"res": "x"}})
