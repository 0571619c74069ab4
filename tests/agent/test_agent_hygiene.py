"""What the agent is made of: old Python, two packages, nothing of the portal."""

import ast
import re
import subprocess
import sys
from pathlib import Path

from agent.config import DEFAULTS

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "agent").rglob("*.py"))
GUIDE = ROOT / "docs" / "agent.md"


def imports(path):
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            found.add(node.module.split(".")[0])
    return found


def users_of(module):
    return [path.name for path in SOURCES if module in imports(path)]


def test_it_imports_the_standard_library_and_psutil_only():
    allowed = set(sys.stdlib_module_names) | {"agent", "psutil"}
    optional = {"pysnmp", "pyasn1"}
    assert set().union(*map(imports, SOURCES)) <= allowed | optional


def test_one_file_alone_speaks_http_one_starts_programs_one_speaks_snmp():
    assert users_of("http") == ["connection.py"]
    assert users_of("subprocess") == ["programs.py"]
    assert all(name.startswith("snmp") for name in users_of("pysnmp"))
    assert not any("os.system" in path.read_text() for path in SOURCES)


def test_a_daemon_that_asks_no_network_device_loads_no_pysnmp():
    code = "import sys, agent.daemon; print('pysnmp' in sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=str(ROOT), stdout=subprocess.PIPE, check=True)
    assert done.stdout.strip() == b"False"


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


def test_files_are_short_and_open_with_a_sentence():
    for path in SOURCES:
        text = path.read_text()
        assert len(text.splitlines()) <= 250
        if path.name == "__init__.py":
            assert text == ""
        else:
            assert re.match(r'"""[^\n]{10,}(\.|\.""")\n', text), path


def test_every_option_and_variable_is_documented():
    guide = GUIDE.read_text()
    for name in DEFAULTS:
        assert f"`{name}`" in guide
    for word in ("ADMINSET_AGENT_", "ADMINSET_AGENT_CONFIG", "ADMINSET_ENROLL_TOKEN"):
        assert word in guide
