"""Python 3.6 to 3.13: every version that this machine has runs the real daemon; the syntax is checked without any."""

import ast
import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "agent").rglob("*.py"))
NEWER_MODULES = {
    *("dataclasses", "contextvars", "importlib.resources", "importlib.metadata"),
    *("zoneinfo", "graphlib", "tomllib", "_typeshed"),
}
NEWER_NAMES = {
    *("removeprefix", "removesuffix", "fromisoformat", "isascii", "is_relative_to"),
    *("time_ns", "monotonic_ns", "perf_counter_ns", "process_time_ns", "prod"),
    *("cached_property", "singledispatchmethod", "to_thread", "bit_count"),
    *("with_stem", "hardlink_to", "unparse", "dirs_exist_ok", "get_native_id"),
    *("Protocol", "Literal", "Final", "TypedDict", "Annotated", "ParamSpec"),
}
NEWER_ARGUMENTS = {"missing_ok", "capture_output", "usedforsecurity", "slots"}
BUILT_IN_GENERICS = {"list", "dict", "set", "tuple", "frozenset", "type"}


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


@pytest.fixture(params=pythons() or [("none", "")], ids=lambda item: item[0])
def python(request):
    name, path = request.param
    if not path:
        pytest.skip("no Python from 3.6 on was found")
    run = [path, "-c", "import ssl"]
    done = subprocess.run(run, stdout=-1, stderr=-1, check=False, timeout=30)
    if b"command not found" in done.stderr:
        pytest.skip(f"{name} is a pyenv shim without its version")
    if done.returncode:
        pytest.skip(f"{name} has no ssl")
    return path


@pytest.fixture
def packages(tmp_path):
    """psutil of this environment: its one binary serves every Python 3."""
    folder = Path(psutil.__file__).parent
    if not list(folder.glob("*.abi3.so")):
        pytest.skip("the psutil here is built for one Python only")
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "psutil").symlink_to(folder)
    shutil.copytree(str(ROOT / "agent"), str(tmp_path / "packages" / "agent"))
    return tmp_path / "packages"


def test_each_python_runs_the_daemon(
    python, packages, tmp_path, config, portal, environ
):
    enrolled = config._replace(credential_file=str(tmp_path / "new.json"))
    env = dict(environ(enrolled), PYTHONPATH=str(packages), ADMINSET_ENROLL_TOKEN="a.b")
    command = [python, "-W", "error::SyntaxWarning", "-m", "agent"]
    done = subprocess.run(
        [*command, "enroll", "--server", portal.url],
        env=env,
        cwd=str(tmp_path),
        stderr=-1,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    with (tmp_path / "log").open("wb") as log:
        daemon = subprocess.Popen(command, env=env, cwd=str(tmp_path), stderr=log)
    try:
        portal.wait_for(lambda: len(portal.stored) >= 2, seconds=30)
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(10) == 0
    finally:
        daemon.kill()
        daemon.wait()
    facts = portal.named("facts")[0][2]["facts"]
    assert python.endswith(facts["python_version"].rpartition(".")[0])
    values = list(portal.stored.values())[-1][1]["values"]
    assert {"cpu.busy_percent", "memory.used_percent", "load.1"} <= set(values)
    said = (tmp_path / "log").read_text()
    assert "Traceback" not in said
    assert "failed" not in said
    assert json.loads((tmp_path / "new.json").read_text())["server"] == portal.url


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_file_uses_what_python_3_6_lacks(path):
    tree = ast.parse(path.read_text(), feature_version=(3, 6))
    newer = [
        f"line {node.lineno}: {what}"
        for node in ast.walk(tree)
        for what in newer_than_3_6(node)
    ]
    assert newer == []


def newer_than_3_6(node):
    """What a node uses that came later."""
    if isinstance(node, ast.Import):
        return [a.name for a in node.names if a.name in NEWER_MODULES]
    if isinstance(node, ast.ImportFrom):
        names = {f"{node.module}.{a.name}" for a in node.names} | {node.module}
        names |= {a.name for a in node.names if node.module in ("typing", "__future__")}
        return sorted(names & (NEWER_MODULES | NEWER_NAMES | {"annotations"}))
    if isinstance(node, ast.Attribute):
        return [node.attr] if node.attr in NEWER_NAMES else []
    if isinstance(node, ast.Call):
        zips = isinstance(node.func, ast.Name) and node.func.id == "zip"
        newer = NEWER_ARGUMENTS | ({"strict"} if zips else set())
        return [each.arg for each in node.keywords if each.arg in newer]
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        return [node.value.id] if node.value.id in BUILT_IN_GENERICS else []
    return []
