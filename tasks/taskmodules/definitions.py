"""What a task module is made of: its form, field by field, and its action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import get_language

# One text for all languages, or one for each: {"en": "Lines", "zh": "行数"}.
Words = str | Mapping[str, str]
LANGUAGES = ("en", "zh")

TEXT, TEXTAREA, NUMBER, DATE, SECRET = "text", "textarea", "number", "date", "secret"
SELECT, MULTI_SELECT, RADIO, CHECKBOX = "select", "multi_select", "radio", "checkbox"
HOST, GROUP = "host", "group"
# Keys that a field of each type may have besides those that all have.
OWN_KEYS: dict[str, tuple[str, ...]] = {
    TEXT: ("max", "pattern", "pattern_help", "dash"),
    TEXTAREA: ("max", "pattern", "pattern_help", "dash", "rows"),
    NUMBER: ("min", "max", "decimals"),
    SELECT: ("choices",),
    MULTI_SELECT: ("choices",),
    RADIO: ("choices",),
    CHECKBOX: ("on", "off"),
    DATE: ("min", "max"),
    SECRET: ("max", "pattern", "pattern_help"),
    HOST: (),
    GROUP: (),
}
TYPES = tuple(OWN_KEYS)
# What is further known of an answer stands beside it: {peer} is a host's name, {peer_address} its address.
FURTHER = {HOST: ("address",), GROUP: ("hosts",)}
CHOOSING = (SELECT, MULTI_SELECT, RADIO)


def said(words: Words | None) -> str:
    """Give a text in the reader's language, else in English, else in any."""
    if words is None or isinstance(words, str):
        return words or ""
    own = (get_language() or "en").partition("-")[0]
    return words.get(own) or words.get("en") or next(iter(words.values()), "")


@dataclass(frozen=True)
class Choice:
    """One of the values that can be chosen."""

    value: str
    label: Words = ""


@dataclass(frozen=True)
class Choices:
    """What can be chosen: fixed values, those of a source in the CMDB, or others for each value of another field.

    Attributes:
        fixed: values written down in the definition.
        source: name of a source (tasks/taskmodules/sources.py).
        when: name of the field on which they depend. cases: value of that field -> choices.
    """

    fixed: tuple[Choice, ...] = ()
    source: str = ""
    when: str = ""
    cases: Mapping[str, tuple[Choice, ...]] = field(default_factory=dict)

    def every(self) -> list[Choice]:
        """Give all that are written down, each value once."""
        found = {one.value: one for some in self.cases.values() for one in some}
        return [*self.fixed, *found.values()]


@dataclass(frozen=True)
class Field:
    """One question of the form.

    Attributes:
        dash: its value may begin with a dash where a command takes it as a word of its own.
        on, off: words that a tick stands for in a command.
        shown_when: name of an earlier field -> values of it, under which this one is asked.
    """

    name: str
    type: str = TEXT
    label: Words = ""
    help: Words = ""
    default: Any = None
    required: bool = True
    min: Any = None
    max: Any = None
    decimals: int = 0
    pattern: str = ""
    pattern_help: Words = ""
    rows: int = 4
    dash: bool = False
    on: str | tuple[str, ...] = "yes"
    off: str | tuple[str, ...] = "no"
    choices: Choices = Choices()
    shown_when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_secret(self) -> bool:
        """Whether nobody may see the answer."""
        return self.type == SECRET

    @property
    def gives(self) -> tuple[str, ...]:
        """Names under which its answer reaches the action."""
        return (
            self.name,
            *(f"{self.name}_{more}" for more in FURTHER.get(self.type, ())),
        )

    @property
    def is_free(self) -> bool:
        """Whether its value was made up by somebody else than the module's author."""
        listed = self.type in CHOOSING and not self.choices.source
        return not listed and self.type not in (NUMBER, DATE, CHECKBOX)

    def many(self, name: str) -> bool:
        """Say whether one of its names stands for several words."""
        if name != self.name:
            return self.type == GROUP
        ticked = isinstance(self.on, tuple) or isinstance(self.off, tuple)
        return self.type == MULTI_SELECT or (self.type == CHECKBOX and ticked)


@dataclass(frozen=True)
class Command:
    """A line for /bin/sh, as a text or as a list of words; {names} stand for answers."""

    words: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True)
class Script:
    """A script; the answers reach it as $ADMINSET_<NAME>, and as arguments where the definition says so."""

    text: str
    language: str = "sh"
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Playbook:
    """A playbook, as text or by its name in the library; the answers are its variables."""

    text: str = ""
    library: str = ""


@dataclass(frozen=True)
class Definition:
    """A whole module, as its file or its editor says it."""

    name: str
    title: Words
    action: Command | Script | Playbook
    category: Words = ""
    description: Words = ""
    fields: tuple[Field, ...] = ()
    become: bool | None = None
    timeout_seconds: int | None = None
    repeatable: bool = False
    dangerous: bool = False
    batches: str = ""

    def field_that_gives(self, name: str) -> Field | None:
        """Find the field behind a name that the action uses."""
        return next((one for one in self.fields if name in one.gives), None)


def variable_of(name: str) -> str:
    """Name the environment variable by which an answer reaches a script."""
    return f"ADMINSET_{name.upper()}"
