"""What `make messages` finds and what it keeps."""

import gettext
from pathlib import Path

import pytest

from adminset.launch import messages
from adminset.launch.errors import LaunchError

TEMPLATE = """
<p>{% translate "Sign in" %} don't ( [ "
   {{ _("In a variable") }} {% translate "May" context "month" %}
  {% blocktranslate count n=hosts|length trimmed %}
    {{ n }} host
      {% plural %}
    {{ n }} hosts
 {% endblocktranslate %}
</p>
"""
CODE = """
a = _("Hello %(name)s")
b = ngettext("%(n)d row", "%(n)d rows", 3)
c = pgettext("verb", "Run")
d = gettext_lazy("One sentence "
                 "in two lines")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(TEMPLATE)
    (tmp_path / "cmdb" / "migrations").mkdir(parents=True)
    (tmp_path / "cmdb" / "models.py").write_text(CODE)
    (tmp_path / "cmdb" / "migrations" / "0001.py").write_text('_("Not this")')
    return tmp_path


def test_code_and_templates_are_read(project: Path) -> None:
    found = {
        (message.id, message.context)
        for message in messages.template_catalogue(project)
    }
    assert found - {("", None)} == {
        ("Sign in", None),
        ("In a variable", None),
        ("May", "month"),
        (("%(n)s host", "%(n)s hosts"), None),
        ("Hello %(name)s", None),
        (("%(n)d row", "%(n)d rows"), None),
        ("Run", "verb"),
        ("One sentence in two lines", None),
    }


def test_a_translation_is_kept_and_the_file_stays_the_same(project: Path) -> None:
    assert messages.update(project) == ["zh_Hans: 8 messages, 8 not translated"]
    file = messages.catalogue_file(project, "zh_Hans")
    text = file.read_text().replace('"Sign in"\nmsgstr ""', '"Sign in"\nmsgstr "登录"')
    file.write_text(text)
    assert messages.update(project) == ["zh_Hans: 8 messages, 7 not translated"]
    assert file.read_text() == text


def test_a_word_that_is_gone_leaves_the_file(project: Path) -> None:
    messages.update(project)
    (project / "cmdb" / "models.py").write_text("")
    messages.update(project)
    assert "One sentence" not in messages.catalogue_file(project, "zh_Hans").read_text()


def test_a_compiled_catalogue_speaks(project: Path) -> None:
    messages.update(project)
    file = messages.catalogue_file(project, "zh_Hans")
    file.write_text(
        file.read_text().replace('"Sign in"\nmsgstr ""', '"Sign in"\nmsgstr "登录"')
    )
    messages.compile_all(project)
    with file.with_suffix(".mo").open("rb") as handle:
        words = gettext.GNUTranslations(handle)
    assert words.gettext("Sign in") == "登录"
    assert words.ngettext("%(n)d row", "%(n)d rows", 2) == "%(n)d rows"


def test_a_translation_with_a_wrong_placeholder_is_refused(project: Path) -> None:
    messages.update(project)
    file = messages.catalogue_file(project, "zh_Hans")
    broken = '"Hello %(name)s"\nmsgstr "你好 %(nam)s"'
    file.write_text(file.read_text().replace('"Hello %(name)s"\nmsgstr ""', broken))
    with pytest.raises(LaunchError, match=r"Hello %\(name\)s"):
        messages.compile_all(project)
