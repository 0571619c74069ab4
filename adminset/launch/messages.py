"""`make messages`: extracts what is to be translated from code and templates, and compiles the catalogues, without gettext's programs."""

import io
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

from adminset.launch.config import ROOT
from adminset.launch.errors import LaunchError
from adminset.launch.progress import say

LANGUAGES = ("zh_Hans",)
ROOMS = ("adminset", "accounts", "cmdb", "appconf", "tasks", "monitor", "delivery")
PLURALS = {"zh_Hans": "nplurals=1; plural=0;"}
# The names under which gettext's functions are known: which argument is what.
KEYWORDS = {
    "_": None,
    "_lazy": None,
    "N_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}


def sources(root: Path) -> Iterator[Path]:
    """List the files that may hold messages."""
    for room in ROOMS:
        for file in sorted((root / room).rglob("*.py")):
            if "migrations" not in file.parts:
                yield file
        yield from templates(root / room / "templates")
    yield from templates(root / "templates")


def templates(folder: Path) -> Iterator[Path]:
    """List the templates of a folder."""
    return (
        file for file in sorted(folder.rglob("*")) if file.suffix in {".html", ".txt"}
    )


def messages(file: Path) -> Iterator[tuple[str | tuple[str, ...], str | None]]:
    """Yield (message or its singular and plural, context) of one file."""
    text = file.read_text(encoding="utf-8")
    if file.suffix != ".py":
        # Brackets keep the tokenizer from reading a meaning into indentation.
        text = f"(\n{templatize(text, origin=str(file))}\n)"
    found = extract(
        "python", io.BytesIO(text.encode()), KEYWORDS, options={"encoding": "utf-8"}
    )
    for _line, message, _comments, context in found:
        yield (
            (tuple(message) if isinstance(message, tuple | list) else message),
            context,
        )


def template_catalogue(root: Path) -> Catalog:
    """Collect all messages of the project."""
    catalogue = Catalog(fuzzy=False)
    for file in sources(root):
        for message, context in messages(file):
            if message:
                catalogue.add(message, context=context)
    return catalogue


def update(root: Path) -> list[str]:
    """Bring the catalogues up to date, keeping every translation; say what is missing."""
    wanted = template_catalogue(root)
    lines = []
    for language in LANGUAGES:
        file = catalogue_file(root, language)
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = merged(wanted, load(file, language), language)
        file.write_bytes(rendered(fresh))
        count = len(untranslated(fresh))
        lines.append(f"{language}: {len(fresh)} messages, {count} not translated")
    return lines


def catalogue_file(root: Path, language: str) -> Path:
    """Name a language's catalogue."""
    return root / "locale" / language / "LC_MESSAGES" / "django.po"


def load(file: Path, language: str) -> Catalog:
    """Read a catalogue; an empty one where there is none."""
    if not file.exists():
        return Catalog(locale=language)
    with file.open("rb") as handle:
        return read_po(handle, locale=language, abort_invalid=True)


def merged(wanted: Catalog, known: Catalog, language: str) -> Catalog:
    """Take the wanted messages and the known translations of exactly these."""
    fresh = Catalog(locale=language, fuzzy=False)
    for message in wanted:
        if not message.id:
            continue
        before = known.get(message.id, message.context)
        string = before.string if before and not before.fuzzy else None
        fresh.add(
            message.id, string, flags=message.flags - {"fuzzy"}, context=message.context
        )
    return fresh


HEADER = (
    '# AdminSet\'s words; `make messages` keeps this file.\nmsgid ""\nmsgstr ""\n'
    '"Content-Type: text/plain; charset=utf-8\\n"\n"Content-Transfer-Encoding: 8bit\\n"\n'
)


def rendered(catalogue: Catalog) -> bytes:
    """Write a catalogue sorted, without dates and places, so that a diff shows words only."""
    body = io.BytesIO()
    write_po(
        body, catalogue, width=100, no_location=True, omit_header=True, sort_output=True
    )
    language = str(catalogue.locale)
    head = (
        f'{HEADER}"Language: {language}\\n"\n"Plural-Forms: {PLURALS[language]}\\n"\n\n'
    )
    return head.encode() + body.getvalue().lstrip()


def untranslated(catalogue: Catalog) -> list[str]:
    """List the messages without a translation."""
    return [
        str(message.id)
        for message in catalogue
        if message.id and not _is_done(message.string)
    ]


def _is_done(string: str | Iterable[str] | None) -> bool:
    return bool(string) and (isinstance(string, str) or all(string or ()))


def compile_all(root: Path) -> None:
    """Write the .mo beside every .po.

    Raises:
        LaunchError: a translation does not fit its message.
    """
    for language in LANGUAGES:
        file = catalogue_file(root, language)
        if not file.exists():
            continue
        catalogue = load(file, language)
        for message, errors in catalogue.check():
            raise LaunchError(f"{file}: {message.id!r}: {errors[0]}")
        for message in catalogue:
            if message.id and not _is_done(message.string):
                # An empty plural would be shown as nothing at all.
                message.string = ""
        with file.with_suffix(".mo").open("wb") as handle:
            write_mo(handle, catalogue)


def main(words: list[str]) -> int:
    """Run `update` or `compile`."""
    settings.configure(USE_I18N=False)
    os.chdir(ROOT)
    try:
        if words == ["compile"]:
            compile_all(ROOT)
        else:
            for line in update(ROOT):
                say(line)
    except (LaunchError, ValueError) as error:
        say(f"AdminSet: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
