"""Values in commands: they are whole words, wherever a placeholder may stand; elsewhere it is refused."""

from __future__ import annotations

import subprocess

import pytest

from tasks.taskmodules import placeholders
from tasks.taskmodules.placeholders import PlaceholderError
from tests.tasks.injection_corpus import CORPUS, NUL

# An argument of a program holds 128 KiB at most.
SHORT = [value for value in CORPUS.values() if NUL not in value and len(value) < 1000]
EVIL = "a'b\"; $(touch /proof) `x` \\ \n -- {y} *"


@pytest.mark.parametrize(
    "text",
    [
        'echo "{x}"',
        "echo '{x}'",
        'echo "a\\"{x}"',
        'echo "$(echo "{x}")"',
        "echo `ls {x}`",
        "echo $(ls {x})",
        "echo ${{HOME:-{x}}}",
        "echo ${x}",
        "echo $(( {x} ))",
        "(( {x} ))",
        "[[ {x} -eq 1 ]]",
        "cat <<E\n{x}\nE",
        "echo $'\\'{x}'",
        'echo $"{x}"',
        "echo \\{x}",
        "true # {x}",
        "true # don't\necho {x}",
        "# it's\necho {x}",
        "{x} a",
        "true; {x}",
        "true && {x}",
        "eval {x}",
        "true; eval {x}",
        "let {x}",
        "trap {x} EXIT",
        ". {x}",
        "sh -c {x}",
        "/bin/bash -c {x}",
        "python3 -c {x}",
        "sudo su -c {x}",
        "echo 'a {x}",
    ],
)
def test_a_placeholder_where_quotes_do_not_hold_is_refused(text: str) -> None:
    with pytest.raises(PlaceholderError):
        placeholders.places_in_text(text)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["{x}", "a"], "first word is the program"),
        (["sh", "-c", "{x}"], "run the value as a program"),
        (["sudo", "bash", "-c", "{x}"], "run the value as a program"),
        (["python3", "-c", "print({x})"], "run the value as a program"),
    ],
)
def test_a_placeholder_for_a_program_is_refused(
    words: list[str], sentence: str
) -> None:
    with pytest.raises(PlaceholderError, match=sentence):
        placeholders.places_in_words(words)


@pytest.mark.parametrize(
    ("text", "leads", "alone"),
    [
        ("ls {x}", True, True),
        ("ls -- {x}", False, True),
        ("ls --a={x}", False, False),
        ("ls -- a; rm {x}", True, True),
        ("ls -- a\nrm {x}", True, True),
        ("ls | grep {x}|wc", True, True),
        ("ls '--' {x}", True, True),
        ("ls {x}.gz", True, False),
        ("ls >{x}", True, True),
    ],
)
def test_where_a_value_could_be_an_option_is_known(
    text: str, leads: bool, alone: bool
) -> None:
    [place] = placeholders.places_in_text(text)
    assert (place.leads, place.alone) == (leads, alone)


def test_braces_of_the_command_itself_are_written_twice() -> None:
    text = "awk '{{print $1}}' {x}"
    assert [p.name for p in placeholders.places_in_text(text)] == ["x"]
    assert placeholders.fill_text(text, {"x": "f"}) == "awk '{print $1}' f"
    assert placeholders.fill_words(["a", "{{x}}", "{x}"], {"x": "f"}) == [
        "a",
        "{x}",
        "f",
    ]


@pytest.mark.parametrize("value", [EVIL, *SHORT])
def test_a_real_shell_hands_every_value_on_as_one_word(value: str) -> None:
    """What the shell makes of the filled command is asked of a shell, for all places at once."""
    text = "printf '%s\\0' {x} pre{x} --a={x}post ; printf '%s\\0' -- {x} {many}"
    placeholders.places_in_text(text)
    line = placeholders.fill_text(text, {"x": value, "many": [value, "", "b c"]})
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, check=True)
    words = done.stdout.decode("utf-8", "surrogatepass").split("\0")[:-1]
    assert words == [
        value,
        f"pre{value}",
        f"--a={value}post",
        "--",
        value,
        value,
        "",
        "b c",
    ]


def test_a_value_of_several_words_must_stand_alone() -> None:
    assert placeholders.fill_words(["a", "{x}", "b"], {"x": []}) == ["a", "b"]
    with pytest.raises(PlaceholderError, match="must stand alone"):
        placeholders.fill_words(["a", "--x={x}"], {"x": ["1", "2"]})
