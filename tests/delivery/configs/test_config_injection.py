"""The injection corpus through values, names, paths and texts: on the host it is text, in a command it is one argument."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from accounts.models import User
from adminset.errors import DomainError
from appconf.config.forms import ConfigFileForm, VariableForm
from appconf.config.versions import keep_text
from appconf.models import ConfigFile, Environment
from delivery.configs import told
from delivery.models import ConfigDrift, ConfigPush
from tests.app_factories import make_project
from tests.appconf.config_things import make_variable
from tests.delivery.configs.push_things import names_in

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(120)]
New = Callable[..., ConfigFile]
Act = Callable[..., ConfigPush]
NASTY = [
    "$(touch PWNED)",
    "`touch PWNED`",
    "'; touch PWNED; '",
    '"; touch PWNED; "',
    "a\nb\r\n\tc\n\n",
    "-n -e --help",
    "%s %d \\n \\x41 \\\\",
    "${HOME} $HOME $$ !!",
    "EOF\n'EOF'\n.\n",
    "&& || ; | > < * ? [a]",
    "日本 ☃ \u202e\u200b",
    "@by-hand f0 s\nf0 p",
]


@pytest.mark.parametrize("is_secret", [False, True])
def test_values_reach_the_file_as_they_are_and_run_nothing(
    environment: Environment, new_file: New, push: Act, etc: Path, is_secret: bool
) -> None:
    lines = []
    for number, value in enumerate(NASTY):
        plain = value.replace("\r\n", "\n")
        given = {"secret": plain} if is_secret else {"value": plain}
        make_variable(environment, f"N{number}", **given)
        lines.append((f"<{number}>${{N{number}}}</{number}>", plain))
    new_file("\n".join(line for line, _plain in lines))
    done = push()
    assert done.status == "ok", done.hosts.get().explanation
    wanted = "\n".join(
        f"<{number}>{plain}</{number}>" for number, (_line, plain) in enumerate(lines)
    )
    assert (etc / "app.conf").read_text() == wanted
    assert names_in(etc) == ["app.conf"]
    assert not Path("PWNED").exists()
    assert not (Path.home() / "PWNED").exists()


@pytest.mark.parametrize(
    "name",
    [
        "$(touch PWNED).conf",
        "`id`.conf",
        "a'b\"c.conf",
        "-rf",
        "a b;c&d.conf",
        "*.conf",
    ],
)
def test_a_path_is_a_name_and_one_argument_of_the_validate_command(
    new_file: New, push: Act, read: Act, etc: Path, name: str
) -> None:
    new_file("text\n", name, validate_command="test -f {} && grep -q text -- {}")
    done = push()
    assert done.status == "ok", done.hosts.get().explanation
    assert names_in(etc) == [name]
    assert (etc / name).read_text() == "text\n"
    read()
    assert ConfigDrift.objects.get().state == "same"


def test_a_large_text_comes_whole(
    new_file: New, push: Act, read: Act, etc: Path
) -> None:
    text = "".join(f"line {number} ☃ é 日本\n" for number in range(9000))
    assert 200_000 < len(text.encode()) < 256 * 1024
    new_file(text)
    done = push()
    assert done.status == "ok", done.hosts.get().explanation
    assert (etc / "app.conf").read_text() == text
    read()
    assert ConfigDrift.objects.get().state == "same"


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "x" * (300 * 1024)])
def test_nul_halves_and_what_is_huge_are_refused_at_the_door(
    admin: User, text: str
) -> None:
    project = make_project()
    file = ConfigFile.objects.create(project=project, name="a", path="/etc/a")
    with pytest.raises(DomainError):
        keep_text(actor=admin, file=file, text=text)
    sent = {"name": "A", "level": "project", "project": project.pk, "value": text}
    assert not VariableForm(sent, user=admin).is_valid()
    assert not file.versions.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"path": "../etc/passwd"},
        {"path": "/etc/../etc/passwd"},
        {"path": "/etc/app\n.conf"},
        {"path": "/etc/"},
        {"mode": "0999"},
        {"mode": "+x"},
        {"mode": "4755"},
        {"owner": "-R"},
        {"owner": "root; id"},
        {"group": "$(id)"},
    ],
)
def test_paths_modes_and_owners_that_are_none_are_refused(
    admin: User, fields: dict[str, str]
) -> None:
    sent = {
        "project": make_project().pk,
        "name": "main",
        "path": "/etc/app.conf",
        "mode": "0644",
        "drift_minutes": 60,
        "text": "a\n",
    }
    form = ConfigFileForm(sent | fields, user=admin)
    assert not form.is_valid()
    assert set(form.errors) == set(fields)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"f0": "d", "a0": "777 root root 99999999999999999999 1"},
        {"f0": "d", "a0": "x" * 4000, "c0.0": "!!!"},
        {"f0": "d", "a0": "644 a b 5 99999999999", "c0.0": "AAAA"},
        {"f0": "p" * 4000},
        {"f0": "x " + "\u202e" * 4000, "r0": "x"},
    ],
)
def test_whatever_a_host_says_is_read_or_not_believed(said: dict[str, str]) -> None:
    found, pushed = told.found(said, 0), told.pushed(said, 0)
    assert found.text is None
    assert len(found.why) <= 400
    assert pushed.word in {"failed", "unknown"}
