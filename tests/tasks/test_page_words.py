"""What the pages of the task centre say by themselves goes through gettext: headings, labels, buttons."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.utils import translation
from django.utils.translation import trans_real

from accounts.models import User
from tests import matrix, matrix_urls
from tests.test_permissions import URLS

pytestmark = pytest.mark.django_db
# Elements whose words are the portal's own, not data.
SPEAKING = {"button", "dt", "h2", "label", "legend", "summary", "th"}
# Names and codes that are the same in every language, and names of the stage's objects in places for words.
NAMES = {"SHA-256", "YAML", "UTC", "CSV", "Ctrl", "Enter", "English"}
NAMES |= {"Esc", "Tab", "Ctrl-C", "Ctrl-D"}
DATA = {"administrator", "host-inside", "inside", "Examples", "Greeting", "Cpu"}


class Words(HTMLParser):
    """Collects what stands in those elements and in no code."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag in SPEAKING or tag in ("code", "script", "textarea", "select"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            del self.open[len(self.open) - 1 - self.open[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        if self.open and set(self.open) <= SPEAKING:
            self.found.append(data)


def _bare(text: str) -> str:
    """Take out what gettext gave, in whatever it was put."""
    while (less := re.sub(r"⟦[^⟦⟧]*⟧", "", text)) != text:
        text = less
    return " ".join(text.split()).strip(" :,()")


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put marks around all that gettext gives."""

    def one(message: Any) -> str:
        return f"⟦{message}⟧" if message else ""

    def many(single: str, plural: str, number: int) -> str:
        return one(single if number == 1 else plural)

    def of_a_kind(_context: str, message: Any) -> str:
        return one(message)

    for module in (trans_real, vars(translation)["_trans"]):
        monkeypatch.setattr(module, "pgettext", of_a_kind, raising=False)
        monkeypatch.setattr(module, "gettext", one, raising=False)
        monkeypatch.setattr(module, "ngettext", many, raising=False)


def test_all_words_of_the_pages_can_be_translated(
    client_of: Callable[[User], Client], settings: Any, tmp_path: Any, request: Any
) -> None:
    settings.RUN_DIR = tmp_path
    stage = matrix.set_stage(lambda user: Client())
    client = client_of(stage.people["administrator"])
    request.getfixturevalue("marked")
    plain: dict[str, str] = {}
    for name, route, _pattern in URLS:
        if not name.startswith("tasks:"):
            continue
        answer = client.get(matrix_urls.address_of(name, route, stage.inside))
        if answer.status_code != 200 or "html" not in answer["Content-Type"]:
            continue
        page = Words()
        page.feed(answer.content.decode())
        for word in map(_bare, page.found):
            if re.search(r"[A-Za-z]{3,}", word) and word not in NAMES | DATA:
                plain.setdefault(word, name)
    assert plain == {}
