"""The portal speaks Chinese throughout: every message is in the catalogue, translated, whole and well set."""

import ast
import gettext
import re
import shutil
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.catalog import Message
from django.conf import settings

from adminset.launch import messages

ROOT = Path(settings.BASE_DIR)
LANGUAGE = "zh_Hans"
CATALOGUE = messages.catalogue_file(ROOT, LANGUAGE)
# Names and signs that are the same in both languages.
SAME_IN_BOTH = {
    "API",
    "SHA-256",
    "Solarized",
    "Ansible",
    "CNAME",
    "AdminSet",
    "CPU",
    "DNS",
    "HTTP",
    "MAC",
    "Playbook",
    "Python",
    "SSH",
    "VLAN",
    "crontab",
}
# A percent sign of a template is doubled in its message: "%%s" is what a script fills in.
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%%?[a-z]\b|\{\w*\}|</?strong>|`[^`]+`")
HAN = "\u3400-\u9fff"
SPACE_BETWEEN_HAN = re.compile(
    rf"[{HAN}，。：；？！、（）“”] +[{HAN}，。：；？！、（）“”]"
)
NARROW_AFTER_HAN = re.compile(rf"[{HAN}][,.:;?!()]|[(][{HAN}]")
# Django's filter yesno splits this one at the narrow comma.
NARROW_ON_PURPOSE = {"yes,no"}


@pytest.fixture(scope="module")
def wanted() -> Catalog:
    return messages.template_catalogue(ROOT)


@pytest.fixture(scope="module")
def known() -> Catalog:
    return messages.load(CATALOGUE, LANGUAGE)


def entries(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def ids(catalogue: Catalog) -> set[str]:
    return {text for message in entries(catalogue) for text in forms(message.id)}


def forms(words: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """Give the singular and the plural of a message, or the one form that it has."""
    return (words,) if isinstance(words, str) else tuple(words)


def test_extraction_finds_no_message_that_the_catalogue_lacks(wanted, known):
    lacking = [m.id for m in entries(wanted) if not known.get(m.id, m.context)]
    assert lacking == [], "run `make messages` and translate what is new"


def calls(file: Path) -> set[str]:
    """Give the constant messages that a module asks a function of gettext for, under whatever name it imported it."""
    tree = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    names = {
        alias.asname or alias.name
        for node in tree
        if isinstance(node, ast.ImportFrom)
        and node.module == "django.utils.translation"
        for alias in node.names
        if "gettext" in alias.name and not alias.name.startswith(("p", "np"))
    }
    return {
        node.args[0].value
        for node in tree
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in names
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }


def test_no_message_hides_from_extraction_behind_another_name_or_in_an_f_string(known):
    files = [file for file in messages.sources(ROOT) if file.suffix == ".py"]
    hidden = {file.name: said for file in files if (said := calls(file) - ids(known))}
    assert hidden == {}, "add the name to KEYWORDS, or take the call out of the string"


def test_extraction_reads_code_and_templates(wanted):
    assert "Task orchestration" in wanted  # adminset/navigation.py
    assert "Skip to the content" in wanted  # templates/base.html
    assert len(wanted) > 500


def test_every_message_is_translated(known):
    assert messages.untranslated(known) == []


def test_no_translation_is_a_guess(known):
    assert [m.id for m in entries(known) if m.fuzzy] == []


def test_a_translation_holds_the_placeholders_of_its_message_and_no_others(known):
    wrong = []
    for message in entries(known):
        # Chinese has one form for every number: it is made from the plural.
        asked = PLACEHOLDER.findall(forms(message.id)[-1])
        wrong += [
            (asked, said)
            for said in forms(message.string)
            if set(PLACEHOLDER.findall(said)) != set(asked)
        ]
    assert wrong == []


def test_a_translation_differs_from_its_message_unless_it_is_a_name(known):
    same = {m.id for m in entries(known) if m.string == m.id}
    assert same - SAME_IN_BOTH == set()


def test_no_space_stands_between_chinese_characters(known):
    said = [text for m in entries(known) for text in forms(m.string)]
    assert [text for text in said if SPACE_BETWEEN_HAN.search(text)] == []


def test_chinese_sentences_have_full_width_punctuation(known):
    said = [
        text
        for m in entries(known)
        if m.id not in NARROW_ON_PURPOSE
        for text in forms(m.string)
    ]
    assert [text for text in said if NARROW_AFTER_HAN.search(text)] == []


def test_a_sentence_ends_as_its_message_does(known):
    wrong = [
        m.id
        for m in entries(known)
        if forms(m.id)[-1].endswith(".")
        != forms(m.string)[-1].endswith(("。", "……", "..."))
        and not forms(m.id)[-1].endswith("...")
    ]
    assert wrong == []


def test_the_catalogue_compiles_into_what_the_portal_reads(tmp_path):
    file = messages.catalogue_file(tmp_path, LANGUAGE)
    file.parent.mkdir(parents=True)
    shutil.copy(CATALOGUE, file)
    messages.compile_all(tmp_path)
    with file.with_suffix(".mo").open("rb") as handle:
        words = gettext.GNUTranslations(handle)
    assert words.gettext("Task orchestration") == "任务编排"
    assert words.ngettext("%(n)d day", "%(n)d days", 1) == "%(n)d 天"
    assert words.ngettext("%(n)d day", "%(n)d days", 3) == "%(n)d 天"
