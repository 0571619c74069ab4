"""What the agent is made of: old Python, two packages, nothing of the portal."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.config import DEFAULTS

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "agent").rglob("*.py"))
GUIDE = ROOT / "docs" / "agent.md"


def pythons():
    """One interpreter a version from 3.6 on: of pyenv first, whose shims need it."""
    home = Path(os.environ.get("HOME", "/root"))
    places = [str(place) for place in home.glob(".pyenv/versions/*/bin")]
    found = {}
    for place in places + os.environ["PATH"].split(os.pathsep):
        for path in sorted(Path(place).glob("python3.*")):
            if re.fullmatch(r"python3\.([6-9]|\d\d)", path.name):
                found.setdefault(path.name, str(path))
    return sorted(found.items(), key=lambda item: int(item[0].split(".")[1]))


@pytest.mark.parametrize(("name", "path"), pythons() or [("none", "")])
def test_it_compiles_for_every_python_found(name, path, tmp_path):
    if not path:
        pytest.skip("no Python from 3.6 on was found")
    copy = tmp_path / "agent"
    shutil.copytree(str(ROOT / "agent"), str(copy))
    command = [path, "-m", "compileall", "-q", str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "command not found" in done.stderr:
        pytest.skip(f"{name} is a pyenv shim without its version")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def imports(path):
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            found.add(node.module.split(".")[0])
    return found


def test_it_imports_the_standard_library_psutil_and_requests_only():
    allowed = set(sys.stdlib_module_names) | {"agent", "psutil", "requests"}
    assert set().union(*map(imports, SOURCES)) <= allowed


def test_one_file_alone_speaks_http():
    users = [path.name for path in SOURCES if "requests" in imports(path)]
    assert users == ["sender.py"]


def test_no_file_starts_a_program():
    assert not any("subprocess" in imports(path) for path in SOURCES)
    assert not any("os.system" in path.read_text() for path in SOURCES)


def test_running_it_loads_nothing_of_the_portal():
    code = (
        "import sys, agent.__main__, agent.daemon, agent.once, agent.enroll;"
        "print(sorted({n.split('.')[0] for n in sys.modules}"
        " & {'django', 'adminset', 'cmdb', 'monitor', 'accounts', 'celery'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=str(ROOT),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_requests_works_without_what_is_kept_out_of_memory():
    code = (
        "import sys, warnings; warnings.simplefilter('error');"
        "from agent.lean import spare_charset_guessing; spare_charset_guessing();"
        "import agent.sender; print('charset_normalizer.api' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=str(ROOT),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"


def test_files_are_short_and_open_with_a_sentence():
    for path in SOURCES:
        text = path.read_text()
        assert len(text.splitlines()) <= 200
        if path.name == "__init__.py":
            assert text == ""
        else:
            assert re.match(r'"""[^\n]+"""\n', text)


def test_every_option_and_variable_is_documented():
    guide = GUIDE.read_text()
    for name in DEFAULTS:
        assert f"`{name}`" in guide
    for word in ("ADMINSET_AGENT_", "ADMINSET_AGENT_CONFIG", "ADMINSET_ENROLL_TOKEN"):
        assert word in guide


def test_the_install_script_is_plain_shell():
    script = ROOT / "agent" / "install.sh"
    subprocess.run(["sh", "-n", str(script)], check=True)
    text = script.read_text()
    assert text.startswith("#!/bin/sh\n")
    assert "set -eu" in text
    assert not re.search(r"--token[ =]", text)
