"""The corpus of hostile values through every field of command, script and playbook modules, to a real host and back."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from adminset.errors import DomainError
from cmdb.models import Host
from tasks.models import Run, TaskModule
from tasks.taskmodules.forms import form_of_answers
from tasks.taskmodules.parsing import parse
from tests.factories import make_host
from tests.tasks.injection_corpus import CORPUS, MANY_LINES, NUL, ONE_LINE, against
from tests.tasks.module_things import make_module

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]
Do = Callable[..., Run]
# Fields of one module.
MOST = 38
RECORD = """\
#!/usr/bin/python3 -I
import json, os, sys
values = {k: v for k, v in os.environ.items() if k.startswith("ADMINSET_V")}
with open(__file__ + ".json", "a") as file:
    file.write(json.dumps([sys.argv[1:], values]) + "\\n")
"""


class Recorder:
    """A program on the host that writes down its words and its variables, and the file that nothing may make."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "record"
        self.path.write_text(RECORD)
        self.path.chmod(0o755)
        self.proof = folder / "proof"

    def taken(self) -> list[Any]:
        """Give [words, variables] of each call, and forget them."""
        file = self.path.with_name("record.json")
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [json.loads(line) for line in lines]


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Recorder]:
    made = Recorder(tmp_path)
    yield made
    assert not made.proof.exists(), "something ran that should not"


def parts_of(values: dict[str, str]) -> list[list[str]]:
    """Split values into as many as one module has fields for."""
    listed = list(values.values())
    return [listed[at : at + MOST] for at in range(0, len(listed), MOST)]


def module_of(kind: str, count: int, action: object) -> TaskModule:
    """Make a module with so many fields of one type."""
    fields = [
        {"name": f"v{n}", "type": kind} | ({} if kind == "secret" else {"dash": True})
        for n in range(count)
    ]
    head = {"name": f"m-{TaskModule.objects.count()}", "title": "t", "fields": fields}
    return make_module(json.dumps(head | action))  # type: ignore[operator]


def answers_of(values: list[str]) -> dict[str, str]:
    return {f"v{n}": value for n, value in enumerate(values)}


def recording(record: Recorder, words: list[str]) -> dict[str, Any]:
    """Make a task that calls the recorder; by itself Ansible's command puts the environment into `$HOME`."""
    argv = [str(record.path), *words]
    return {"ansible.builtin.command": {"argv": argv, "expand_argument_vars": False}}


def run_it(do: Do, module: TaskModule, hosts: list[Host], **wanted: Any) -> None:
    run = do(kind="task_module", command="", task_module=module, on=hosts[:1], **wanted)
    assert run.status == "ok", [run.explanation, run.hosts.get().explanation]


def test_a_command_takes_every_value_as_one_word(
    do: Do, hosts: list[Host], record: Recorder
) -> None:
    for values in parts_of(against(record.proof, ONE_LINE)):
        words = [str(record.path), *(f"{{v{n}}}" for n in range(len(values)))]
        module = module_of("text", len(values), {"command": words})
        run_it(do, module, hosts, answers=answers_of(values))
        assert record.taken() == [[values, {}]]
        text = {"command": " ".join([words[0], "--", *words[1:], "&& true"])}
        module = module_of("text", len(values), text)
        run_it(do, module, hosts, answers=answers_of(values))
        assert record.taken() == [[["--", *values], {}]]


@pytest.mark.parametrize("kind", ["textarea", "secret"])
def test_a_script_finds_every_value_unchanged(
    do: Do, hosts: list[Host], record: Recorder, kind: str
) -> None:
    fit = MANY_LINES if kind == "textarea" else ONE_LINE
    for values in parts_of(against(record.proof, fit)):
        seen = " ".join(f'"$ADMINSET_V{n}"' for n in range(len(values)))
        # The longest one is no word of a command: it is looked at as a variable.
        text = (
            f"[ ${{#ADMINSET_V0}} -gt 0 ] || exit 9\nexec {record.path} --\n: {seen}\n"
        )
        module = module_of(kind, len(values), {"script": text})
        given = "secret_answers" if kind == "secret" else "answers"
        run_it(do, module, hosts, **{given: answers_of(values)})
        [[words, variables]] = record.taken()
        assert words == ["--"]
        assert variables == {f"ADMINSET_V{n}": value for n, value in enumerate(values)}


