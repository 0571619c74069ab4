"""The corpus of hostile values through variables, arguments of scripts, names of hosts and texts of the CMDB, on real hosts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from adminset.errors import DomainError
from cmdb.models import Host, HostGroup
from tasks.models import Playbook, Run
from tasks.services.script_lane import split_arguments
from tests.factories import make_host
from tests.tasks.injection_corpus import CORPUS, MANY_LINES, NUL, ONE_LINE, against
from tests.tasks.test_injection_modules import Recorder, record, recording

__all__ = ["record"]
pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]
Do = Callable[..., Run]
SHORT = {why: value for why, value in MANY_LINES.items() if len(value) < 1000}
# Names for Ansible, where each host costs a process.
SOME = [
    "a lookup of Jinja",
    "an option of ssh",
    "a second command",
    "substitution",
    "a key of a play behind an escape",
]
NAMES = [
    "ansible_connection",
    "Ansible_Host",
    "ansible_ssh_common_args",
    json.loads('"\\u0061nsible_connection"'),
    "ａnsible_connection",
    "run",
    "RUN",
    "a-b",
    "a b",
    "a=b; id",
    "x\nexport LD_PRELOAD",
    "{{ x }}",
    "",
]


def variables_of(values: dict[str, str]) -> dict[str, str]:
    return {f"v{n}": value for n, value in enumerate(values.values())}


def well(run: Run) -> None:
    assert run.status == "ok", [run.explanation, *run.hosts.values_list("explanation")]


@pytest.mark.parametrize("kind", ["command", "script"])
def test_variables_reach_commands_and_scripts_unchanged(
    do: Do, hosts: list[Host], record: Recorder, kind: str
) -> None:
    given = variables_of(against(record.proof, MANY_LINES))
    what = {"script_text": f"exec {record.path}\n"} if kind == "script" else {}
    run = do(kind=kind, command=str(record.path), variables=given, on=hosts[:1], **what)
    well(run)
    [[words, variables]] = record.taken()
    assert words == []
    assert variables == {f"ADMINSET_{name.upper()}": v for name, v in given.items()}


def test_variables_reach_playbooks_unchanged(
    do: Do, hosts: list[Host], record: Recorder
) -> None:
    given = variables_of(against(record.proof, SHORT))
    words = [f"{{{{ {name} }}}}" for name in given]
    task = recording(record, words)
    play = {"hosts": "all", "gather_facts": False, "tasks": [task]}
    playbook = Playbook.objects.create(name="p", content=json.dumps([play]))
    run = do(kind="playbook", playbook=playbook, variables=given, on=hosts[:1])
    well(run)
    assert record.taken() == [[list(given.values()), {}]]


@pytest.mark.parametrize("place", ["variables", "secret_answers"])
@pytest.mark.parametrize("kind", ["command", "script", "playbook"])
def test_names_of_variables_that_steer_are_refused(
    ask: Do, hosts: list[Host], place: str, kind: str
) -> None:
    playbook = Playbook.objects.create(name="p", content="- hosts: all")
    for name in NAMES:
        with pytest.raises(DomainError):
            ask(kind=kind, playbook=playbook, script_text="id", **{place: {name: "x"}})
    assert not Run.objects.exists()


def test_arguments_of_scripts_are_words_or_refused(
    do: Do, hosts: list[Host], record: Recorder
) -> None:
    """What a person types there is taken apart like words of a shell, and nothing in it is expanded or run."""
    fine, refused = [], []
    for why, value in against(record.proof, SHORT).items():
        try:
            fine.append(split_arguments(value))
        except DomainError:
            refused.append(why)
    assert set(refused) <= {
        "a quote that closes",
        "both quotes",
        "a double quote that closes",
        *CORPUS,
    }
    text = " ".join(
        v
        for why, v in against(record.proof, SHORT).items()
        if why not in refused and "#" not in v
    )
    script = f'exec {record.path} "$@"\n'
    run = do(kind="script", script_text=script, script_arguments=text, on=hosts[:1])
    well(run)
    assert record.taken()[0][0] == split_arguments(text)


def test_an_argument_with_a_nul_runs_nowhere(
    do: Do, hosts: list[Host], record: Recorder
) -> None:
    for what in (
        {"kind": "command", "command": f"{record.path} {NUL}"},
        {"kind": "script", "script_text": str(record.path), "script_arguments": NUL},
        {"kind": "script", "script_text": str(record.path), "variables": {"v": NUL}},
        {"kind": "command", "command": str(record.path), "variables": {"v": NUL}},
    ):
        try:
            run = do(on=hosts[:1], **what)
        except DomainError:
            continue
        assert run.status == "failed", what
    assert record.taken() == []


def renamed(host: Host, names: list[str], group: HostGroup) -> list[Host]:
    """Make hosts of hostile names that are all the one server."""
    same: dict[str, Any] = {
        name: getattr(host, name)
        for name in ("address", "ssh_port", "credential", "host_key")
    }
    texts = {"owner": names[0][:100], "notes": names[0], "os_name": names[0][:200]}
    return [make_host(name[:253], groups=[group], **same, **texts) for name in names]


def test_names_of_hosts_and_texts_of_the_cmdb_are_nothing_to_commands(
    do: Do, hosts: list[Host], record: Recorder, group: HostGroup
) -> None:
    # Each second of them: what differs is told by the others.
    names = list(against(record.proof, ONE_LINE).values())[::2]
    named = renamed(hosts[0], names, group)
    run = do(command=str(record.path), on=named, forks=8, timeout_seconds=240)
    well(run)
    assert len(record.taken()) == len(named)
    assert set(run.hosts.values_list("host_name", flat=True)) == {
        h.hostname for h in named
    }


def test_names_of_hosts_and_texts_of_the_cmdb_are_nothing_to_ansible(
    do: Do, hosts: list[Host], record: Recorder, group: HostGroup
) -> None:
    values = against(record.proof, {why: CORPUS[why] for why in SOME})
    named = renamed(hosts[0], list(values.values()), group)
    task = recording(record, ["{{ adminset_hostname }}"])
    play = {"hosts": "all", "gather_facts": False, "tasks": [task]}
    playbook = Playbook.objects.create(name="p", content=json.dumps([play]))
    run = do(kind="playbook", playbook=playbook, on=named, forks=5, timeout_seconds=240)
    well(run)
    assert {words[0] for words, _ in record.taken()} == {h.hostname for h in named}
