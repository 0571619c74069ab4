"""The templates for sudoers, on the page and in the document, are ones that sudo takes."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tasks.guard.enforcing import Template, templates

DOCS = Path(__file__).resolve().parents[3] / "docs" / "terminal-guard.md"
VISUDO = shutil.which("visudo", path="/usr/sbin:/usr/bin:/sbin:/bin")
each = pytest.mark.parametrize("template", templates(), ids=lambda one: one.name)


def test_the_document_has_the_same() -> None:
    told = re.findall(r"```sudoers\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert told == [template.text for template in templates()]
    assert len(told) == 3


@pytest.mark.skipif(VISUDO is None, reason="visudo is not installed")
@each
def test_sudo_takes_it(template: Template, tmp_path: Path) -> None:
    file = tmp_path / "sudoers"
    file.write_text(template.text)
    file.chmod(0o440)
    done = subprocess.run(
        [str(VISUDO), "-c", "-s", "-f", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@each
def test_no_star_stands_for_arguments(template: Template) -> None:
    rules = [line for line in template.text.splitlines() if not line.startswith("#")]
    assert not re.search(r"\s\*|\*\s", "\n".join(rules))


@pytest.mark.django_db
def test_the_page_shows_them_to_copy(
    client_of: Callable[[User], Client], auditor: User
) -> None:
    page = client_of(auditor).get(reverse("tasks:guard_sudoers")).content.decode()
    assert page.count("data-copy=") >= 3
    assert "%adminset-operators ALL = (root) NOEXEC: ADMINSET_SERVICES" in page
