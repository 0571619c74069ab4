"""The options of a run on real sshd servers: check, diff, tags, tasks, facts, variables, secrets, roles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adminset.errors import DomainError
from tasks.ansible import PlayOptions, run_module, run_role
from tests.farm import SshFarm
from tests.tasks.doors import Case, clean_case

TASKS = """
- hosts: all
  gather_facts: false
  tasks:
    - {name: first, debug: {msg: say-first}, tags: [one]}
    - {name: second, debug: {msg: say-second}, tags: [two]}
    - {name: third, debug: {msg: say-third}, tags: [two, three]}
"""
ROLE = {
    "tasks/main.yml": "- include_tasks: more/deep.yml\n",
    "tasks/more/deep.yml": "- {name: deep, debug: {msg: 'role says {{ word }}'}}\n",
    "defaults/main.yml": "word: default-word\n",
}


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshFarm]:
    with SshFarm(1, tmp_path_factory.mktemp("farm")) as made:
        yield made


@pytest.fixture
def case(farm: SshFarm) -> Iterator[Case]:
    with clean_case(farm) as made:
        yield made


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (PlayOptions(tags=("two",)), {"second", "third"}),
        (PlayOptions(tags=("two",), skip_tags=("three",)), {"second"}),
        (PlayOptions(start_at_task="second"), {"second", "third"}),
        (PlayOptions(verbosity=4), {"first", "second", "third"}),
    ],
)
def test_tags_and_the_first_task_choose_what_runs(
    case: Case, options: PlayOptions, said: set[str]
) -> None:
    result = case.playbook(TASKS, play=options)
    assert result.status == "ok", case.text()
    found = {
        word for word in ("first", "second", "third") if f"say-{word}" in case.text()
    }
    assert found == said
    assert ("ansible-playbook [core" in case.text()) == (options.verbosity == 4)
    assert str(case.root) not in case.text()


def test_a_difference_is_shown_and_check_mode_leaves_the_file(
    case: Case, tmp_path: Path
) -> None:
    file = tmp_path / "motd"
    file.write_text("old line\n")
    text = (
        "- hosts: all\n  gather_facts: false\n  tasks:\n"
        f"    - lineinfile: {{path: {file}, regexp: ^old, line: new line}}\n"
    )
    result = case.playbook(text, play=PlayOptions(check=True, diff=True))
    assert result.status == "ok", case.text()
    about = [event for event in case.events if event.kind == "runner_on_file_diff"]
    assert [event.host for event in about] == ["host0"]
    assert "-old line\n+new line" in about[0].text
    assert file.read_text() == "old line\n"


def test_facts_are_gathered_as_asked_and_kept_by_nobody(case: Case) -> None:
    text = "- hosts: all\n  tasks:\n    - debug: msg=\"{{ ansible_facts.system | default('none') }}\"\n"
    for facts, said in ((None, "Linux"), (False, "none")):
        case.events.clear()
        assert case.playbook(text, play=PlayOptions(facts=facts)).status == "ok"
        assert said in case.text()
        assert ("Gathering Facts" in case.text()) == (said == "Linux")
    options = case.options(play=PlayOptions(facts=True))
    case.events.clear()
    run_module(case.targets, "ping", "", options, on_event=case.events.append)
    assert "Gathering Facts" in {event.task for event in case.events}


def test_variables_arrive_and_secrets_stay_masked(case: Case) -> None:
    secret = "s3cret-canary-Zq8"
    result = case.playbook(
        "- hosts: all\n  gather_facts: false\n  vars: {size: 1}\n  tasks:\n"
        '    - debug: msg="{{ size }} {{ deep.x[0] }} {{ token }}"\n'
        "    - fail: {msg: 'no {{ token }}'}\n",
        variables={"size": 5, "deep": {"x": ["eins"]}},
        secrets={"token": secret},
        play=PlayOptions(verbosity=4),
    )
    assert "5 eins ••••" in case.text()
    assert secret not in case.text() + repr(result)
    assert "no ••••" in result.hosts["host0"].explanation


def test_no_log_hides_what_a_task_says(case: Case) -> None:
    text = (
        "- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - {shell: 'echo hidden-$((6*7)); exit 3', no_log: true}\n"
    )
    result = case.playbook(text, play=PlayOptions(verbosity=1))
    assert result.hosts["host0"].status == "failed"
    assert "hidden-42" not in case.text() + repr(result)


def test_a_role_runs_alone_and_within_a_playbook(case: Case) -> None:
    options = case.options(variables={"word": "given-word"})
    result = run_role(
        case.targets, "my role: web/1", ROLE, options, on_event=case.events.append
    )
    assert result.status == "ok", case.text()
    assert "role says given-word" in case.text()
    case.events.clear()
    text = "- hosts: all\n  gather_facts: false\n  roles: [{role: web.common}]\n"
    result = case.playbook(text, roles={"web.common": ROLE})
    assert result.status == "ok", case.text()
    assert "role says default-word" in case.text()


@pytest.mark.parametrize(
    "path", ["../x", "/etc/x", "a/../../x", "a//b", "a\nb", ".", ""]
)
def test_a_role_does_not_lead_out_of_its_folder(case: Case, path: str) -> None:
    with pytest.raises(DomainError, match="leads out of it"):
        case.playbook("- hosts: all", roles={"web": {path: ""}})
    with pytest.raises(DomainError, match="cannot be called"):
        case.playbook("- hosts: all", roles={path: ROLE})
