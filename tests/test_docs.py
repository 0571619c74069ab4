"""The documents tell the truth: settings, commands and links."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ["adminset", "accounts", "cmdb", "appconf", "tasks", "monitor", "delivery"]


def _documents() -> str:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


def settings_names() -> list[str]:
    """Name every variable that the portal reads from the environment."""
    reads = re.compile(
        r'env\.(?:text|integer|boolean|words|networks|choice|user_and_group)\(\s*"([A-Z0-9_]+)"'
    )
    sources = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return sorted(
        {
            name
            for path in sources
            for name in reads.findall(path.read_text(encoding="utf-8"))
        }
    )


@pytest.mark.parametrize("name", settings_names())
def test_every_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")


def _commands() -> list[str]:
    return sorted(
        path.stem
        for room in ROOMS
        for path in (ROOT / room).glob("management/commands/*.py")
        if path.stem != "__init__"
    )


@pytest.mark.parametrize("command", _commands())
def test_every_command_is_documented(command: str) -> None:
    assert f"manage.py {command}" in _documents()


@pytest.mark.parametrize(
    "page",
    [
        ROOT / "README.md",
        *sorted(ROOT.glob("*.md")),
        *sorted((ROOT / "docs").glob("*.md")),
    ],
    ids=str,
)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(
        r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text(encoding="utf-8")
    )
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_no_document_names_a_path_of_a_developers_machine() -> None:
    assert not re.search(r"/work/|/root/|/tmp/h-", _documents())


def test_every_test_that_the_security_table_names_exists() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = set(re.findall(r"tests/[\w/]+\.py", text))
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