def test_a_scripts_arguments_are_whole_words(
    do: Do, hosts: list[Host], record: Recorder
) -> None:
    short = {why: v for why, v in MANY_LINES.items() if len(v) < 1000}
    for values in parts_of(against(record.proof, short)):
        arguments = [f"{{v{n}}}" for n in range(len(values))]
        text = f'exec {record.path} "$@"\n'
        action = {"script": {"text": text, "arguments": arguments}}
        module = module_of("textarea", len(values), action)
        run_it(do, module, hosts, answers=answers_of(values))
        assert record.taken()[0][0] == values


def test_a_playbook_never_evaluates_a_value(
    do: Do, hosts: list[Host], record: Recorder
) -> None:
    for values in parts_of(against(record.proof, MANY_LINES)):
        words = [f"{{{{ v{n} }}}}" for n in range(len(values))]
        task = recording(record, words)
        shown = {"ansible.builtin.debug": {"msg": "{{ v0 }} {{ v1 }} {{ [v2, v3] }}"}}
        play = {"hosts": "all", "gather_facts": False, "tasks": [task, shown]}
        action = {"playbook": json.dumps([play])}
        module = module_of("textarea", len(values), action)
        run_it(do, module, hosts, answers=answers_of(values))
        [[taken, _variables]] = record.taken()
        assert dict(zip(values, taken, strict=True)) == dict(
            zip(values, values, strict=True)
        )


def test_a_host_and_a_group_of_a_hostile_name_are_words(
    do: Do, hosts: list[Host], record: Recorder
) -> None:
    text = (
        "name: peers\ntitle: t\nfields: [{name: peer, type: host}]\n"
        f"command: [{record.path}, --, '{{peer}}', '{{peer_address}}']\n"
    )
    module = make_module(text)
    name = f"'; touch {record.proof}; $(touch {record.proof})"
    other = make_host(name, address="10.0.0.9")
    run_it(do, module, hosts, answers={"peer": other.pk})
    assert record.taken() == [[["--", name, "10.0.0.9"], {}]]


CLOSED = {
    "number": "type: number",
    "whole": "type: number, decimals: 2",
    "select": "type: select, choices: [a, b]",
    "radio": "type: radio, choices: [a, b]",
    "many": "type: multi_select, choices: [a, b]",
    "tick": "type: checkbox",
    "day": "type: date",
    "host": "type: host",
    "group": "type: group",
    "source": "type: select, choices: {source: idcs}",
}


@pytest.mark.parametrize("kind", CLOSED)
def test_fields_that_are_no_texts_take_none_of_it(admin: User, kind: str) -> None:
    definition, _data = parse(
        f"name: a\ntitle: t\nfields: [{{name: x, {CLOSED[kind]}}}]\nscript: 'true'\n"
    )
    for why, value in CORPUS.items():
        for given in (value, [value], {"x": value}):
            form = form_of_answers(definition, admin, {"x": given}, {})
            assert not form.is_valid(), why


def test_what_no_box_of_one_line_holds_is_refused(
    ask: Do, hosts: list[Host], record: Recorder
) -> None:
    module = module_of("text", 1, {"command": [str(record.path), "{v0}"]})
    for why, value in CORPUS.items():
        if why in ONE_LINE:
            continue
        with pytest.raises(DomainError) as caught:
            ask(
                kind="task_module",
                command="",
                task_module=module,
                answers={"v0": value},
            )
        assert set(caught.value.fields) == {"v0"}, why
    assert not Run.objects.exists()
    assert NUL in CORPUS["NUL"]


def test_names_of_answers_lead_nowhere(ask: Do, hosts: list[Host]) -> None:
    module = make_module("name: a\ntitle: t\nscript: 'true'\n")
    for name in (
        "ansible_connection",
        "LD_PRELOAD",
        "run",
        "x;id",
        "\u0061nsible_user",
        "",
    ):
        for place in ("answers", "secret_answers"):
            with pytest.raises(DomainError):
                ask(
                    kind="task_module",
                    command="",
                    task_module=module,
                    **{place: {name: "local"}},
                )
    assert not Run.objects.exists()


def test_what_a_module_comes_to_is_what_the_shell_reads(
    admin: User, record: Recorder
) -> None:
    """The words of a filled command, read by a shell's own rules, are the values."""
    values = list(against(record.proof, ONE_LINE).values())
    assert shlex.split(shlex.join(values)) == values
